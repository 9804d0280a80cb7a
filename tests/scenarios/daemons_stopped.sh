#!/usr/bin/env bash
# Claim: a broker, a host and a home that stand still (SIGSTOP) past every deadline of the federation, heartbeats, calls
# and the ends of leases, and go on again cost nobody anything: no job is started twice at once, all are done, and what
# was held is paid once.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
write_job job.yaml 2400 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
for member in usc isi isi; do
    "$peer" submit --config "$work/$member.yaml" "$work/job.yaml" >/dev/null
done
until_true 30 jobs_running 3

examples() { "$peer" show --config "$work/isi.yaml" isi-1 | awk '$1 == "progress" { print $2 }'; }
newest_round() { "$broker" round list | awk 'NR == 2 { print $1 }'; }
went_on() { [ "$(examples)" -gt "$1" ]; }
rounds_after() { [ "$(newest_round)" -gt "$1" ]; }

# Longer than a round (5 s), the offers' life (1.5 s) and what ping takes for death (4.5 s).
still_seconds=6
for name in broker usc isi; do
    kill -STOP "${pids[$name]}"
    sleep "$still_seconds"
    kill -CONT "${pids[$name]}"
    before=$(newest_round)
    if [ "$name" = broker ]; then until_true 30 rounds_after "$before"; fi
    until_true 30 went_on "$(examples)"
done
until_true 90 jobs_done usc 1
until_true 90 jobs_done isi 2
for job in isi-1 isi-2; do
    "$peer" show --config "$work/isi.yaml" "$job" | grep -q '^starts  *1' ||
        fail "$job was started again: $("$peer" show --config "$work/isi.yaml" "$job")"
    "$peer" fetch --config "$work/isi.yaml" "$job" --to "$work/got-$job" >/dev/null
    [ "$(cat "$work/got-$job/result.txt")" = "made 2400" ] || fail "$job: $(cat "$work/got-$job/result.txt")"
done
until_true 30 settled
books_agree 2000000000
