#!/usr/bin/env bash
# The demo: a broker and three datacenters on this machine, some thirty training jobs, and what became of them.
# Everything is real but the GPUs, which are declared: processes, mutual TLS, leases, sandboxes, training, ledger.
# Usage: run.sh BIN [--keep]. Leaves nothing behind but, with --keep, the running federation and its folder.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=${1:?usage: run.sh BIN [--keep]}
keep=${2:-}
broker=$bin/entente-broker
peer=$bin/entente-peer
trainer=$bin/entente-trainer
jobs_wanted=${ENTENTE_DEMO_JOBS:-30}
seconds_max=${ENTENTE_DEMO_SECONDS:-300}

# member, GPU kind, nodes, GPUs a node, speed factor, marginal cost in credits per GPU-second
members=(
    "usc A100 1 8 1.0 0.00030"
    "ucsd V100 2 4 0.6 0.00020"
    "ucla T4 2 4 0.3 0.00010"
)

state=$(mktemp -d "${TMPDIR:-/tmp}/entente-demo-XXXXXX")
pids=()

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() {
    echo "demo: $*" >&2
    tail -n 5 "$state"/*.log >&2 2>/dev/null || true
    exit 1
}

stop_all() { # peers first: they stop their jobs and leave their receipts in order
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${pids[i]}" 2>/dev/null || true
    done
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        wait "${pids[i]}" 2>/dev/null || true
    done
}
finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ "$keep" = --keep ] && [ "$code" -eq 0 ]; then
        return
    fi
    stop_all
    if [ "$code" -eq 0 ]; then
        rm -rf "$state"
    else
        echo "demo: failed; its logs are in $state" >&2
    fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

start() { # NAME PROGRAM ARGUMENT...: runs it, waits for its "ready"
    local name=$1 i
    shift
    "$@" >"$state/$name.out" 2>"$state/$name.log" &
    pids+=($!)
    for ((i = 0; i < 150; i++)); do
        grep -q '^ready' "$state/$name.out" && return
        kill -0 "${pids[-1]}" 2>/dev/null || die "$name did not start"
        sleep 0.1
    done
    die "$name was not ready within 15 s"
}

# --- the federation ------------------------------------------------------------------------------------------------

write_broker_config() {
    local line member gpu nodes gpus speed cost model count
    for line in "${members[@]}"; do
        read -r member gpu nodes gpus speed cost <<<"$line"
        for model in small medium large; do
            for count in 1 2 4 8; do
                printf '  - {model: mlp-%s, gpu: %s, gpus: %s, examples_per_second: %s}\n' "$model" "$gpu" "$count" \
                    "$("$trainer" --model "$model" --speed "$speed" --gpus "$count" --batch 128 --predict)"
            done
        done
    done >"$state/throughput"
    sed -e "/@THROUGHPUT@/{r $state/throughput" -e 'd}' "$here/broker.yaml" >"$state/broker.yaml"
}

address_of() { # KEY: an address the broker really listens on
    sed -n "s/^$1 //p" "$state/broker/addresses"
}

start_broker() {
    write_broker_config
    "$broker" init --config "$state/broker.yaml" >"$state/init.out" 2>&1 || {
        cat "$state/init.out" >&2
        die "entente-broker init failed"
    }
    start broker "$broker" run --config "$state/broker.yaml"
    export ENTENTE_BROKER_SOCKET=$state/broker/operator.sock
}

start_peers() {
    local line member gpu nodes gpus speed cost token
    for line in "${members[@]}"; do
        read -r member gpu nodes gpus speed cost <<<"$line"
        sed -e "s/@MEMBER@/$member/g; s/@GPU@/$gpu/; s/@NODES@/$nodes/; s/@GPUS_PER_NODE@/$gpus/" \
            -e "s/@SPEED@/$speed/; s/@COST@/$cost/; s/@BROKER@/$(address_of members)/" \
            "$here/peer.yaml" >"$state/$member.yaml"
        token=$("$broker" token create --member "$member" --ttl 10m --approved --json | jq -r .token)
        "$peer" join --config "$state/$member.yaml" --broker "$(address_of enrolment)" --token "$token" \
            >"$state/$member.join" 2>&1 || {
            cat "$state/$member.join" >&2
            die "$member could not join"
        }
        "$broker" member deposit "$member" 2 --reference "starting balance" >/dev/null
        start "$member" "$peer" run --config "$state/$member.yaml"
        printf '  %-5s %s nodes of %s %-5s at %s credits per GPU-second, %s times the speed of an A100\n' \
            "$member" "$nodes" "$gpus" "$gpu" "$cost" "$speed"
    done
}

# --- the jobs ------------------------------------------------------------------------------------------------------

# Each home has a mix; ucla, with the slowest GPUs, has the most and the most valued work.
job_home=(ucla usc ucla ucsd ucla ucsd)
job_model=(small medium large small medium)
job_seconds=(14 22 30 18)         # on one A100
job_value=(0.9 0.35 1.4 0.6 0.45) # credits per million examples at model small

submit_jobs() {
    local i home model seconds value rate gpus examples
    cp "$trainer" "$state/entente-trainer"
    for ((i = 0; i < jobs_wanted; i++)); do
        home=${job_home[i % ${#job_home[@]}]}
        model=${job_model[i % ${#job_model[@]}]}
        seconds=${job_seconds[i % ${#job_seconds[@]}]}
        value=${job_value[i % ${#job_value[@]}]}
        rate=$("$trainer" --model "$model" --speed 1 --gpus 1 --batch 128 --predict)
        gpus=$((i % 4 == 0 ? 4 : i % 3 == 0 ? 2 : 1))
        examples=$(awk "BEGIN { printf \"%d\", $seconds * $rate }")
        value=$(awk "BEGIN { printf \"%.10f\", $value / 1000000 * 3000 / $rate }")
        cat >"$state/job-$i.yaml" <<JOB
command: ["./entente-trainer", "--model", "$model", "--examples", "$examples", "--batch", "128", "--seed", "$((i + 1))",
          "--result", "metrics.json"]
files: [entente-trainer]
model: mlp-$model
batch: 128
examples: $examples
gpus: {min: 1, max: $gpus}
value_per_example: $value
placement: any
checkpoint: checkpoint.bin
results: [metrics.json]
data_sets:
  - {name: fashion-mnist, size: 30M, places: [usc, ucsd, ucla]}
JOB
        "$peer" submit "$state/job-$i.yaml" --socket "$state/$home/peer.sock" >>"$state/submitted" ||
            die "$home refused job $i"
    done
}

all_jobs() { # every member's jobs as one JSON array, each with its home
    local line member
    for line in "${members[@]}"; do
        member=${line%% *}
        "$peer" jobs --json --socket "$state/$member/peer.sock" | jq --arg home "$member" \
            '[(.jobs // .)[] | . + {home: $home}]'
    done | jq -s add
}

wait_for_jobs() {
    local started=$SECONDS counts ended
    while :; do
        counts=$(all_jobs | jq -r '[group_by(.state)[] | "\(length) \(.[0].state)"] | join(", ")')
        ended=$(all_jobs | jq '[.[] | select(.state == "done" or .state == "failed" or .state == "cancelled")] | length')
        if [ -t 1 ]; then
            printf '\r\033[K  %3d s: %s' "$((SECONDS - started))" "$counts"
        fi
        [ "$ended" -ge "$jobs_wanted" ] && break
        ((SECONDS - started < seconds_max)) || die "the jobs did not end within $seconds_max s: $counts"
        sleep 1
    done
    printf '%s  %d jobs ended after %d s: %s\n' "$([ -t 1 ] && printf '\r\033[K')" "$ended" "$((SECONDS - started))" "$counts"
    [ "$(all_jobs | jq '[.[] | select(.state == "done")] | length')" -eq "$jobs_wanted" ] ||
        die "some jobs failed: $(all_jobs | jq -r '[.[] | select(.state != "done") | "\(.job): \(.text)"] | join("; ")')"
}

wait_for_settlement() { # receipts travel host -> home -> host -> broker
    local i
    for ((i = 0; i < 300; i++)); do
        [ "$("$broker" leases --json | jq '[(.leases // .)[] | select(.state != "settled" and .state != "voided")] | length')" -eq 0 ] &&
            return
        sleep 0.1
    done
    die "leases without settlement: $("$broker" leases --json | jq -c '[(.leases // .)[] | select(.state != "settled" and .state != "voided")]')"
}

# --- what became of it ---------------------------------------------------------------------------------------------

gains() { # over all rounds: what each member had, and would have had alone with the same jobs and GPUs
    local number
    for number in $("$broker" round list --json | jq '(.rounds // .)[].round'); do
        "$broker" round show "$number" --json
    done | jq -sr '
        def credits: . / 1000000 * 1000000 | round / 1000000;
        [.[].members[]] | group_by(.member) |
        (["member", "alone", "federated", "gain", "gain (%)"] | @tsv),
        (.[] | (map(.alone_micros) | add) as $alone | (map(.payoff_micros) | add) as $here |
            [.[0].member, $alone / 1000000, $here / 1000000, ($here - $alone) / 1000000,
             (if $alone > 0 then (($here - $alone) / $alone * 1000 | round / 10) else "-" end)] | @tsv)' |
        awk -F '\t' '{ printf "  %-8s %12s %12s %12s %10s\n", $1, $2, $3, $4, $5 }'
}

moves() { # GPU-seconds and payments by home and host, from the leases
    "$broker" leases --json | jq -r '
        [(.leases // .)[] | select(.state == "settled")] | group_by([.home, .pool.member]) |
        (["home", "host", "GPUs", "leases", "jobs", "paid (credits)"] | @tsv),
        (.[] | [.[0].home, .[0].pool.member, .[0].pool.gpu, length, (map(.job) | unique | length),
                (map(.paid_micros) | add / 1000000)] | @tsv)' |
        awk -F '\t' '{ printf "  %-6s %-6s %-6s %8s %6s %16s\n", $1, $2, $3, $4, $5, $6 }'
}

report() {
    local line
    say "Rounds"
    "$broker" round list
    say "The busiest round"
    "$broker" round show "$("$broker" round list --json | jq '(.rounds // .) | max_by(.gpus_placed) | .round')"
    say "Who ran what where: each job's last place, predicted and measured throughput"
    "$broker" jobs
    say "All leases, by home and host"
    moves
    say "What each member gained against standing alone (credits, over all rounds)"
    gains
    say "The certificates, recomputed from the posted ledger entries and the stored bids"
    "$broker" audit --config "$state/broker.yaml"
    for line in "${members[@]}"; do
        say "Statement of ${line%% *} (its end)"
        "$broker" statement "${line%% *}" | awk 'NR <= 4 { print; next } { line[NR] = $0 } END {
            if (NR > 14) print "  ..."; for (i = (NR > 14 ? NR - 9 : 5); i <= NR; i++) print line[i] }'
    done
    say "Ledger"
    "$broker" ledger verify --config "$state/broker.yaml"
}

for program in "$broker" "$peer" "$trainer"; do
    [ -x "$program" ] || {
        echo "demo: $program is missing; build first" >&2
        exit 1
    }
done
say "Starting a broker and three datacenters in $state"
start_broker
start_peers
say "Submitting $jobs_wanted training jobs (Fashion-MNIST, mini-batch SGD)"
submit_jobs
wait_for_jobs
wait_for_settlement
report
if [ "$keep" = --keep ]; then
    say "Still running"
    printf '  export ENTENTE_BROKER_SOCKET=%s\n  export ENTENTE_PEER_SOCKET=%s   # or ucsd, ucla\n' \
        "$ENTENTE_BROKER_SOCKET" "$state/usc/peer.sock"
    printf '  stop it: kill %s\n' "${pids[*]}"
fi
