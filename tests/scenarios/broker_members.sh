#!/usr/bin/env bash
# Claim: only who holds a good token joins, once; a member that isn't approved waits; a suspended one finishes what
# runs and gets nothing new; a revoked one is shut out and its jobs' money comes back.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 4 0.0004

# a token with another federation's pin is not even sent
write_peer isi V100 4 0.0002
token=$(token isi)
other=$(printf '%s' "$token" | awk -F. '{ gsub(/./, "0", $2); print $1 "." $2 "." $3 }')
expect_exit 1 "Nothing was sent" "$peer" join --config "$work/isi.yaml" --broker "$(address enrolment)" --token "$other"

# without approval it waits; approved, the same token goes on
"$peer" join --config "$work/isi.yaml" --broker "$(address enrolment)" --token "$token" --wait 60s \
    >"$work/join.out" 2>&1 &
pids[join]=$!
until_true 20 sh -c "'$broker' member list | grep -q '^isi  *pending'"
"$broker" member approve isi >/dev/null
wait "${pids[join]}" || fail "approved, and did not join: $(cat "$work/join.out")"
unset "pids[join]"
expect_exit 1 "can't approve member isi: it is active" "$broker" member approve isi
start_peer isi
until_true 20 member_heard isi

# used up: nobody else joins with it
sed 's/state-isi/state-thief/' "$work/isi.yaml" >"$work/thief.yaml"
expect_exit 1 "" "$peer" join --config "$work/thief.yaml" --broker "$(address enrolment)" --token "$token" --wait 1s

# suspended: what runs goes on to its end, nothing new begins
write_job job.yaml 100000 0.00005
"$broker" member deposit isi 1000 --reference start >/dev/null
"$peer" submit --config "$work/isi.yaml" "$work/job.yaml" >/dev/null
until_true 30 jobs_running 1
"$broker" member suspend isi >/dev/null
"$peer" submit --config "$work/isi.yaml" "$work/job.yaml" >/dev/null
until_true 30 settled
[ "$("$broker" leases | grep -c 'isi-2')" -eq 0 ] || fail "a suspended member got a new lease"
"$broker" member resume isi >/dev/null
until_true 30 jobs_running 2

# revoked: shut out; leases stop, and nothing stays in escrow
"$broker" member revoke isi >/dev/null
until_true 20 grep -q "isi is revoked" "$work/isi.log"
until_true 30 sh -c "'$broker' jobs | awk '\$2 == \"isi\" && \$3 != \"ended\" { bad = 1 } END { exit bad }'"
expect_exit 1 "it is revoked" "$broker" member resume isi
expect_exit 0 "ledger verified" "$broker" ledger verify
