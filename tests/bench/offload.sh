#!/bin/bash
# Jobs a second from submission to settlement: a broker and three peers, real programs over mutual TLS, stores on
# disk. Each member's jobs ask for the GPUs of the two others, so that every job is offloaded and paid for.
#
#   tests/bench/offload.sh [--executor nothing|process] [--jobs COUNT] [--gpus A-PEER] [--keep]
#
# nothing: jobs are over as soon as they are looked at (bench_peer). process: sandboxed `true` (entente-peer).
# Programs: ENTENTE_BIN_DIR, else build/release/bin. TMPDIR says on which disk the stores are.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export ENTENTE_BIN_DIR=${ENTENTE_BIN_DIR:-$root/build/release/bin}
. "$root/tests/scenarios/lib_federation.sh"

executor=nothing jobs=1500 gpus=256 keep=false
while [ $# -gt 0 ]; do
    case $1 in
    --executor) executor=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --gpus) gpus=$2; shift 2 ;;
    --keep) keep=true; shift ;;
    *) echo "usage: offload.sh [--executor nothing|process] [--jobs COUNT] [--gpus A-PEER] [--keep]" >&2; exit 2 ;;
    esac
done

write_config() { # MEMBERS-ADDRESS
    cat >"$work/broker.yaml" <<CONFIG
federation: bench
state_directory: state
public_host: localhost
heartbeat_period: 1s
listen: {members: '$1', enrolment: '127.0.0.1:0', enrolments_per_minute: 1000}
rounds: {period: 60s, interim_delay: ${INTERIM_DELAY:-200ms}}
leases: {grace: 2s, holdover: 1h}
quotas: {jobs_per_member: 10000}
costs: {restart: 10ms}
CONFIG
}

write_peer() { # NAME GPU COUNT COST
    cat >"$work/$1.yaml" <<CONFIG
member: $1
state_directory: state-$1
listen: 127.0.0.1:0
broker: $(address members)
pools:
  - {gpu: $2, nodes: $((($3 + 63) / 64)), gpus_per_node: $(($3 < 64 ? $3 : 64)), cost: $4, accept_unenforced: true}
CONFIG
}

make_federation
if [ "$executor" = nothing ]; then # joins as itself, runs as bench_peer
    joining=$peer
    peer() { if [ "$1" = run ]; then exec "$ENTENTE_BIN_DIR/bench_peer" "$@"; else "$joining" "$@"; fi; }
    peer=peer
fi
for name in alpha beta gamma; do add_member "$name" "gpu-$name" "$gpus" 0.001; done
"$ENTENTE_BIN_DIR/bench_offload" "$jobs" "${pids[broker]}" \
    "$work/state-alpha/peer.sock,${pids[alpha]},gpu-beta+gpu-gamma" \
    "$work/state-beta/peer.sock,${pids[beta]},gpu-gamma+gpu-alpha" \
    "$work/state-gamma/peer.sock,${pids[gamma]},gpu-alpha+gpu-beta"
"$broker" status | grep rounds
"$broker" ledger verify
if $keep; then cp -r "$work" "${TMPDIR:-/tmp}/offload.$$" && echo "kept in ${TMPDIR:-/tmp}/offload.$$"; fi
