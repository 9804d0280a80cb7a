#!/usr/bin/env bash
# Claim: receipts teach the broker how fast jobs run: a host slower than its kind is discounted and told so, and the next
# job goes to the other one; a job that nobody knows is profiled at home, and then placed by what was measured.
. "$(dirname "$0")/lib_federation.sh"

# ten examples a step, ten steps a second; a third of that at the slow member
cat >"$work/learn.sh" <<'PROGRAM'
#!/bin/bash
made=0 steps=0
if [ -f "$ENTENTE_CHECKPOINT" ]; then read -r made steps <"$ENTENTE_CHECKPOINT"; fi
keep() { echo "$made $steps" >"$ENTENTE_CHECKPOINT.new" && mv "$ENTENTE_CHECKPOINT.new" "$ENTENTE_CHECKPOINT"; }
trap 'keep; exit 75' TERM
pause=0.1
if [ "$ENTENTE_DEMO_SPEED" = slow ]; then pause=0.3; fi
while [ "$made" -lt "$GOAL" ]; do
    sleep $pause
    made=$((made + 10)) steps=$((steps + 1))
    printf 'steps %d\nexamples %d\n' "$steps" "$made" >"$ENTENTE_PROGRESS.new"
    mv "$ENTENTE_PROGRESS.new" "$ENTENTE_PROGRESS"
done
PROGRAM
chmod +x "$work/learn.sh"

job() { # FILE EXAMPLES MODEL-LINE KIND
    cat >"$work/$1" <<JOB
command: ["./learn.sh"]
files: [learn.sh]
environment: ["GOAL=$2"]
$3
batch: 10
examples: $2
gpus: {min: 1, max: 1, kinds: [$4]}
value_per_example: 0.001
checkpoint: checkpoint
JOB
}

report() { "$broker" throughput report --json; }
rows() { # COUNT: so many receipts of foreign runs were learned
    [ "$(report | grep -c '"confirmed": true')" -ge "$1" ]
}
fitted() { report | awk -F'[:,]' '/"fit":/ && $2 > 0 { found = 1 } END { exit !found }'; }
discounted() { # HOST: below nine tenths
    "$broker" throughput report | awk -v host="$1" \
        '/delivers/ { table = 1 } table && $1 == host && $3 < 90 { found = 1 } END { exit !found }'
}
running_at() { "$broker" leases | awk -v job="$1" '$3 == job && $2 == "running" { print $5 }'; }
placed() { [ -n "$(running_at "$1")" ]; }

write_config 127.0.0.1:0
sed -i 's/^rounds:.*/rounds: {period: 20s, interim_delay: 200ms}\nlearning: {update: 500ms}/' "$work/broker.yaml"
sed -i 's/- {model: steps, gpu: V100.*/- {model: steps, gpu: V100, gpus: 1, examples_per_second: 95}/' "$work/broker.yaml"
"$broker" init >/dev/null
start_broker
add_member home A100 2 0.0004
write_peer fast V100 3 0.0002
write_peer slow V100 3 0.0001
for name in fast slow; do
    sed -i "s/accept_unenforced: true}/accept_unenforced: true, variables: [ENTENTE_DEMO_SPEED=$name]}/" "$work/$name.yaml"
    "$peer" join --config "$work/$name.yaml" --broker "$(address enrolment)" --token "$(token "$name" --approved)" >/dev/null
    start_peer "$name"
    until_true 20 member_heard "$name"
done

# Three jobs each: the cheaper host is the slow one, so without experience it is filled first.
job known.yaml 300 'model: steps' V100
for ((i = 0; i < 6; i++)); do submitted home "$work/known.yaml"; done
until_true 90 rows 6
until_true 30 fitted
until_true 30 discounted slow
expect_exit 0 "jobs of home" "$broker" throughput report
told() { "$peer" status --config "$work/slow.yaml" | grep -q 'jobs of home'; }
until_true 20 told

# Now that it is known, the next job goes to the dearer, faster host.
job long.yaml 4000 'model: steps' V100
long=$("$peer" submit --config "$work/home.yaml" "$work/long.yaml")
until_true 40 placed "$long"
[ "$(running_at "$long")" = fast ] || fail "the job runs at $(running_at "$long"), which is known to be slow"

# What it would cost a job that can't pay is explained with what is predicted, and how sure that is.
job poor.yaml 4000 'model: steps' V100
sed -i 's/value_per_example: .*/value_per_example: 0.000000001/' "$work/poor.yaml"
poor=$("$peer" submit --config "$work/home.yaml" "$work/poor.yaml")
until_true 20 "$broker" explain "$poor"
expect_exit 0 " to " "$broker" explain "$poor"
expect_exit 0 "measured" "$broker" explain "$poor"
"$peer" cancel --config "$work/home.yaml" "$poor" >/dev/null

# A job of a model that nobody knows: profiled at home, then placed.
job unknown.yaml 600 'model: mystery' A100
sed -i 's/^listen:/profile: 3s\nlisten:/' "$work/home.yaml"
stop home
start_peer home
until_true 20 member_heard home
unknown=$("$peer" submit --config "$work/home.yaml" "$work/unknown.yaml")
profiled() { report | grep -q '"profile": true'; }
until_true 60 profiled
until_true 60 placed "$unknown"
predicted() { "$broker" jobs | awk -v job="$1" '$1 == job { print $8 }'; }
awk -v speed="$(predicted "$unknown")" 'BEGIN { exit !(speed > 10 && speed < 140) }' ||
    fail "it makes 100 examples a second, or less on a busy machine; $(predicted "$unknown") were predicted"
