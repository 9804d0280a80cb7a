#!/usr/bin/env bash
# Claim: the demo federation runs its jobs to the end, every certificate agrees with the ledger, and nothing is left running.
set -euo pipefail
bin=${ENTENTE_BIN_DIR:?set by ctest}
source=${ENTENTE_SOURCE_DIR:?set by ctest}
command -v jq >/dev/null || { echo "skipped: jq is not installed"; exit 77; }
[ -d /usr/share/datasets/fashion-mnist ] || { echo "skipped: dataset-fashion-mnist is not installed"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch ENTENTE_DEMO_JOBS=6 ENTENTE_DEMO_SECONDS=200
if ! bash "$source/configs/demo/run.sh" "$bin" >"$scratch/out" 2>"$scratch/err"; then
    cat "$scratch/out" "$scratch/err"
    exit 1
fi
grep -q '6 jobs ended after .* s: 6 done' "$scratch/out"
grep -q 'ledger verified' "$scratch/out"
rounds=$(sed -n 's/^\([0-9]*\) rounds with leases.*: \([0-9]*\) agree with their certificate.*/\1 \2/p' "$scratch/out")
read -r all agree <<<"$rounds"
[ "$all" -gt 0 ] && [ "$all" -eq "$agree" ]
left=$(find "$scratch" -mindepth 1 -maxdepth 1 -name 'entente-demo-*')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
if pgrep -f "$scratch" >"$scratch/processes"; then
    echo "still running:" && cat "$scratch/processes"
    exit 1
fi
echo "$all rounds, all certificates agree, nothing left running"
