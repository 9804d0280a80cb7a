# A federation of real programs over real mutual TLS, in a directory of its own, for scenarios to source.
# Needs ENTENTE_BIN_DIR. Everything started here is stopped and removed at exit, by process id.
set -euo pipefail
broker=${ENTENTE_BIN_DIR:?}/entente-broker
peer=${ENTENTE_BIN_DIR:?}/entente-peer
work=$(mktemp -d)
export ENTENTE_BROKER_CONFIG=$work/broker.yaml
declare -A pids=()
broker_at=127.0.0.1
declare -A peer_at=()    # NAME -> its address, where it isn't the broker's
declare -A peer_under=() # NAME -> what its daemon is run under

fail() {
    echo "FAILED: $1" >&2
    for log in "$work"/*.log; do
        echo "--- $log" >&2
        tail -n 25 "$log" >&2
    done
    exit 1
}

stop() { # NAME [SIGNAL]: a process of ours, waited for
    kill "-${2:-TERM}" "${pids[$1]}" 2>/dev/null || true
    wait "${pids[$1]}" 2>/dev/null || true
    unset "pids[$1]"
}

finish() { # whatever we stop ends well: a daemon that crashes or leaks on its way out fails the scenario
    local code=$? name
    for name in "${!pids[@]}"; do kill -TERM "${pids[$name]}" 2>/dev/null || true; done
    for name in "${!pids[@]}"; do
        if ! wait "${pids[$name]}"; then
            echo "FAILED: $name ended with $?" >&2
            tail -n 25 "$work/$name.log" >&2 || true
            code=1
        fi
    done
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

until_true() { # SECONDS COMMAND...: a generous bound, nothing is timed
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "never came true: $*"
        sleep 0.1
    done
}

expect_exit() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0
    shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "$* ended with $got, not $code: $(cat "$work/out")"
    grep -qF -- "$text" "$work/out" || fail "$* does not say '$text': $(cat "$work/out")"
}

write_config() { # MEMBERS-ADDRESS: five-second rounds, so that leases are renewed while we look
    cat >"$work/broker.yaml" <<CONFIG
federation: demo
state_directory: state
public_host: localhost
heartbeat_period: 500ms
listen: {members: '$1', enrolment: '$broker_at:0', enrolments_per_minute: 1000}
rounds: {period: 5s, interim_delay: 200ms}
leases: {grace: 2s, holdover: 1h}
costs: {restart: 500ms}
throughput:
  - {model: steps, gpu: A100, gpus: 1, examples_per_second: 100}
  - {model: steps, gpu: V100, gpus: 1, examples_per_second: 50}
${extra_config:-}
CONFIG
}

start_broker() { # [COMMAND TO RUN IT UNDER...]
    : >"$work/broker.out"
    "$@" "$broker" run >"$work/broker.out" 2>>"$work/broker.log" &
    pids[broker]=$!
    until_true 20 grep -q '^ready' "$work/broker.out"
}

address() { # members | enrolment
    awk -v what="$1" '$1 == what { print $2 }' "$work/state/addresses"
}

make_federation() {
    write_config "$broker_at:0"
    "$broker" init >/dev/null
    start_broker
    write_config "$(address members)" # from now on the same port, over restarts
}

write_peer() { # NAME GPU COUNT COST
    cat >"$work/$1.yaml" <<CONFIG
member: $1
state_directory: state-$1
listen: ${peer_at[$1]:-$broker_at}:0
broker: $(address members)
pools:
  - {gpu: $2, nodes: 1, gpus_per_node: $3, cost: $4, accept_unenforced: true}
CONFIG
}

start_peer() { # NAME [COMMAND TO RUN IT UNDER...]
    : >"$work/$1.out"
    # shellcheck disable=SC2086 # a command's words
    ${peer_under[$1]:-} "${@:2}" "$peer" run --config "$work/$1.yaml" >"$work/$1.out" 2>>"$work/$1.log" &
    pids[$1]=$!
    until_true 20 grep -q '^ready' "$work/$1.out"
}

token() { # NAME [--approved]
    "$broker" token create --member "$@" 2>/dev/null
}

add_member() { # NAME GPU COUNT COST: joined, with 1000 credits, running and heard
    write_peer "$@"
    # shellcheck disable=SC2086 # a command's words
    ${peer_under[$1]:-} "$peer" join --config "$work/$1.yaml" --broker "$(address enrolment)" --token "$(token "$1" --approved)" >/dev/null
    "$broker" member deposit "$1" 1000 --reference start >/dev/null
    start_peer "$1"
    until_true 20 member_heard "$1"
}

member_heard() { # NAME
    "$broker" member list | awk -v name="$1" '$1 == name && $3 != "never" { found = 1 } END { exit !found }'
}

# A job that makes 100 (A100) or 50 (V100) examples a second and GPU, checkpoints, and resumes.
write_job() { # FILE EXAMPLES VALUE
    cat >"$work/work.sh" <<'PROGRAM'
#!/bin/bash
made=0 steps=0
if [ -f "$ENTENTE_CHECKPOINT" ]; then read -r made steps <"$ENTENTE_CHECKPOINT"; fi
keep() { echo "$made $steps" >"$ENTENTE_CHECKPOINT.new" && mv "$ENTENTE_CHECKPOINT.new" "$ENTENTE_CHECKPOINT"; }
trap 'keep; exit 75' TERM # not done yet
rate=50
if [ "$ENTENTE_GPU" = A100 ]; then rate=100; fi
rate=$((rate * ENTENTE_GPUS))
while [ "$made" -lt "$GOAL" ]; do
    sleep 0.1
    made=$((made + rate / 10)) steps=$((steps + 1))
    printf 'steps %d\nexamples %d\nexamples_per_second %d\n' "$steps" "$made" "$rate" >"$ENTENTE_PROGRESS.new"
    mv "$ENTENTE_PROGRESS.new" "$ENTENTE_PROGRESS"
    if [ $((steps % 10)) -eq 0 ]; then keep; fi
done
echo "made $made" >result.txt
PROGRAM
    chmod +x "$work/work.sh"
    cat >"$work/$1" <<JOB
command: ["./work.sh"]
files: [work.sh]
environment: ["GOAL=$2"]
model: steps
batch: 10
examples: $2
gpus: {min: 1, max: 2}
value_per_example: $3
checkpoint: checkpoint
results: [result.txt]
JOB
}

jobs_done() { # NAME COUNT
    [ "$("$peer" jobs --config "$work/$1.yaml" | awk '$2 == "done"' | wc -l)" -eq "$2" ]
}

jobs_running() { # COUNT: leases under which a job runs
    [ "$("$broker" leases | awk '$2 == "running"' | wc -l)" -ge "$1" ]
}

settled() { # nothing of a lease is open: no money in escrow
    ! "$broker" leases | awk 'NR > 1 && $2 != "settled" && $2 != "voided" { found = 1 } END { exit !found }'
}

submitted() { # NAME FILE: as soon as the peer and its broker are there
    until_true 20 "$peer" submit --config "$work/$1.yaml" "$2"
}

books_agree() { # DEPOSITED-MICROS: after all is over: ledger, certificates, stored rounds, and what members have in all
    local rounds round total
    expect_exit 0 "ledger verified" "$broker" ledger verify
    "$broker" audit >"$work/audit" 2>&1 || fail "audit: $(cat "$work/audit")"
    grep -q 'agrees *$' "$work/audit" || fail "audit agrees with nothing: $(cat "$work/audit")"
    rounds=$("$broker" round list | awk 'NR > 1 && $5 > 0 { print $1 }' | head -n 5)
    for round in $rounds; do
        expect_exit 0 "the same plan" "$broker" replay "$round"
    done
    total=$("$broker" member list --json | awk -F'[:,]' '/"(balance|escrow)_micros"/ { sum += $2 } END { printf "%.0f", sum }')
    [ "$total" -eq "$1" ] || fail "members have $total micro-credits, $1 were deposited"
}

# --- kills at a chosen moment (tests/support/preload_kill.c)

needs_kill() {
    preload=$ENTENTE_BIN_DIR/libentente_preload_kill.so
    [ -e "$preload" ] || { echo "skipped: $preload is not built"; exit 77; }
}

killed_at() { # PROGRAM MOMENT [NTH]: what to put before a command, in the array `under`
    rm -f "$work/killed"
    under=(env "LD_PRELOAD=$preload" "ENTENTE_KILL_AT=$2" "ENTENTE_KILL_NTH=${3:-1}"
        "ENTENTE_KILL_PROGRAM=$1" "ENTENTE_KILL_MARK=$work/killed")
}

start_broker_killed_at() { # MOMENT [NTH]
    killed_at entente-broker "$@"
    start_broker "${under[@]}"
}

start_peer_killed_at() { # NAME MOMENT [NTH]
    killed_at entente-peer "${@:2}"
    start_peer "$1" "${under[@]}"
}

until_killed() { # NAME: at the moment chosen, and by SIGKILL
    local code=0
    until_true 30 test -e "$work/killed"
    wait "${pids[$1]}" || code=$?
    unset "pids[$1]"
    [ "$code" -eq 137 ] || fail "$1 ended with $code, not by the kill"
}
