#!/usr/bin/env bash
# Claim: `entente-economics game` reads every format (worth tables in JSON and CSV, families by their data, production
# games, markets), answers published games as published, costs as costs, says where a solution is undefined, refuses
# what is not a number and games too large for a table with what to use instead, keeps worth tables, and `game check`
# names who objects.
set -euo pipefail
economics=${ENTENTE_BIN_DIR:?}/entente-economics
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ENTENTE_CACHE_DIR=$work/cache
cd "$work"

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

expect_exit() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0
    shift 2
    "$@" >out 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "$* ended with $got, not $code: $(cat out)"
    grep -qF -- "$text" out || fail "$* does not say '$text': $(cat out)"
}

# One concept of one game in $1 (JSON or CSV text), rounded to four places, is $3.
solved() { # TEXT CONCEPT "X1 X2 ..."
    local got
    printf '%s\n' "$1" >game
    "$economics" game solve game --concepts "$2" --csv >out 2>&1 || fail "$2 of $1: $(cat out)"
    got=$(awk -F, 'NR > 1 { x = sprintf("%.4f", $4) + 0; printf "%s%s", (NR > 2 ? " " : ""), (x == 0 ? 0 : x) }' out)
    [ "$got" = "$3" ] || fail "$2 of $1 is $got, not $3"
}

# (1) worth tables in bitmask order, single and in a list; unknown keys are passed over
table='{"name": "three", "note": [1], "n": 3, "v": [0, 0, 1, 0, 1, 1, 1]}' # 12 and 13 and 23 win
solved "$table" shapley "0.3333 0.3333 0.3333"
glove='{"n": 3, "v": [0, 0, 0, 0, 1, 1, 1], "players": ["left", "left2", "right"]}' # right with any left
solved "$glove" shapley "0.1667 0.1667 0.6667"
solved "$glove" nucleolus "0 0 1"
printf '[%s, %s]\n' "$table" "$glove" >list.json
[ "$("$economics" game solve list.json --concepts shapley --json | grep -c '"shapley":')" -eq 2 ] || fail "a list is not solved whole"

# (2) CSV, names in any order; costs by the heading
solved $'coalition,worth\nusc,10\nucsd,12\n"usc,ucsd",30' shapley "14 16"
solved $'coalition,cost\na,4\nb,6\na+b,7' nucleolus "2.5 4.5"

printf '%s\n' '{1},1' '{2},2' '"{1 2}",5' >braces.csv
expect_exit 0 "3.000000" "$economics" game solve braces.csv --concepts shapley

# (3) production: two gloves' resources; Owen pays the scarce one [Owen 1975]
solved '{"A": [[1], [1]], "c": [1], "b": [[1, 0], [1, 0], [0, 1]]}' owen "0 0 1"

# (4) families: Talmud [Aumann & Maschler 1985], airport [Littlechild & Owen 1973], the UN Security Council,
# horses [Boehm-Bawerk 1891], a flow, a spanning tree
solved '{"claims": [100, 200, 300], "estate": 100}' nucleolus "33.3333 33.3333 33.3333"
solved '{"claims": [100, 200, 300], "estate": 200}' nucleolus "50 75 75"
solved '{"claims": [100, 200, 300], "estate": 300}' nucleolus "50 100 150"
solved '{"runways": [1, 2, 4]}' shapley "0.3333 0.8333 2.8333"
solved '{"quota": 39, "weights": [7, 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}' shapley \
    "0.1963 0.1963 0.1963 0.1963 0.1963 0.0019 0.0019 0.0019 0.0019 0.0019 0.0019 0.0019 0.0019 0.0019 0.0019"
solved '{"assignment": [[6, 4]]}' nucleolus "5 1 0" # between the second bid and the first
solved '{"source": "s", "sink": "t", "edges": [{"from": "s", "to": "m", "capacity": 3, "owner": 1}, {"from": "m", "to": "t", "capacity": 2, "owner": 2}]}' \
    shapley "1 1"
solved '{"tree": [[0, 5, 6], [5, 0, 2], [6, 2, 0]]}' shapley "3 4"

# (5) a market: two rivals for one GPU, 10 and 6 credits
cat >market.json <<'JSON'
{"round_seconds": 1000,
 "members": ["host", "buyer", "rival"],
 "pools": [{"id": "host/A100", "member": "host", "gpu": "A100", "gpus": 1}],
 "affinity": [{"home": "buyer", "host": "host", "value": 1}, {"home": "rival", "host": "host", "value": 1}],
 "jobs": [{"id": "b", "home": "buyer", "value": 0.01, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]},
          {"id": "r", "home": "rival", "value": 0.006, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]}]}
