#!/usr/bin/env bash
# Claim: a broker put back from a backup taken while jobs ran loses no job and no micro-credit of what its members hold:
# it waits for each of them, knows leases of after the backup again, and settles receipts anew; an old copy put back by
# hand is found out by the heads that peers keep.
. "$(dirname "$0")/lib_federation.sh"

balances() {
    "$broker" member list --json | awk -F'[:,]' '/"(balance|escrow)_micros"/ { sum += $2 } END { printf "%d", sum }'
}

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
"$broker" backup "$work/backup.db" | grep -q "holds the broker's keys" || fail "backup does not say that it has keys"
expect_exit 1 "is there already" "$broker" backup "$work/backup.db"
expect_exit 1 "another broker runs" "$broker" restore "$work/backup.db"

# after the backup: jobs are done, settled and running
write_job short.yaml 300 0.00005
write_job long.yaml 4000 0.00005
"$peer" submit --config "$work/isi.yaml" "$work/short.yaml" >/dev/null
until_true 60 jobs_done isi 1
until_true 30 settled
"$peer" submit --config "$work/isi.yaml" "$work/long.yaml" >/dev/null
"$peer" submit --config "$work/usc.yaml" "$work/long.yaml" >/dev/null
until_true 30 jobs_running 2
before=$("$broker" statement usc --json | awk -F'[:,]' '/"closing_micros"/ { printf "%d", $2 }')
stop broker KILL

# an old copy, put back without 'restore', is refused by its peers and proved wrong by their heads
for member in usc isi; do "$peer" ledger-head --config "$work/$member.yaml" >>"$work/heads.txt"; done
grep -q '^entente-ledger-head ' "$work/heads.txt" || fail "peers keep no head"
expect_exit 0 "ledger verified" "$broker" ledger verify --heads "$work/heads.txt"
mkdir "$work/aside" && cp "$work"/state/broker.db* "$work/aside/"
rm "$work"/state/broker.db* && cp "$work/backup.db" "$work/state/broker.db"
expect_exit 1 "entries were removed, or an old copy was put back" "$broker" ledger verify --heads "$work/heads.txt"
rm -f "$work"/state/broker.db* && cp "$work"/aside/broker.db* "$work/state/"

# the state is newer than the backup: that must be said
expect_exit 1 "say --replace-newer" "$broker" restore "$work/backup.db"
expect_exit 0 "No market is cleared before" "$broker" restore "$work/backup.db" --replace-newer
expect_exit 0 "ledger verified" "$broker" ledger verify
stop isi TERM
start_broker
until_true 20 grep -q "member usc has reported everything" "$work/broker.log"
"$broker" status >"$work/out"
grep -q "no market yet: 1 members" "$work/out" || fail "the market does not wait for isi: $(cat "$work/out")"
start_peer isi
until_true 60 grep -q "every member has reported" "$work/broker.log"
expect_exit 0 "were lost with a restore" "$broker" status
expect_exit 0 "were lost with a restore" "$broker" ledger verify
until_true 120 jobs_done isi 2
until_true 120 jobs_done usc 1
until_true 60 settled
expect_exit 0 "ledger verified" "$broker" ledger verify
[ "$(balances)" -eq 2000000000 ] || fail "members have $(balances) micro-credits, 2000000000 were deposited"
after=$("$broker" statement usc --json | awk -F'[:,]' '/"closing_micros"/ { printf "%d", $2 }')
[ "$after" -ge "$before" ] || fail "usc was paid $before before the restore and has $after after it"
