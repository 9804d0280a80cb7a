#!/usr/bin/env bash
# Claim: a broker killed with SIGKILL while jobs run stops none of them; started again it knows every member, lease,
# job and micro-credit, renews what went on without it, and every stored round replays to the same plan.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
write_job job.yaml 1500 0.00005
for member in usc isi isi; do
    "$peer" submit --config "$work/$member.yaml" "$work/job.yaml" >/dev/null
done
until_true 30 jobs_running 3
stop broker KILL
expect_exit 0 "ledger verified" "$broker" ledger verify # the file alone answers
sleep 6                                                 # past the end of every lease
start_broker
until_true 90 jobs_done usc 1
until_true 90 jobs_done isi 2
until_true 30 settled
expect_exit 0 "ledger verified" "$broker" ledger verify
rounds=$("$broker" round list | awk 'NR > 1 { print $1 }')
[ -n "$rounds" ] || fail "no round was stored"
for round in $rounds; do
    expect_exit 0 "the same plan" "$broker" replay "$round"
done
# what the members have is what was deposited, to the micro-credit
total=$("$broker" member list --json | awk -F'[:,]' '/"(balance|escrow)_micros"/ { sum += $2 } END { printf "%d", sum }')
[ "$total" -eq 2000000000 ] || fail "members have $total micro-credits, 2000000000 were deposited"
