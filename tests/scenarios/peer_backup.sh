#!/usr/bin/env bash
# Claim: a peer that is put back from an old backup is found out by the broker and says what to do; restored as another
# incarnation it gives up what it forgot, as host (the job goes on elsewhere or there anew, its GPUs are free at once)
# and as home (what ran for it is stopped): every job that is known is done, nothing is paid twice.
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
add_member isi V100 1 0.0009
write_job short.yaml 100 0.00005
write_job long.yaml 900 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/short.yaml" "$work/long.yaml"
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }
all_done() { ! isi jobs | awk 'NR > 1 && $2 != "done" { found = 1 } END { exit !found }'; }
back_up() { stop "$1" && rm -rf "$work/backup" && cp -a "$work/state-$1" "$work/backup" && start_peer "$1"; }
put_back() { stop "$1" KILL && rm -rf "$work/state-$1" && cp -a "$work/backup" "$work/state-$1"; }
shims() { pgrep -f "run-shim $work/state-usc" | wc -l; }
none_runs() { [ "$(shims)" -eq 0 ]; }

# the host: a job of after the backup runs there when it is put back
isi submit "$work/short.yaml" >/dev/null
until_true 60 jobs_done isi 1
back_up usc
isi submit "$work/long.yaml" >/dev/null
until_true 30 jobs_running 1
put_back usc
start_peer usc
until_true 20 grep -q "run 'entente-peer restored'" "$work/usc.log"
expect_exit 1 "another peer runs" "$peer" restored --config "$work/usc.yaml"
stop usc
until_true 30 none_runs # nobody would have adopted it
expect_exit 0 "incarnation" "$peer" restored --config "$work/usc.yaml"
start_peer usc
until_true 60 grep -q "member usc began anew" "$work/broker.log"
until_true 90 jobs_done isi 2

# the home: a job of after the backup runs for it when it is put back
back_up isi
isi submit "$work/long.yaml" >/dev/null
until_true 30 jobs_running 1
put_back isi
expect_exit 0 "incarnation" "$peer" restored --config "$work/isi.yaml"
start_peer isi
until_true 30 none_runs
isi submit "$work/short.yaml" >"$work/name"
[ "$(cat "$work/name")" != isi-3 ] || fail "a name was given twice"
until_true 60 all_done
isi fetch isi-2 --to "$work/got" >/dev/null
[ "$(cat "$work/got/result.txt")" = "made 900" ] || fail "result: $(cat "$work/got/result.txt")"
not_running() { ! "$broker" leases | awk '$2 == "running" || $2 == "granted" || $2 == "holdover" { found = 1 } END { exit !found }'; }
until_true 60 not_running # a receipt that nobody signs any more waits for a day
books_agree 2000000000
