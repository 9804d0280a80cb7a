#!/usr/bin/env bash
# Claim: killed with SIGKILL while a job runs, its host adopts it and its home watches it again: the job is started once,
# over several renewals, and is paid for once.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
write_job job.yaml 1800 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
job=$("$peer" submit --config "$work/isi.yaml" "$work/job.yaml")
until_true 30 jobs_running 1

stop usc KILL
start_peer usc
until_true 10 grep -q "adopted the run of job $job" "$work/usc.log"
sleep 2
stop isi KILL
start_peer isi
until_true 60 jobs_done isi 1
"$peer" show --config "$work/isi.yaml" "$job" | grep -q '^starts  *1' || fail "it was started again"
"$peer" fetch --config "$work/isi.yaml" "$job" --to "$work/got" >/dev/null
[ "$(cat "$work/got/result.txt")" = "made 1800" ] || fail "result: $(cat "$work/got/result.txt")"
until_true 30 settled
expect_exit 0 "ledger verified" "$broker" ledger verify
