#!/usr/bin/env bash
# Claim: a job submitted at its home runs at the host where it gains most, its log, result and checkpoint come home, and
# what it held is settled by a receipt that both signed; its owner sees the account and why a job waits, and nobody else's;
# commands answer in JSON and with the documented exit codes.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
write_job job.yaml 400 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml" # only usc has these
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }

job=$(isi submit "$work/job.yaml")
[ "$job" = isi-1 ] || fail "the job is called $job"
until_true 60 jobs_done isi 1
isi jobs --json | grep -q "\"job\": *\"$job\"" || fail "jobs --json lacks $job: $(isi jobs --json)"
isi show "$job" | grep -q '^starts  *1' || fail "it was started more than once: $(isi show "$job")"
isi show "$job" >"$work/shown"
grep -q '^last place  *usc, 1 x A100, lease 1' "$work/shown" || fail "its last place is not shown: $(cat "$work/shown")"
grep -Eq '^speed  *[0-9.]+ examples/s \(predicted [1-9]' "$work/shown" || fail "its speed is not shown: $(cat "$work/shown")"
grep -Eq '^submitted .*Z \([0-9ms]+ ago\)' "$work/shown" || fail "its age is not shown: $(cat "$work/shown")"
isi jobs | awk -v job="$job" '$1 == job && $3 == "usc" && $4 == "A100" { found = 1 } END { exit !found }' ||
    fail "jobs does not say where it was: $(isi jobs)"
isi fetch "$job" --to "$work/got" >/dev/null
[ "$(cat "$work/got/result.txt")" = "made 400" ] || fail "result: $(cat "$work/got/result.txt")"
isi logs "$job" >/dev/null
until_true 30 settled
"$broker" leases | awk -v job="$job" '$3 == job && $2 == "settled" && $10 > 0 { paid = 1 } END { exit !paid }' ||
    fail "nothing was paid: $("$broker" leases)"
! grep -q "not countersigned\|did not sign" "$work"/*.log || fail "a receipt was not countersigned"
until_true 20 sh -c "'$peer' status --config '$work/usc.yaml' | grep -q '0 receipts not settled'"

# the account, as the broker has it; a statement in JSON has all pages as one
isi statement >"$work/statement"
grep -q "deposit .* start " "$work/statement" || fail "no deposit in the statement: $(cat "$work/statement")"
grep -q "escrow .* -0" "$work/statement" || fail "nothing was put in escrow: $(cat "$work/statement")"
expect_exit 0 "settle" "$peer" statement --config "$work/usc.yaml" # who hosted was paid
diff <("$broker" statement isi) "$work/statement" || fail "the member and the operator see different accounts"
expect_exit 0 '"next_after": 0' isi statement --json
expect_exit 0 "closing balance (credits)  0" isi statement --to 2020-01-01
expect_exit 2 "is not a date" isi statement --from yesterday
expect_exit 2 "is after --to" isi statement --from 2026-01-02 --to 2026-01-01

# why a job waits: its owner is told, another member is not
sed -e 's/gpus: .*/gpus: {min: 8, max: 8}/' "$work/job.yaml" >"$work/large.yaml"
large=$(isi submit "$work/large.yaml")
explained() { isi explain "$large" 2>/dev/null | grep -q "no pool may run it"; }
until_true 30 explained
expect_exit 0 "\"job\": \"$large\"" isi explain "$large" --json
expect_exit 1 "there is no job $large of usc" "$peer" explain --config "$work/usc.yaml" "$large"
expect_exit 1 "is over" isi explain "$job"
isi cancel "$large" >/dev/null

# what is refused says why
expect_exit 1 "no job isi-99 here" isi show isi-99
expect_exit 1 "is done already" isi cancel "$job"
echo "comand: [x]" >"$work/typo.yaml"
expect_exit 78 "did you mean 'command'?" isi submit "$work/typo.yaml"
printf 'command: [./absent]\nfiles: [absent]\nmodel: steps\nbatch: 1\nexamples: 1\nvalue_per_example: 1\n' >"$work/bad.yaml"
expect_exit 1 "absent" isi submit "$work/bad.yaml"
expect_exit 2 "JOB" isi show
expect_exit 78 "which peer?" "$peer" status
expect_exit 0 "ledger verified" "$broker" ledger verify

# without the broker the peer says that it is the broker who is missing
stop broker
broker_gone() { ! isi explain "$job" >"$work/out" 2>&1 && grep -q "the broker .* is away" "$work/out"; }
until_true 20 broker_gone
expect_exit 1 "is away" isi statement
! grep -q "no peer answers" "$work/out" || fail "the peer is said not to answer: $(cat "$work/out")"
stop isi
expect_exit 1 "no peer answers" isi statement
start_broker
start_peer isi