JSON
solved "$(cat market.json)" shapley "3 6 1" # members are players by name: buyer, host, rival
solved "$(cat market.json)" owen "2 8 0"

# every concept of every kind of game comes with what certifies it, or says why not
for game in "$table" "$glove" '{"runways": [1, 2, 4]}' '{"assignment": [[6, 4], [5, 1]]}' "$(cat market.json)"; do
    printf '%s\n' "$game" >game
    "$economics" game solve game --concepts all --json >all.json || fail "all of $game: $(cat all.json)"
    grep -q '"nucleolus_certificate"' all.json || fail "no certificate: $(cat all.json)"
done

# undefined or not unique is said, not made up
printf '%s\n' '{"n": 2, "v": [3, 4, 5]}' >game # less together than apart: no imputation
expect_exit 0 "undefined" "$economics" game solve game --concepts nucleolus
printf '%s\n' "$table" >game
expect_exit 0 "empty yes" "$economics" game solve game --concepts core
expect_exit 0 "undefined" "$economics" game solve game --concepts proportional
printf '%s\n' '{"assignment": [[6]]}' >game
expect_exit 0 "not unique" "$economics" game solve game --concepts owen

# refused by place, with the mend
for bad in '{"n": 2, "v": [1, 2, 1e999]}' '{"n": 2, "v": [1, 2, NaN]}' '{"n": 2, "v": [1, 2, "inf"]}' '{"n": 2, "v": [1, 2]}'; do
    printf '%s\n' "$bad" >game
    expect_exit 1 "game:" "$economics" game solve game
done
printf '{"n": 30, "v": [0]}\n' >game
expect_exit 1 "give a market or a linear production game" "$economics" game solve game
expect_exit 1 "did you mean 'nucleolus'?" "$economics" game solve list.json --concepts nucleolos

# who objects
printf '%s\n' "$glove" >game
expect_exit 0 "not in the core: {left2, right} objects by 0.4" "$economics" game check game --split 0.4,0.3,0.3
expect_exit 0 "in the core" "$economics" game check game --split nucleolus

# 30 players without a table: bounds that are proven, an estimate that says so, nothing else by a concept's name
awk 'BEGIN { printf "{\"A\": [[1, 2], [2, 1]], \"c\": [3, 3], \"b\": ["; for (i = 1; i <= 30; i++) printf "%s[%d, %d]", (i > 1 ? ", " : ""), i % 5 + 1, i % 3 + 1; print "]}" }' >large.json
expect_exit 0 "certified yes" "$economics" game solve large.json --concepts least-core
expect_exit 0 "estimated" "$economics" game solve large.json --concepts shapley --pairs 64
expect_exit 1 "too many for a table" "$economics" game solve large.json --concepts nucleolus
expect_exit 0 "objects by" "$economics" game check large.json --split "$(awk 'BEGIN { for (i = 1; i <= 30; i++) printf "%s1", (i > 1 ? "," : "") }')"

"$economics" game solve large.json --concepts nearest-core --pairs 64 --seconds 60 >out || fail "nearest-core: $(cat out)"
grep -q "certified yes\|not reached" out || fail "the nearest core point has no certificate: $(cat out)"
# 28 in an assignment: no table, and Owen's split of its linear program
awk 'BEGIN { printf "{\"assignment\": ["; for (i = 1; i <= 14; i++) { printf "%s[", (i > 1 ? ", " : ""); for (j = 1; j <= 14; j++) printf "%s%d", (j > 1 ? ", " : ""), i * j % 7 + 1; printf "]" } print "]}" }' >pairs.json
expect_exit 0 "dual prices" "$economics" game solve pairs.json --concepts owen,core
# Ctrl-C: the estimate so far (the shell gives background commands no SIGINT, so timeout sends it)
expect_exit 124 "estimated" timeout --signal=INT 3 "$economics" game solve large.json --concepts shapley --half-width 1e-9 --seconds 3000

# a worth table is kept, and taken from there
"$economics" market generate -d 15 -j 30 -s 3 -o fifteen.json
"$economics" game solve fifteen.json --concepts shapley --csv >first
[ "$(find cache -name 'worth-*.table' | wc -l)" -eq 1 ] || fail "no table was kept"
"$economics" game solve fifteen.json --concepts shapley --csv >second
"$economics" game solve fifteen.json --concepts shapley --csv --no-cache >third
cmp first second && cmp first third || fail "the kept table gives another answer"
printf 'x' | dd of="$(find cache -name 'worth-*.table')" bs=1 seek=4000 conv=notrunc 2>/dev/null # a damaged one is none
"$economics" game solve fifteen.json --concepts shapley --csv >fourth
cmp first fourth || fail "a damaged table was used"
echo "ok"
