#!/usr/bin/env bash
# Claim: a host that drains lets a job go at the end of its lease; the job goes on elsewhere from its checkpoint, not from
# nothing. A peer configured to stop its jobs leaves none running, and an operator's SIGTERM loses no work.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
write_job job.yaml 1500 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1}/' "$work/job.yaml"
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }
at() { isi jobs | awk -v job="$job" -v host="$1" '$1 == job && $2 == "running" && $3 == host { found = 1 } END { exit !found }'; }

job=$(isi submit "$work/job.yaml")
until_true 30 at usc # twice as fast there
sleep 3
"$peer" drain --config "$work/usc.yaml" >/dev/null
until_true 30 at isi
done_before=$(isi show "$job" | awk '$1 == "progress" { print $2 }')
[ "$done_before" -ge 200 ] || fail "it began again: $done_before examples"

# stopped with its jobs: the checkpoint is at home, and usc is where it goes on
"$peer" drain --config "$work/usc.yaml" --off >/dev/null
echo "jobs_on_exit: stop" >>"$work/isi.yaml"
stop isi # read when it starts
start_peer isi
until_true 30 at isi
stop isi
grep -q "asked to write a checkpoint" "$work/isi.log" || fail "jobs were not asked to stop"
! pgrep -f "run-shim $work" >/dev/null || fail "a job outlived a peer that stops its jobs: $(pgrep -af "run-shim $work")"
start_peer isi
until_true 90 jobs_done isi 1
isi fetch "$job" --to "$work/got" >/dev/null
made=$(awk '{ print $2 }' "$work/got/result.txt") # in steps of ten or five, from where it was stopped
[ "$made" -ge 1500 ] && [ "$made" -lt 1510 ] || fail "made $made examples of 1500"
until_true 30 settled
expect_exit 0 "ledger verified" "$broker" ledger verify
