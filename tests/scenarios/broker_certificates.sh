#!/usr/bin/env bash
# Claim: certificates of seconds renew by themselves, the members' and the broker's, several times over while a job
# runs: it is started once, and nobody's connection is lost for it.
. "$(dirname "$0")/lib_federation.sh"

write_config 127.0.0.1:0
echo 'certificates: {member: 6s, broker: 6s}' >>"$work/broker.yaml"
"$broker" init >/dev/null
start_broker
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
write_job job.yaml 1500 0.00005
"$peer" submit --config "$work/isi.yaml" "$work/job.yaml" >/dev/null
until_true 90 jobs_done isi 1

renewals() { grep -c "$1" "$work/broker.log" || true; }
[ "$(renewals "member usc renewed")" -ge 1 ] || fail "usc's certificate was never renewed"
[ "$(renewals "member isi renewed")" -ge 1 ] || fail "isi's certificate was never renewed"
until_true 30 grep -q "renewed the broker's certificate" "$work/broker.log"
sleep 7 # every certificate from before is over now
expect_exit 0 "2 connected" "$broker" status
starts=$("$peer" jobs --config "$work/isi.yaml" --json | awk -F'[:,]' '/"starts"/ { print $2 + 0; exit }')
[ "$starts" -eq 1 ] || fail "the job was started $starts times"
if grep -E "does not answer|broke:" "$work"/*.log; then fail "a connection was lost"; fi
