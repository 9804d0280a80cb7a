#!/usr/bin/env bash
# Claim: a broker and peers whose disks are full refuse in words what they can't keep, lose nothing that they had said
# yes to, and go on by themselves when there is space again: every job is done, and the books agree.
if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
    echo "skipped: small file systems need root and a mount namespace"
    exit 77
fi
if [ -z "${ENTENTE_OWN_MOUNTS:-}" ]; then
    ENTENTE_OWN_MOUNTS=1 exec unshare -m bash "$0" "$@"
fi
. "$(dirname "$0")/lib_federation.sh"
mount -t tmpfs -o size=100k tmpfs /mnt 2>/dev/null || { echo "skipped: nothing can be mounted here"; exit 77; }
umount /mnt

small_disk() { # DIRECTORY: 64 MiB of its own
    mkdir -p "$work/$1"
    mount -t tmpfs -o size=64m,mode=700 tmpfs "$work/$1"
}
fill() { cat /dev/zero >"$work/$1/filler" 2>/dev/null || true; }
free() { rm -f "$work/$1/filler"; }

small_disk state
small_disk state-usc
small_disk state-isi
make_federation
add_member usc A100 4 0.0004
add_member isi V100 1 0.0002
write_job job.yaml 300 0.00005
sed -i 's/^gpus:.*/gpus: {min: 1, max: 1, kinds: [A100]}/' "$work/job.yaml"
isi() { "$peer" "$1" --config "$work/isi.yaml" "${@:2}"; }
job() { isi submit "$work/job.yaml" >/dev/null; }

# The broker's: what is asked of it is refused, by the reason; what runs goes on.
job
until_true 30 jobs_running 1
fill state
expect_exit 1 "full" "$broker" member deposit usc 5 --reference later
job # isi has space: it keeps the job until the broker can
until_true 30 grep -q "isi-2.*full" "$work/isi.log"
kill -0 "${pids[broker]}" || fail "the broker did not survive a full disk"
free state
until_true 60 jobs_done isi 2

# A host's: it takes no job that it can't keep, and one that runs there is delivered when it can be.
job
until_true 30 jobs_running 1
fill state-usc
job
until_true 30 grep -q "isi-4.*disk of member usc has no space" "$work/isi.log"
sleep 6 # past the end of the lease: it is renewed, and the job ends
kill -0 "${pids[usc]}" || fail "the host did not survive a full disk"
free state-usc
until_true 120 jobs_done isi 4

# A home's: a job is refused while it can't be kept, and what comes home comes later.
job
until_true 30 jobs_running 1
fill state-isi
expect_exit 1 "disk of member isi has no space" isi submit "$work/job.yaml"
sleep 4
kill -0 "${pids[isi]}" || fail "the home did not survive a full disk"
free state-isi
until_true 90 jobs_done isi 5
for n in 1 2 3 4 5; do
    isi fetch "isi-$n" --to "$work/got-$n" >/dev/null
    [ "$(cat "$work/got-$n/result.txt")" = "made 300" ] || fail "isi-$n: $(cat "$work/got-$n/result.txt")"
done
until_true 60 settled
until_true 20 sh -c "'$peer' status --config '$work/usc.yaml' | grep -q '0 receipts not settled'"
books_agree 2000000000
for disk in state state-usc state-isi; do umount -l "$work/$disk"; done
