#!/usr/bin/env bash
# Claim: what `market generate` writes, `market solve` solves, `market check` proves, and another solver agrees with to
# 1e-6 on what `market export` wrote; a plan tampered with ends with 1 and what is wrong.
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

tampered() { # SED-EXPRESSION TEXT
    sed -E "$1" "$work/rivals.plan" >"$work/tampered.plan"
    ! cmp -s "$work/rivals.plan" "$work/tampered.plan" || fail "'$1' changes nothing"
    expect_exit 1 "$2" "$economics" market check "$work/rivals.json" "$work/tampered.plan"
}

agree_with_glpsol() { # NAME
    "$economics" market export "$work/$1.json" --mps "$work/$1.mps"
    glpsol --freemps "$work/$1.mps" -o "$work/$1.out" >"$work/log" 2>&1 || fail "glpsol: $(cat "$work/log")"
    awk -v bound="$(sed -nE 's/^ *"upper_bound": ([^,]*),?$/\1/p' "$work/$1.plan")" '
        $1 == "Status:" && $2 != "OPTIMAL" { print "glpsol: " $0; bad = 1 }
        $1 == "Objective:" { found = 1; off = -$4 - bound; if (off < 0) off = -off
            if (off > 1e-6 * (bound > 1 ? bound : 1)) { print "glpsol " -$4 ", market solve " bound; bad = 1 } }
        END { exit bad || !found }' "$work/$1.out" || fail "$1: another optimum"
}

cat >"$work/rivals.json" <<'JSON'
{"round_seconds": 1000,
 "members": ["host", "buyer", "rival"],
 "pools": [{"id": "host/A100", "member": "host", "gpu": "A100", "gpus": 1}],
 "affinity": [{"home": "buyer", "host": "host", "value": 1}, {"home": "rival", "host": "host", "value": 1}],
 "jobs": [{"id": "b", "home": "buyer", "value": 0.01, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]},
          {"id": "r", "home": "rival", "value": 0.006, "configurations": [{"pool": "host/A100", "gpus": 1, "throughput": 1}]}]}
JSON
"$economics" market solve --json "$work/rivals.json" >"$work/rivals.plan"
expect_exit 0 "proved by the prices over all 2" "$economics" market check "$work/rivals.json" "$work/rivals.plan"
tampered 's/"job": "b"/"job": "r"/' "objective: 10, but the plan is worth 6"
tampered 's/"job": "b"/"job": "x"/' "plan[0].job: the instance has no job 'x'"
tampered 's/"gpus": 1/"gpus": 2/' "plan[0]: the instance does not allow"
tampered 's/"share": 1.0/"share": 0.5/' "objective: 10, but the plan is worth 5"
tampered 's/"objective": 10/"objective": 11/' "objective: 11"
tampered 's/"upper_bound": 10/"upper_bound": 9/' "upper_bound: 9 is not proved; the prices prove 10"
tampered 's/"gap": 0/"gap": 1/' "gap: 1"
tampered 's/"host\/A100": 0.008/"host\/A100": 0.009/' "prices.host/A100: 0.009"
tampered 's/"buyer": 2/"buyer": 3/' "payoffs: they add up to 11"
tampered '1s/^\{/{"objective": 10,/' "objective"

"$economics" market generate --datacenters 12 --jobs 150 --seed 3 --out "$work/made.json"
"$economics" market generate --datacenters 12 --jobs 150 --seed 3 | cmp - "$work/made.json"
"$economics" market solve --json "$work/made.json" >"$work/made.plan"
expect_exit 0 "payoffs      add up" "$economics" market check "$work/made.json" "$work/made.plan"
"$economics" market solve --json --gangs "$work/made.json" >"$work/whole.plan"
expect_exit 0 "payoffs      add up" "$economics" market check "$work/made.json" "$work/whole.plan"
expect_exit 1 "prices.host/A100" "$economics" market check "$work/rivals.json" "$work/made.plan"

# The compact form says the same: to the byte there and back, and solved to the same plan.
"$economics" market generate --datacenters 12 --jobs 150 --seed 3 --compact --out "$work/made.market"
"$economics" market convert "$work/made.json" | cmp - "$work/made.market" || fail "convert writes another compact form"
"$economics" market convert "$work/made.market" | cmp - "$work/made.json" || fail "convert writes another JSON"
expect_exit 0 "payoffs      add up" "$economics" market check "$work/made.market" "$work/made.plan"
[ $(($(stat -c %s "$work/made.market") * 4)) -lt "$(stat -c %s "$work/made.json")" ] || fail "the compact form is not compact"
sed 's/^job j0000003 dc[0-9]*/job j0000003 dc9999/' "$work/made.market" >"$work/wrong.market"
expect_exit 1 "home: no member 'dc9999'" "$economics" market solve "$work/wrong.market"
grep -qE 'wrong.market:[0-9]+:14: ' "$work/out" || fail "no line and column: $(cat "$work/out")"
head -c 5000 "$work/made.market" >"$work/cut.market"
expect_exit 1 "cut.market" "$economics" market solve "$work/cut.market"

