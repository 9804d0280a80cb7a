#!/usr/bin/env bash
# Claim: within 15 s of its revocation, at the default heartbeat of 5 s, a member has nothing left in the federation: its
# job at another host is stopped, the job that it hosted has left it and goes on elsewhere from its checkpoint, peers
# refuse it, and the books agree.
. "$(dirname "$0")/lib_federation.sh"

make_federation
sed -i 's/^heartbeat_period:.*/heartbeat_period: 5s/' "$work/broker.yaml"
stop broker
start_broker
add_member usc V100 2 0.0004
add_member eve A100 1 0.0001
add_member isi V100 1 0.0009
write_job of-isi.yaml 900 0.00005
write_job of-eve.yaml 100000 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100, V100]}/' "$work/of-isi.yaml"
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [V100]}/' "$work/of-eve.yaml"

isi_is_at() { "$peer" jobs --config "$work/isi.yaml" | awk -v host="$1" '$2 == "running" && $3 == host { found = 1 } END { exit !found }'; }
runs_of() { pgrep -f "run-shim $work/state-$1" | wc -l; } # jobs that the host of that name runs
"$peer" submit --config "$work/isi.yaml" "$work/of-isi.yaml" >/dev/null
until_true 30 isi_is_at eve
"$peer" submit --config "$work/eve.yaml" "$work/of-eve.yaml" >/dev/null
until_true 30 jobs_running 2
runs_at() { [ "$(runs_of "$1")" -ge 1 ]; }
until_true 10 runs_at eve
until_true 10 runs_at usc

"$broker" member revoke eve >/dev/null
gone() { [ "$(runs_of eve)" -eq 0 ] && ! "$peer" jobs --config "$work/isi.yaml" | grep -q ' eve ' && eves_job_ended; }
eves_job_ended() { ! "$broker" leases | awk '$3 == "eve-1" && $2 == "running" { found = 1 } END { exit !found }'; }
until_true 15 gone
until_true 30 isi_is_at usc
until_true 60 jobs_done isi 1
others_settled() { # where eve is a party the receipt waits a day for a signature that eve can't give any more
    ! "$broker" leases | awk 'NR > 1 && $4 != "eve" && $5 != "eve" && $2 != "settled" && $2 != "voided" { found = 1 } END { exit !found }'
}
until_true 30 others_settled
"$broker" leases | awk '$3 == "eve-1" && ($2 == "released" || $2 == "settled") { found = 1 } END { exit !found }' ||
    fail "the lease of eve's job is not released: $("$broker" leases)"
[ "$(runs_of usc)" -eq 0 ] || fail "usc still runs something"
books_agree 3000000000
