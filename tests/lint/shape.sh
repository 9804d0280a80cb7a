#!/usr/bin/env bash
# Claim: files and lines keep their limits, and the functions that C programs come to grief by are not called.
# Usage: shape.sh SOURCE-DIRECTORY
set -euo pipefail
. "$(dirname "$0")/support/files.sh"
source=${1:?usage: shape.sh SOURCE-DIRECTORY}
export LC_ALL=C.UTF-8 # columns are characters, not bytes

lines_wished=400 # beyond this ask which second idea moved in
lines_max=500
columns_max=100
comment_columns_max=110

# One idea that is long: every message that crosses the wire, as plain structs side by side.
long_by_nature='^proto/wire/messages\.h:'

mapfile -t files < <(own_files "$source")
require_files "$source" "${#files[@]}"
cd "$source"

failures=0
refuse() { # WHAT OFFENDERS
    if [ -n "$2" ]; then
        printf '%s:\n%s\n' "$1" "$2" >&2
        failures=$((failures + 1))
    fi
}

found() { # the lines of our files that match; none is fine
    grep -Hn "$@" "${files[@]}" || true
}

over() { # LINES: the files with more than so many
    wc -l "${files[@]}" | awk -v most="$1" '$2 != "total" && $1 > most { print $2 ": " $1 " lines" }'
}

without_guard() {
    local file guard
    for file in "${files[@]}"; do
        if [[ $file == *.h ]]; then
            guard=ENTENTE_$(printf '%s' "${file%.h}" | tr 'a-z/-' 'A-Z__')_H
            if ! grep -q "^#ifndef $guard\$" "$file"; then echo "$file: expected $guard"; fi
        fi
    done
}

over "$lines_wished" | sed 's/^/warning: /'
refuse "over $lines_max lines; split by idea" "$(over "$lines_max" | grep -vE "$long_by_nature" || true)"
refuse "over $comment_columns_max columns" "$(found -E "^.{$((comment_columns_max + 1)),}")"
refuse "over $columns_max columns, and no comment" \
    "$(found -E "^.{$((columns_max + 1)),}" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/\*|\*|//)' || true)"
refuse "tabs; use four spaces" "$(found -P '\t')"
refuse "calls without a bound or without an error; use snprintf, memcpy, strtoll" \
    "$(found -E '\b(strcpy|strcat|stpcpy|atoi|atol|atoll|atof|alloca|sprintf|vsprintf|gets)[[:space:]]*\(')"
refuse "unfinished; open an issue instead" "$(found -wE 'TODO|FIXME|XXX|HACK')"
refuse "headers without the include guard of their path" "$(without_guard)"

if [ "$failures" -gt 0 ]; then
    echo "shape: $failures rules broken (ARCHITECTURE.md says where the rules are)" >&2
    exit 1
fi
echo "shape: ${#files[@]} files are in shape"
