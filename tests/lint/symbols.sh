#!/usr/bin/env bash
# No two of our objects define the same global symbol: the linker takes the first one of static libraries in silence.
# Usage: symbols.sh SOURCE; looks at the libraries of the build that ctest runs in (ENTENTE_BIN_DIR).
set -euo pipefail
bin=${ENTENTE_BIN_DIR:-}
[ -n "$bin" ] || { echo "symbols: skipped: ENTENTE_BIN_DIR is not set"; exit 77; }
# What may meet in one program: each daemon with what it links, and (tests/sim) all of them but for the fronts of the
# programs, their commands and daemon loops, of which each daemon has its own.
defined() { # LIBRARY...: global symbols, one line per definition
    nm --defined-only --extern-only -A "$@" 2>/dev/null | awk 'NF > 2 && $(NF - 1) ~ /^[TDBR]$/ { print $1, $NF }'
}
twice=""
for set in "base economics proto broker" "base proto peer" "base economics proto broker peer"; do
    libraries=()
    for folder in $set; do
        library=$bin/../$folder/libentente_$folder.a
        [ -f "$library" ] || { echo "symbols: skipped: $library is not built"; exit 77; }
        libraries+=("$library")
    done
    fronts='^$'
    [ "$set" = "base economics proto broker peer" ] && fronts='(command[a-z_]*|daemon[a-z_]*)\.c\.o:'
    twice+=$(defined "${libraries[@]}" | grep -vE "$fronts" | awk '{ print $2 }' | sort | uniq -d)
done
if [ -n "$twice" ]; then
    echo "symbols: defined more than once:"
    echo "$twice" | sed 's/^/  /'
    exit 1
fi
echo "symbols: each global symbol is defined once"
