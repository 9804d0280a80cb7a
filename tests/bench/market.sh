#!/usr/bin/env bash
# Bench: our market solver side by side with CLP, HiGHS and plain GLPK, in one run on this machine.
#
# Installs CLP (coinor-clp) and HiGHS (in python3-scipy) from Debian where they are missing, generates instances, exports
# them as MPS, runs every solver's best methods on them and prints one table: reading and solving timed apart, medians of
# several runs, each optimum compared with the others to 1e-6. Times are CPU seconds, so that neighbours on the machine
# count for nothing; wall seconds stand beside them.
#
# Usage: tests/bench/market.sh [--sizes 20x1k,100x10k,300x30k,1000x100k] [--runs 3] [--solvers ours,clp,highs,glpk]
#                              [--program build/release/bin/entente-economics] [--work DIRECTORY] [--limit SECONDS] [--json OUT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
for package in coinor-clp python3-scipy glpk-utils; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    echo "bench: installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
# Debian's own Python: scipy is installed for no other.
exec /usr/bin/python3 "$here/market/compare.py" "$@"
