#!/usr/bin/env bash
# Claim: while the network between home and host is cut and both still reach the broker, the job that runs goes on over
# renewals and a job that begins meanwhile waits; when the network is back log, checkpoints and results come home, each
# job is done with its whole result, and nothing is paid twice.
if [ "$(id -u)" -ne 0 ] || ! unshare -n ip link show lo >/dev/null 2>&1; then
    echo "skipped: network namespaces need root (and iproute2)"
    exit 77
fi
if [ -z "${ENTENTE_OWN_NETWORK:-}" ]; then # the broker's end is a network of its own: nothing of this machine's is touched
    ENTENTE_OWN_NETWORK=1 exec unshare -n bash "$0" "$@"
fi
. "$(dirname "$0")/lib_federation.sh"

# The broker's network routes between two others, one for each peer: without forwarding both reach it, but not each other.
forwarding() { echo "$1" >/proc/sys/net/ipv4/ip_forward; }
place() { # NAME NUMBER: 10.99.NUMBER.2 in a network of its own
    unshare -n sleep 1000 &
    pids[network-$1]=$!
    local inside="nsenter -t $! -n"
    until_true 5 sh -c "[ \$(readlink /proc/$!/ns/net) != \$(readlink /proc/$$/ns/net) ]"
    ip link add "v$2" type veth peer name "w$2"
    ip link set "w$2" netns "${pids[network-$1]}"
    ip address add "10.99.$2.1/24" dev "v$2"
    ip link set "v$2" up
    $inside ip address add "10.99.$2.2/24" dev "w$2"
    $inside ip link set "w$2" up
    $inside ip link set lo up
    $inside ip route add default via "10.99.$2.1"
    peer_at[$1]=10.99.$2.2
    peer_under[$1]=$inside
}
ip link set lo up
if ! forwarding 1 2>/dev/null; then
    echo "skipped: this kernel's forwarding can't be set"
    trap - EXIT
    exit 77
fi
place usc 1
place isi 2
broker_at=10.99.1.1

make_federation
add_member usc A100 2 0.0004
add_member isi V100 1 0.0002
write_job job.yaml 1800 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
sed 's/1800/300/' "$work/job.yaml" >"$work/later.yaml"
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }
isi submit "$work/job.yaml" >/dev/null
until_true 30 jobs_running 1
sleep 1

forwarding 0
isi submit "$work/later.yaml" >/dev/null
until_true 30 grep -q 'isi-1: watching usc broke' "$work/isi.log" # the pings found out
until_true 30 sh -c "'$broker' leases | awk '\$3 == \"isi-1\" && \$2 == \"running\"' | grep -q '^1\.[2-9]'" # renewed
pgrep -f "run-shim $work/state-usc" >/dev/null || fail "the job did not go on: $("$broker" leases)"
for name in usc isi; do member_heard "$name" || fail "$name does not reach the broker"; done
forwarding 1

until_true 120 jobs_done isi 2
isi fetch isi-1 --to "$work/got" >/dev/null
[ "$(cat "$work/got/result.txt")" = "made 1800" ] || fail "result: $(cat "$work/got/result.txt")"
isi show isi-1 | grep -q '^starts  *1' || fail "it was started again: $(isi show isi-1)"
until_true 30 settled
books_agree 2000000000
for name in usc isi; do stop "network-$name"; done # the daemons hold their networks while they end
