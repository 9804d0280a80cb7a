#!/usr/bin/env bash
# Claim: an experiment gives the same bytes at any number of threads, killed and resumed or not, with and without FMA in
# libm, other bytes for another seed, and a page that shows it; wrong YAML is told by line, key and the nearest key.
set -euo pipefail
: "${ENTENTE_BIN_DIR:?is set by ctest}"
lab="$ENTENTE_BIN_DIR/entente-economics"
work=$(mktemp -d)
child=
cleanup() {
    if [ -n "$child" ]; then kill -9 "$child" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "economics_experiments: $*" >&2
    exit 1
}
same() { # A B: every file of results
    local file
    for file in results.csv summary.csv comparisons.csv results.sqlite; do
        cmp "$work/$1/$file" "$work/$2/$file" || fail "$file of $1 and $2 differ"
    done
}

cat >"$work/formation.yaml" <<'YAML'
experiment: formation
seed: 3
replications: 150
parameters:
  members: 5
  gpus: 8
  heterogeneity: [0.2, 0.8]
YAML

"$lab" experiment run "$work/formation.yaml" --out "$work/one" --threads 1 >/dev/null
"$lab" experiment run "$work/formation.yaml" --out "$work/four" --threads 4 >/dev/null
same one four
GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2 "$lab" experiment run "$work/formation.yaml" --out "$work/plain" >/dev/null
same one plain

# killed when something is kept, but not all
"$lab" experiment run "$work/formation.yaml" --out "$work/killed" --threads 1 >/dev/null 2>&1 &
child=$!
for _ in $(seq 2000); do
    if [ -s "$work/killed/journal" ] && [ "$(stat -c %s "$work/killed/journal")" -gt 1000 ]; then break; fi
    sleep 0.005
done
kill -9 "$child" 2>/dev/null || true
wait "$child" 2>/dev/null || true
child=
if [ -e "$work/killed/results.csv" ]; then echo "note: it was done before it could be killed"; fi
"$lab" experiment run "$work/formation.yaml" --out "$work/killed" --resume >"$work/said"
grep -q 'found there already' "$work/said" || fail "the resumed run does not say what it found"
same one killed

if "$lab" experiment run "$work/formation.yaml" --out "$work/one" >/dev/null 2>"$work/refusal"; then
    fail "a directory that holds a run was taken without --resume"
fi
grep -q -- '--resume' "$work/refusal" || fail "the refusal does not name --resume"

"$lab" experiment run "$work/formation.yaml" --out "$work/other" --seed 4 >/dev/null
if cmp -s "$work/one/results.csv" "$work/other/results.csv"; then fail "another seed gave the same results"; fi

[ "$(sqlite3 "$work/one/results.sqlite" 'SELECT count(*) FROM results')" -eq "$(($(wc -l <"$work/one/results.csv") - 1))" ] ||
    fail "the database and the CSV have different numbers of rows"

code=0
sed 's/heterogeneity/heterogenity/' "$work/formation.yaml" >"$work/wrong.yaml"
"$lab" experiment run "$work/wrong.yaml" --out "$work/wrong" >/dev/null 2>"$work/refusal" || code=$?
[ "$code" -eq 78 ] || fail "a wrong key ended with exit code $code instead of 78"
grep -q "wrong.yaml:7: heterogenity: .*did you mean 'heterogeneity'" "$work/refusal" || fail "$(cat "$work/refusal")"

for name in $("$lab" experiment list --json | jq -r '.experiments[].name'); do
    "$lab" experiment describe "$name" | grep -q 'Expected picture' || fail "$name does not say what to expect"
    "$lab" experiment describe "$name" --json | jq -e '.parameters | length > 0' >/dev/null || fail "$name: no parameters"
done

command -v gnuplot >/dev/null || { echo "skipped the page: gnuplot is not installed"; exit 0; }
"$lab" experiment report "$work/one" >/dev/null 2>&1
grep -q 'data:image/svg' "$work/one/report.html" || fail "the page has no plot"
grep -q 'Apt and Witzel' "$work/one/report.html" || fail "the page has no theory"
