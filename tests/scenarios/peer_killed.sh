#!/usr/bin/env bash
# Claim: a peer killed with SIGKILL while files are staged, while its job runs, while a checkpoint is pushed and while
# receipts are written (as host, and as home) comes back to where it was: each job is done once, with its whole result,
# and is paid for once.
. "$(dirname "$0")/lib_federation.sh"
needs_kill

make_federation
add_member usc A100 4 0.0004
add_member isi V100 1 0.0002
write_job job.yaml 120 0.00005
sed -i -e 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' \
    -e 's/^files:.*/files: [work.sh, part1, part2, part3]/' -e 's/^results:.*/results: [result.txt, part2]/' "$work/job.yaml"
# a checkpoint of several chunks, of which each is another
sed -i 's|^keep() .*|keep() { { echo "$made $steps"; head -c 3000000 /dev/urandom; } >"$ENTENTE_CHECKPOINT.new"; mv "$ENTENTE_CHECKPOINT.new" "$ENTENTE_CHECKPOINT"; }|' \
    "$work/work.sh"

moments=("usc file:/run-chunks/@sync 3" "usc file:/run-chunks/@synced 2"      # host: a chunk of the bundle arrives
    "isi file:/chunks/bundles/@read 2"                                        # home: a chunk of it is sent
    "isi INSERT OR REPLACE INTO leases@sync" "usc INSERT OR REPLACE INTO leases@synced"
    "usc INSERT OR REPLACE INTO runs@sync 2"
    "usc file:/run-chunks/@read 6" "isi file:/jobs/@sync 2"                   # a checkpoint is sent, and arrives
    "usc INSERT INTO receipts@sync" "usc INSERT INTO receipts@synced")
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }
ended() { ! isi jobs | awk 'NR > 1 && $2 != "done" { found = 1 } END { exit !found }'; }
for moment in "${moments[@]}"; do
    name=${moment%% *} at=${moment#* } nth=1
    if [[ $at =~ \ ([0-9]+)$ ]]; then nth=${BASH_REMATCH[1]} at=${at% *}; fi
    stop "$name"
    for part in 1 2 3; do head -c 1500000 /dev/urandom >"$work/part$part"; done
    sha256sum <"$work/part2" >>"$work/brought"
    start_peer_killed_at "$name" "$at" "$nth"
    isi submit "$work/job.yaml" >>"$work/submitted" 2>/dev/null || echo again >>"$work/submitted" # it may hit isi just now
    until_killed "$name"
    start_peer "$name"
    if [ "$(tail -n 1 "$work/submitted")" = again ]; then submitted isi "$work/job.yaml"; fi
done
until_true 90 ended
jobs=$(isi jobs | awk 'NR > 1 { print $1 }')
[ "$(wc -w <<<"$jobs")" -ge "${#moments[@]}" ] || fail "jobs were lost: $(isi jobs)"
for job in $jobs; do
    isi fetch "$job" --to "$work/got" >/dev/null
    [ "$(cat "$work/got/result.txt")" = "made 120" ] || fail "$job: $(cat "$work/got/result.txt")"
    grep -qF "$(sha256sum <"$work/got/part2")" "$work/brought" || fail "$job brought home what it never had"
    rm -rf "$work/got"
done
until_true 30 settled
books_agree 2000000000
