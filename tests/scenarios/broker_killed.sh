#!/usr/bin/env bash
# Claim: a broker killed with SIGKILL inside the commit of a round, inside the dispatch of its leases and inside a
# settlement (before, within and just after each reached the disk) loses nothing and doubles nothing: every job is done,
# every receipt paid once, ledger, certificates and stored rounds agree.
. "$(dirname "$0")/lib_federation.sh"
needs_kill

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
write_job job.yaml 60 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1}/' "$work/job.yaml"

jobs=0
moments=("INSERT INTO rounds@before" "INSERT INTO rounds@sync" "INSERT INTO rounds@synced"
    "INSERT INTO events@synced" "FROM events@send" "FROM events@sent"
    "INSERT INTO receipts@before" "INSERT INTO receipts@sync" "INSERT INTO receipts@synced")
for moment in "${moments[@]}"; do
    stop broker
    start_broker_killed_at "$moment"
    for member in usc isi; do
        submitted "$member" "$work/job.yaml"
    done
    jobs=$((jobs + 1))
    until_killed broker
    expect_exit 0 "ledger verified" "$broker" ledger verify # the file alone answers
    start_broker
done
until_true 60 jobs_done usc "$jobs"
until_true 60 jobs_done isi "$jobs"
until_true 30 settled
books_agree 2000000000
