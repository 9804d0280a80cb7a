#!/usr/bin/env bash
# Claim: a settlement period's net positions add up; a member that does not pay what it owed by the due date gets no new
# lease abroad until a deposit pays it; a revoked member's debt is written off to the losses, and the ledger verifies.
. "$(dirname "$0")/lib_federation.sh"

write_config_with_due() {
    write_config "$1"
    echo 'settlement: {due: 1s}' >>"$work/broker.yaml"
}
overdue() { # MEMBER: has something overdue
    "$broker" member list | awk -v name="$1" '$1 == name { exit $NF == "-" }'
}
not_overdue() { ! overdue "$1"; }
jobs_waiting() { [ "$("$broker" jobs | awk '$3 == "waiting"' | wc -l)" -eq "$1" ]; }

write_config_with_due 127.0.0.1:0
"$broker" init >/dev/null
start_broker
write_config_with_due "$(address members)"
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
expect_exit 0 "done" "$broker" member credit-limit isi 100
expect_exit 0 "done" "$broker" member deposit isi --reference payout -- -1010 # isi owes 10
expect_exit 0 "Period 1" "$broker" settlement close
"$broker" settlement show 1 --json >"$work/period.json"
# opening + earned - spent + paid in + corrected = closing, for everybody
awk -F'[:,]' '/"opening_micros"/ { o = $2 } /"earned_micros"/ { e = $2 } /"spent_micros"/ { s = $2 }
    /"paid_in_micros"/ { p = $2 } /"corrected_micros"/ { c = $2 }
    /"closing_micros"/ { n++; if (o + e - s + p + c != $2) exit 1 } END { exit n != 2 }' "$work/period.json" ||
    fail "net positions do not add up: $(cat "$work/period.json")"
expect_exit 0 "10.000000" "$broker" settlement list
until_true 20 overdue isi

write_job job.yaml 300 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
"$peer" submit --config "$work/isi.yaml" "$work/job.yaml" >/dev/null
until_true 20 jobs_waiting 1
"$broker" round run >/dev/null
jobs_waiting 1 || fail "an overdue member got a lease: $("$broker" leases)"
expect_exit 0 "done" "$broker" member deposit isi 10 --reference "period 1"
until_true 10 not_overdue isi
until_true 60 jobs_done isi 1
until_true 30 settled

expect_exit 1 "only a revoked member" "$broker" member write-off isi --reference "it left"
stop isi
expect_exit 0 "done" "$broker" member revoke isi
expect_exit 0 "done" "$broker" member write-off isi --reference "it left"
expect_exit 0 "federation/losses" "$broker" ledger export
expect_exit 0 "ledger verified" "$broker" ledger verify
