#!/usr/bin/env bash
# Claim: a job submitted at its home runs at the host where it gains most, its log, result and checkpoint come home, and
# what it held is settled by a receipt that both signed; commands answer in JSON and with the documented exit codes.
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
isi fetch "$job" --to "$work/got" >/dev/null
[ "$(cat "$work/got/result.txt")" = "made 400" ] || fail "result: $(cat "$work/got/result.txt")"
isi logs "$job" >/dev/null
until_true 30 settled
"$broker" leases | awk -v job="$job" '$3 == job && $2 == "settled" && $10 > 0 { paid = 1 } END { exit !paid }' ||
    fail "nothing was paid: $("$broker" leases)"
! grep -q "not countersigned\|did not sign" "$work"/*.log || fail "a receipt was not countersigned"
until_true 20 sh -c "'$peer' status --config '$work/usc.yaml' | grep -q '0 receipts not settled'"

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
