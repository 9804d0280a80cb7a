#!/usr/bin/env bash
# Claim: `explain` tells a job that lost to a rival what it lacked and which bid would have won; a job that bids just
# that wins, and one that no pool can run is told the obstacle and no bid.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
write_job rival.yaml 100000 0.00005
write_job poor.yaml 100000 0.00002
for job in rival poor; do sed -i 's/gpus: .*/gpus: {min: 2, max: 2}/' "$work/$job.yaml"; done
sed 's/gpus: .*/gpus: {min: 8, max: 8}/' "$work/poor.yaml" >"$work/impossible.yaml"
submit() { "$peer" submit --config "$work/usc.yaml" "$work/$1"; }

submit rival.yaml >/dev/null
until_true 30 jobs_running 1
poor=$(submit poor.yaml)
impossible=$(submit impossible.yaml)
# the next full round considers them all
"$broker" round run --wait >/dev/null
expect_exit 0 "other jobs are worth more" "$broker" explain "$poor"
bid=$("$broker" explain "$poor" --json | awk -F'[:,]' '/"winning_value_nanos_per_example"/ { print $2 + 0 }')
[ "$bid" -gt 20000 ] || fail "the bid named, $bid, is not above its own of 20000"
expect_exit 0 '"winning_value_nanos_per_example": 0' "$broker" explain "$impossible" --json
expect_exit 0 "no pool may run it" "$broker" explain "$impossible"

# the named bid wins: the rival has to go
"$peer" cancel --config "$work/usc.yaml" "$poor" >/dev/null
value=$(awk -v nanos="$bid" 'BEGIN { printf "%.9f", nanos / 1e9 }')
sed "s/value_per_example: .*/value_per_example: $value/" "$work/poor.yaml" >"$work/winner.yaml"
winner=$(submit winner.yaml)
won() { "$broker" leases | awk -v job="$winner" '$3 == job && $2 == "running" { found = 1 } END { exit !found }'; }
until_true 60 won
