#!/usr/bin/env bash
# Claim: each lint passes a clean tree and refuses each violation, planted one at a time in a tree of its own.
set -euo pipefail
lints=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
export GIT_CEILING_DIRECTORIES=${tree%/*}

failures=0
planted=0

clean_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/{base,economics/lp,economics/market,proto/wire,proto/rpc,proto/identity,broker/store,peer,tests/broker,tests/sim}
    cp "$lints/../../.clang-format" "$tree/.clang-format"
    printf '#include <stdio.h>\n#include "base/a.h"\n\nint a(void)\n{\n    return 1;\n}\n' >"$tree/base/a.c"
    printf '#ifndef ENTENTE_BASE_A_H\n#define ENTENTE_BASE_A_H\n\nint a(void);\n\n#endif\n' >"$tree/base/a.h"
    printf '#include <glpk.h>\n' >"$tree/economics/lp/lp.c"
    printf '#include "proto/wire/x.h"\n#include "economics/market/market.h"\n' >"$tree/broker/round.c"
    printf '#include "entente/v1/member.pb-c.h"\n' >"$tree/proto/wire/member.c"
    printf '#include "broker/round.h"\n#include "peer/job.h"\n' >"$tree/tests/sim/sim.c"
}

verdict() { # LINT: its exit status; what it said is in $tree/said
    local status=0
    bash "$lints/$1.sh" "$tree" >"$tree/said" 2>&1 || status=$?
    echo "$status"
}

expect_clean() { # LINT
    clean_tree
    local status
    status=$(verdict "$1")
    if [ "$status" -ne 0 ]; then
        echo "$1 refuses a clean tree:" >&2
        cat "$tree/said" >&2
        failures=$((failures + 1))
    fi
}

expect_refused() { # LINT FILE TEXT WORD: the file with this text is refused, and the lint's word for it is WORD
    clean_tree
    mkdir -p "$tree/$(dirname "$2")"
    printf "$3" >"$tree/$2"
    local status
    status=$(verdict "$1")
    planted=$((planted + 1))
    if [ "$status" -ne 1 ] || ! grep -qF -- "$2" "$tree/said" || ! grep -qF -- "$4" "$tree/said"; then
        printf '%s did not refuse %s (%.60s) for "%s"; exit %s:\n' "$1" "$2" "$3" "$4" "$status" >&2
        cat "$tree/said" >&2
        failures=$((failures + 1))
    fi
}

expect_clean layers
expect_refused layers base/b.c '#include "proto/wire/x.h"\n' 'out of reach of base/'
expect_refused layers economics/market/m.c '#include "proto/wire/x.h"\n' 'out of reach of economics/'
expect_refused layers proto/rpc/r.c '#include "economics/market/market.h"\n' 'out of reach of proto/'
expect_refused layers broker/b.c '#include "peer/job.h"\n' 'out of reach of broker/'
expect_refused layers peer/p.c '#include "broker/round.h"\n' 'out of reach of peer/'
expect_refused layers peer/p.c '#include "economics/market/market.h"\n' 'out of reach of peer/'
expect_refused layers peer/p.c '  #  include "broker/round.h"\n' 'out of reach of peer/'
expect_refused layers peer/p.c '#include "job.h"\n' 'by its path from the root'
expect_refused layers peer/p.c '#include "tests/support/support.h"\n' 'out of reach of peer/'
expect_refused layers tests/broker/test_b.c '#include "peer/job.h"\n' 'out of reach of broker/'
expect_refused layers peer/p.c '#define HEADER "broker/round.h"\n#include HEADER\n' 'must name its header'
expect_refused layers economics/market/m.c '#include <glpk.h>\n' 'outside its home'
expect_refused layers broker/b.c '#include <grpc/grpc.h>\n' 'outside its home'
expect_refused layers proto/rpc/r.c '#include <openssl/ssl.h>\n' 'outside its home'
expect_refused layers broker/b.c '#include "entente/v1/member.pb-c.h"\n' 'outside its home'
expect_refused layers proto/rpc/r.c '#include <protobuf-c/protobuf-c.h>\n' 'outside its home'
expect_refused layers broker/ledger.c '#include <sqlite3.h>\n' 'outside its home'
expect_refused layers peer/p.c '#include <sqlite3.h>\n' 'outside its home'
expect_refused layers peer/p.c '#include <cyaml/cyaml.h>\n' 'outside its home'
expect_refused layers base/table.c '#include <yaml.h>\n' 'outside its home'
expect_refused layers broker/b.c '#include <jansson.h>\n' 'outside its home'

expect_clean shape
long=$(printf 'x%.0s' {1..101})
expect_refused shape base/b.c "int $long;\n" 'no comment'
expect_refused shape base/b.c "/* $long$long */\n" 'over 110 columns'
expect_refused shape base/b.c "$(printf 'int x;%.0s\\n' {1..501})" 'over 500 lines'
expect_refused shape base/b.c '\tint x;\n' 'tabs'
expect_refused shape base/b.c 'void f(char *t)\n{\n    strcpy(t, "x");\n}\n' 'without a bound'
expect_refused shape base/b.c 'int f(char *t)\n{\n    return atoi (t);\n}\n' 'without a bound'
expect_refused shape base/b.c 'void f(char *t)\n{\n    sprintf(t, "x");\n}\n' 'without a bound'
expect_refused shape base/b.c 'void *f(void)\n{\n    return alloca(9);\n}\n' 'without a bound'
expect_refused shape base/b.c '/* TODO later */\n' 'unfinished'
expect_refused shape base/b.h '#ifndef B_H\n#define B_H\n#endif\n' 'expected ENTENTE_BASE_B_H'

rm -rf "${tree:?}"/* # a tree without files is no pass
for lint in layers shape; do
    if [ "$(verdict "$lint")" -eq 0 ]; then
        echo "$lint passes an empty tree" >&2
        failures=$((failures + 1))
    fi
done

clean_tree
if [ "$(verdict format)" -eq 77 ]; then
    echo "selftest: format not tried, it skips here"
else
    expect_clean format
    expect_refused format base/b.c 'int f(void) {return 1;}\n' 'clang-format'
fi

if [ "$failures" -gt 0 ]; then
    echo "selftest: $failures expectations failed" >&2
    exit 1
fi
echo "selftest: $planted planted violations were all refused"
