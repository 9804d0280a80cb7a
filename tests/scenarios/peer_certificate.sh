#!/usr/bin/env bash
# Claim: certificates renew by themselves at two thirds of their life: a job runs on, watched, over several lives of its
# home's and its host's certificates, and key files are readable by their owner alone.
. "$(dirname "$0")/lib_federation.sh"

make_federation
stop broker
echo 'certificates: {member: 9s}' >>"$work/broker.yaml"
start_broker
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
write_job job.yaml 2000 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
job=$("$peer" submit --config "$work/isi.yaml" "$work/job.yaml")
until_true 90 jobs_done isi 1
for member in usc isi; do
    renewals=$(grep -c "certificate was renewed" "$work/$member.log")
    [ "$renewals" -ge 2 ] || fail "$member renewed $renewals times in 20 s of 9 s lives"
    [ "$(stat -c %a "$work/state-$member/identity")" = 700 ] || fail "identity directory is open"
    [ "$(stat -c %a "$work/state-$member/identity/member.pem")" = 600 ] || fail "the key is open"
    [ "$(stat -c %a "$work/state-$member/identity/signing.key")" = 600 ] || fail "the signing key is open"
    [ "$(stat -c %a "$work/state-$member/peer.sock")" = 660 ] || fail "the socket's mode is wrong"
done
"$peer" show --config "$work/isi.yaml" "$job" | grep -q '^starts  *1' || fail "it was started again"
until_true 30 settled
