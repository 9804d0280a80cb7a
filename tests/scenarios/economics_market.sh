#!/usr/bin/env bash
# Claim: `entente-economics market solve` reads the documented format, prints the optimum as tables and as JSON, and
# names the path of what is wrong, with the exit codes that README.md promises.
set -euo pipefail
economics=${ENTENTE_BIN_DIR:?}/entente-economics
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

expect_exit() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0
    shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "$* ended with $got, not $code: $(cat "$work/out")"
    grep -qF -- "$text" "$work/out" || fail "$* does not say '$text': $(cat "$work/out")"
}

# Two rivals for one GPU: worth 10 and 6 credits a round. The price is the middle, 8 credits per 1000 GPU-seconds.
cat >"$work/rivals.json" <<'JSON'
{"round_seconds": 1000,
 "members": ["host", "buyer", "rival"],
 "pools": [{"id": "host/A100", "member": "host", "gpu": "A100", "gpus": 1}],
 "affinity": [{"home": "buyer", "host": "host", "value": 1}, {"home": "rival", "host": "host", "value": 1}],
 "jobs": [{"id": "b", "home": "buyer", "value": 0.01, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]},
          {"id": "r", "home": "rival", "value": 0.006, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]}]}
JSON

expect_exit 0 "0.008000000" "$economics" market solve "$work/rivals.json"
expect_exit 0 "in the core" "$economics" market solve --gangs "$work/rivals.json"
for line in '"objective": 10.0' '"upper_bound": 10.0' '"gap": 0.0' '"host/A100": 0.008' '"host": 8.0' '"buyer": 2.0' \
    '"job": "b"' '"gpus": 1' '"share": 1.0' '"read":' '"solve":'; do
    expect_exit 0 "$line" "$economics" market solve --json "$work/rivals.json"
done

expect_exit 0 "market solve" "$economics" --help
expect_exit 0 "entente-economics " "$economics" --version
expect_exit 0 "--gangs" "$economics" market solve --help
"$economics" --help | awk '/^  (market|game|throughput) /{print $1, $2}' | while read -r noun verb; do
    expect_exit 0 "Exit codes: 0 done, 1 failure, 2 wrong usage" "$economics" "$noun" "$verb" --help
done
expect_exit 2 "no command" "$economics" market sovle
expect_exit 2 "FILE is missing" "$economics" market solve
expect_exit 2 "unrecognized option" "$economics" market solve --jsn "$work/rivals.json"
expect_exit 1 "No such file" "$economics" market solve "$work/none.json"

# Fair shares of the GPU: 10 x = 6 (1 - x), and half the round each.
expect_exit 0 "least utility 3.75" "$economics" market solve --objective max-min "$work/rivals.json"
expect_exit 0 "0.375000" "$economics" market solve --objective max-min "$work/rivals.json"
expect_exit 0 "proportional, exact" "$economics" market solve --objective proportional "$work/rivals.json"
expect_exit 2 "--objective: 'fair' is none of" "$economics" market solve --objective fair "$work/rivals.json"
expect_exit 2 "--threads: '-1'" "$economics" market solve --threads -1 "$work/rivals.json"
expect_exit 1 "--gangs goes with" "$economics" market solve --gangs --objective max-min "$work/rivals.json"

# Why, and what if.
expect_exit 0 "surplus 2.000000" "$economics" market explain "$work/rivals.json" --job b
expect_exit 0 "places it, as solving again shows" "$economics" market explain "$work/rivals.json" --job r
expect_exit 0 '"bid_needed": {' "$economics" market explain "$work/rivals.json" --job r --json
expect_exit 0 "6.000000" "$economics" market explain "$work/rivals.json" --member host
expect_exit 1 "no job 'x'" "$economics" market explain "$work/rivals.json" --job x
expect_exit 2 "either --job ID or --member M" "$economics" market explain "$work/rivals.json"
expect_exit 0 "10.000000 before, 6.000000 after" "$economics" market what-if "$work/rivals.json" --leave buyer
expect_exit 0 '"after": 16.0' "$economics" market what-if "$work/rivals.json" --join host --gpus A100=1 --json
expect_exit 1 "no member 'nobody'" "$economics" market what-if "$work/rivals.json" --leave nobody
expect_exit 2 "with which --gpus" "$economics" market what-if "$work/rivals.json" --join new

sed 's/"gpus": 1, "throughput": 1/"gpus": -1, "throughput": 1/' "$work/rivals.json" >"$work/negative.json"
expect_exit 1 "jobs[0].configurations[0].gpus: -1" "$economics" market solve "$work/negative.json"
printf '{"members": [\n' >"$work/cut.json"
expect_exit 1 "cut.json:2:" "$economics" market solve "$work/cut.json"
echo "market solve: ok"
