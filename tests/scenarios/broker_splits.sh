#!/usr/bin/env bash
# Claim: a federation that shares its gain by Shapley pays what it fixed beside the prices, out of escrow and scaled by
# what was delivered; each round replays and its audit agrees; `round show --splits all` says what every split would have
# given and who would object; a mechanism that is not there, or that nobody funds, is refused.
extra_config='split: {mechanism: shapley}'
. "$(dirname "$0")/lib_federation.sh"

make_federation
add_member usc A100 2 0.0004
add_member isi V100 2 0.0002
add_member ucsd V100 1 0.0003
for job in "usc 300 0.00009" "isi 300 0.00008" "isi 250 0.00005" "ucsd 200 0.00007"; do
    read -r home examples value <<<"$job"
    write_job "$home.job.yaml" "$examples" "$value"
    sed -i 's/^gpus:.*/gpus: {min: 1, max: 1}/' "$work/$home.job.yaml"
    "$peer" submit --config "$work/$home.yaml" "$work/$home.job.yaml" >/dev/null
done
until_true 90 jobs_done usc 1
until_true 90 jobs_done isi 2
until_true 90 jobs_done ucsd 1
until_true 60 settled

# a round in which something was paid beside the prices
paid_in() { # ROUND
    "$broker" round show "$1" --splits owen --json 2>/dev/null |
        grep '"mechanism": "shapley"' | grep -Eq '"side_micros": \[[-0-9, ]*[1-9]'
}
round=0
newest=$("$broker" round list | awk '$1 ~ /^[0-9]+$/ { print $1; exit }')
for number in $(seq 1 "$newest"); do
    if paid_in "$number"; then round=$number; fi
done
[ "$round" -gt 0 ] || fail "no round of $newest paid anything beside the prices: $("$broker" round list)"
expect_exit 0 "Split: shapley" "$broker" round show "$round"

# what each split would have given, and who would object: every mechanism, the chosen one marked
"$broker" round show "$round" --splits all >"$work/splits"
for word in owen '\*shapley' nucleolus nearest-core proportional equal vcg 'who would object' usc; do
    grep -q -- "$word" "$work/splits" || fail "--splits all lacks $word: $(cat "$work/splits")"
done
"$broker" round show "$round" --splits all --json >"$work/splits.json"
! command -v python3 >/dev/null || python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert len(r["splits"]) >= 10 and [s["mechanism"] for s in r["splits"] if s["chosen"]] == ["shapley"]
for s in r["splits"]:
    if s["payoff_micros"] is None:
        assert s["remark"]
        continue
    assert sum(s["payoff_micros"]) == r["objective_micros"] + s["funding_micros"], s
    assert sum(s["side_micros"]) == s["funding_micros"], s
    assert s["reach_micros"] - s["have_micros"] == (s["epsilon_micros"] if s["objecting"] else 0), s
' "$work/splits.json" || fail "--splits all --json does not add up: $(cat "$work/splits.json")"
expect_exit 2 "did you mean 'nucleolus'?" "$broker" round show "$round" --splits nucleolos

# the ledger: zero in sum, side payments posted and nothing left in escrow; plans replay, audits agree
"$broker" ledger verify >/dev/null || fail "the ledger does not verify"
for member in usc isi ucsd; do "$broker" statement "$member"; done >"$work/statements"
grep -q " side .*round [0-9]* side payments" "$work/statements" || fail "nobody was paid beside the prices: $(cat "$work/statements")"
expect_exit 0 "" "$broker" replay "$round"
expect_exit 0 "agrees" "$broker" audit "$round"

# refused by name
sed -i 's/^split:.*/split: {mechanism: shapely}/' "$work/broker.yaml"
expect_exit 78 "did you mean 'shapley'?" "$broker" run
sed -i 's/^split:.*/split: {mechanism: vcg}/' "$work/broker.yaml"
expect_exit 78 "name the account that funds it" "$broker" run
echo "ok: shared by Shapley, round $round of $newest"
