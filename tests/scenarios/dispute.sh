#!/usr/bin/env bash
# Claim: what home disputes is not paid until there is an outcome; the operator's ruling pays its seconds and no more, and
# ledger and audit agree with it; a dispute that home withdraws is paid as the host metered it.
. "$(dirname "$0")/lib_federation.sh"

foreign_lease() { # of isi's job at usc, running
    "$broker" leases | awk '$2 == "running" && $4 == "isi" && $5 == "usc" { print $1; exit }'
}
has_foreign_lease() { [ -n "$(foreign_lease)" ]; }
state_of() { # LEASE
    "$broker" dispute show "$1" 1 --json | awk -F'"' '/"state"/ { print $4 }'
}
receipt_known() { # LEASE: the broker has it
    ! "$broker" dispute show "$1" 1 --json | grep -q '"claimed_ms": 0,'
}

make_federation
add_member usc A100 4 0.0004
add_member isi V100 4 0.0002
write_job job.yaml 1200 0.00005
"$peer" submit --config "$work/isi.yaml" "$work/job.yaml" >/dev/null
until_true 40 has_foreign_lease
first=$(foreign_lease)
expect_exit 0 "open since" "$peer" dispute open --config "$work/isi.yaml" "$first/1" --seconds 0 --text "it was slow"
expect_exit 1 "that is for isi to do" "$peer" dispute withdraw --config "$work/usc.yaml" "$first/1"
until_true 60 receipt_known "$first"
expect_exit 0 "the operator's ruling" "$peer" dispute answer --config "$work/usc.yaml" "$first/1" --text "it ran as metered"
expect_exit 0 "answered" "$peer" dispute list --config "$work/isi.yaml"
expect_exit 0 "1 without an outcome" "$broker" status
claimed=$("$broker" dispute show "$first" 1 --json | awk -F'[:,]' '/"claimed_ms"/ { printf "%d", $2 }')
half=$(awk -v ms="$claimed" 'BEGIN { printf "%.3f", int(ms / 2) / 1000 }')
expect_exit 2 "why? Say --reference" "$broker" dispute rule "$first" 1 "$half"
expect_exit 0 "ruled since" "$broker" dispute rule "$first" 1 "$half" --reference "half of what is claimed"

until_true 60 jobs_done isi 1
until_true 60 settled
# that half of its GPUs' time at its price; the table shows prices to the micro-credit
read -r gpus price <<<"$("$broker" leases | awk -v lease="$first" '$1 == lease { print $7, $8 }')"
posted=$("$broker" dispute show "$first" 1 --json | awk -F'[:,]' '/"amount_micros"/ { printf "%d", $2 }')
wanted=$(awk -v gpus="$gpus" -v price="$price" -v s="$half" 'BEGIN { printf "%d", gpus * price * s * 1000000 }')
[ $((posted - wanted)) -le 12 ] && [ $((wanted - posted)) -le 12 ] || fail "$posted were posted, the ruling is $wanted"
expect_exit 0 "ledger verified" "$broker" ledger verify
expect_exit 0 "" "$broker" audit
