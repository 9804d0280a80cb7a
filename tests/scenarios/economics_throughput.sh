#!/usr/bin/env bash
# Claim: `entente-economics throughput` goes from rows to a model, a prediction, an evaluation and a recommendation; names
# each bad row with its line; gives the same file twice; and says what it doesn't know.
set -euo pipefail
economics=${ENTENTE_BIN_DIR:?}/entente-economics
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

expect_exit() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0
    shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "$* ended with $got, not $code: $(cat "$work/out")"
    grep -qF -- "$text" "$work/out" || fail "$* does not say '$text': $(cat "$work/out")"
}

# A pass takes 10 ms and 1 ms an example, synchronising 20 ms a node beyond the first; 1% of noise from a fixed sequence.
awk 'BEGIN {
    srand(6); print "model,gpu_cluster,num_nodes,num_replicas,local_bsz,step_time_s"
    for (c = 1; c <= 2; c++) for (m = 1; m <= 3; m++) for (n = 1; n <= 4; n++) for (g = 1; g <= 4; g++) for (b = 8; b <= 128; b *= 2)
        printf "job%d,site%d,%d,%d,%d,%.6f\n", m, c, n, n * g, b, c * m * (0.01 + 0.001 * b + (n > 1 ? 0.02 * n : 0)) * (0.99 + 0.02 * rand())
}' >"$work/rows.csv"
cp "$work/rows.csv" "$work/bad.csv"
printf 'job1,site1,1,1,8,0\njob1,site1,1,1,8,\njob1,site1,4,2,8,1\n' >>"$work/bad.csv"
first=$(($(wc -l <"$work/rows.csv") + 1))

expect_exit 0 "480 rows fitted, 0 skipped; 3 models on 2 clusters" "$economics" throughput fit "$work/rows.csv" --out "$work/model.json"
expect_exit 0 "left at prior" "$economics" throughput fit "$work/rows.csv" --out "$work/again.json"
cmp "$work/model.json" "$work/again.json" || fail "one file of rows gave two models"
expect_exit 0 "bad.csv:$first: skipped: a step of 0 s" "$economics" throughput fit "$work/bad.csv" --out "$work/again.json"
expect_exit 0 "bad.csv:$((first + 2)): skipped: 4 nodes for 2 GPUs" "$economics" throughput fit "$work/bad.csv" --out "$work/again.json"
cmp "$work/model.json" "$work/again.json" || fail "skipped rows changed the model"
expect_exit 1 "bad.csv:$first: a step of 0 s" "$economics" throughput fit "$work/bad.csv" --out "$work/none.json" --strict
[ ! -e "$work/none.json" ] || fail "a refused file left a model"

asked=(--job job2 --gpu site1 --gpus 8 --nodes 4 --batch 32)
expect_exit 0 "within what was measured" "$economics" throughput predict "$work/model.json" "${asked[@]}"
expect_exit 0 '"evidence": "measured"' "$economics" throughput predict "$work/model.json" "${asked[@]}" --json
jq -e '.step_seconds > 0.21 and .step_seconds < 0.28 and .step_seconds_low < .step_seconds and .step_seconds < .step_seconds_high' \
    "$work/out" >/dev/null || fail "a step of 0.244 s is not predicted: $(cat "$work/out")"
expect_exit 1 "--link site1=GBPS" "$economics" throughput predict "$work/model.json" "${asked[@]}" --network 5
expect_exit 0 "analysed, exponential" "$economics" throughput predict "$work/model.json" "${asked[@]}" --servers 2 --asynchronous
expect_exit 0 "never measured" "$economics" throughput predict "$work/model.json" --job new --gpu site1 --gpus 1 --batch 8
expect_exit 2 "--gpus and --batch are needed" "$economics" throughput predict "$work/model.json" --job job1 --gpu site1
expect_exit 1 "no throughput model" "$economics" throughput predict <(echo '{"format": "x"}') "${asked[@]}"

expect_exit 0 "in 90% interval" "$economics" throughput evaluate "$work/rows.csv" --split extrapolate:4
expect_exit 0 '"overall"' "$economics" throughput evaluate "$work/rows.csv" --split folds --json
jq -e '.overall | .rows == 480 and .median_ape < 5 and .coverage90 > 70' "$work/out" >/dev/null || fail "folds: $(cat "$work/out")"
jq -e '.pairs | length == 6 and all(.[]; .model and .cluster and .rows and .median_ape and .mean_ape and .coverage90)' \
    "$work/out" >/dev/null || fail "pairs: $(cat "$work/out")"
expect_exit 1 "leave-cluster:ROWS" "$economics" throughput evaluate "$work/rows.csv" --split halves

expect_exit 0 "cheapest first" "$economics" throughput recommend "$work/model.json" --job job1 --gpu site1=0.01 --deadline 10000
expect_exit 0 "Goodput" "$economics" throughput recommend "$work/model.json" --job job1 --noise-scale 500 --base-batch 32
expect_exit 0 '"meets": true' "$economics" throughput recommend "$work/model.json" --job job1 --budget 100000 --json
expect_exit 0 "none of" "$economics" throughput recommend "$work/model.json" --job job1 --deadline 0.001
expect_exit 1 "no job 'job9'" "$economics" throughput recommend "$work/model.json" --job job9
echo "throughput: ok"