# A later round from the state of the former one: another optimum, proved as the first was.
"$economics" market generate --datacenters 12 --jobs 150 --seed 3 --changed 0.05 --compact --out "$work/later.market"
"$economics" market solve --json --warm "$work/state" "$work/made.market" >"$work/first.plan"
"$economics" market solve --json --warm "$work/state" "$work/later.market" >"$work/later.plan"
expect_exit 0 "payoffs      add up" "$economics" market check "$work/later.market" "$work/later.plan"
head -c 20 "$work/state" >"$work/damaged"
expect_exit 1 "damaged" "$economics" market solve --warm "$work/damaged" "$work/later.market"

# Any number of threads, the same plan; the fast method's gap is proved too.
for threads in 1 3; do
    "$economics" market solve --json --method fast --threads $threads "$work/made.market" |
        sed '/"seconds": {/,/}/d; /"cpu_seconds": {/,/}/d' >"$work/threads.$threads"
done
cmp "$work/threads.1" "$work/threads.3" || fail "three threads find another plan than one"
"$economics" market solve --json --method fast "$work/made.market" >"$work/fast.plan"
expect_exit 0 "proved by the prices" "$economics" market check "$work/made.market" "$work/fast.plan"

# Fair plans: feasible, and paid at the welfare LP's prices.
for objective in max-min proportional; do
    "$economics" market solve --json --objective $objective "$work/made.market" >"$work/fair.plan"
    expect_exit 0 "payoffs      add up" "$economics" market check "$work/made.market" "$work/fair.plan"
done

expect_exit 2 "datacenters: '-1'" "$economics" market generate --datacenters -1
expect_exit 1 "datacenters: 0" "$economics" market generate --datacenters 0
expect_exit 1 "can't be written" "$economics" market generate --out "$work/none/x.json"
expect_exit 2 "--mps OUT is missing" "$economics" market export "$work/rivals.json"
expect_exit 2 "PLAN is missing" "$economics" market check "$work/rivals.json"

# Public traces: two pods, one of which may run on two models of four.
printf 'sn,gpu,model\na,2,P100\nb,4,V100M16\nc,4,V100M32\nd,8,T4\n' >"$work/nodes.csv"
printf 'name,num_gpu,gpu_spec,qos,creation_time,deletion_time\np,2,V100M16|V100M32,LS,0,100\nq,1,,BE,0,100\n' >"$work/pods.csv"
expect_exit 0 "2 jobs; left out: 0 without GPUs" \
    "$economics" market import alibaba "$work/nodes.csv" "$work/pods.csv" --members 2 --out "$work/trace.json"
"$economics" market solve --json "$work/trace.json" >"$work/trace.plan"
expect_exit 0 "of 6 allowed" "$economics" market check "$work/trace.json" "$work/trace.plan"
expect_exit 2 "alibaba takes two files: NODES and PODS" "$economics" market import alibaba "$work/nodes.csv"
expect_exit 2 "neither alibaba nor philly" "$economics" market import slurm "$work/nodes.csv"
expect_exit 1 "nodes.csv:1: the heading has no column" "$economics" market import philly "$work/nodes.csv" --out "$work/no.json"
[ ! -e "$work/no.json" ] || fail "half an instance is left behind"

# What no instance may hold, and more than any may.
sed 's/"value": 0.01/"value": NaN/' "$work/rivals.json" >"$work/nan.json"
expect_exit 1 "nan.json:5:" "$economics" market check "$work/nan.json" "$work/rivals.plan"
sed 's/"value": 0.01/"value": 1e999/' "$work/rivals.json" >"$work/infinite.json"
expect_exit 1 "infinite.json: jobs[0].value: inf is not within" "$economics" market export "$work/infinite.json" --mps -
sed 's/"id": "r"/"id": "b"/' "$work/rivals.json" >"$work/twice.json"
expect_exit 1 "jobs[1]: 'b' is there already" "$economics" market export "$work/twice.json" --mps -
sed 's/"home": "rival", "value"/"home": "nobody", "value"/' "$work/rivals.json" >"$work/nobody.json"
expect_exit 1 "jobs[1].home: no member 'nobody'" "$economics" market export "$work/nobody.json" --mps -
truncate -s 5G "$work/huge.json" # no byte of it is on disk
expect_exit 1 "huge.json: larger than" "$economics" market solve "$work/huge.json"
expect_exit 1 "huge.json: larger than" "$economics" market check "$work/rivals.json" "$work/huge.json"
expect_exit 1 "huge.json: has 5368709120 bytes, over the limit" "$economics" market import philly "$work/huge.json" --out "$work/no.json"

if command -v glpsol >/dev/null; then
    agree_with_glpsol rivals
    agree_with_glpsol made
    agree_with_glpsol trace
    echo "market files: ok"
else
    echo "market files: ok; glpsol isn't installed: the exported LP was not solved by another solver"
fi
