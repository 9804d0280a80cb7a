#!/usr/bin/env bash
# Claim: without its broker for more than three rounds the federation's jobs go on, one to its end; the time beyond the
# leases is receipted by host and home as holdover, and is posted when the broker is back, started again on a ledger that
# was verified meanwhile.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
write_job short.yaml 1000 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/short.yaml"
sed 's/1000/2200/' "$work/short.yaml" >"$work/long.yaml"
for file in short long; do "$peer" submit --config "$work/isi.yaml" "$work/$file.yaml" >/dev/null; done
until_true 30 jobs_running 2

stop broker KILL
expect_exit 0 "ledger verified" "$broker" ledger verify
outage_ends=$((SECONDS + 16)) # rounds are 5 s
state_of() { "$peer" jobs --config "$work/isi.yaml" | awk -v job="$1" '$1 == job { print $2 }'; }
short_done() { [ "$(state_of isi-1)" = done ]; }
long_goes_on() { [ "$(state_of isi-2)" = running ]; }
until_true 60 short_done
while [ "$SECONDS" -lt "$outage_ends" ]; do
    long_goes_on || fail "isi-2 stopped while the broker was away: $("$peer" jobs --config "$work/isi.yaml")"
    sleep 0.5
done
"$peer" status --config "$work/usc.yaml" | grep -Eq '[1-9][0-9]* receipts? not settled' ||
    fail "no receipt waits: $("$peer" status --config "$work/usc.yaml")"

start_broker
until_true 90 jobs_done isi 2
until_true 30 settled
for job in isi-1 isi-2; do
    "$peer" show --config "$work/isi.yaml" "$job" | grep -q '^starts  *1' || fail "$job was started again"
done
# The lease that each job had when the broker went was held beyond its end: more was paid than its cap, which covers the
# lease and its grace.
"$broker" leases --json >"$work/leases.json"
held_over=$(jq -r '[.leases[] | select(.paid_micros > .cap_micros) | .job] | unique | length' "$work/leases.json")
[ "$held_over" -eq 2 ] || fail "holdover of $held_over jobs was posted, not of 2: $(cat "$work/leases.json")"
books_agree 2000000000
