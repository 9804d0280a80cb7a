#!/usr/bin/env bash
# Claim: protoc reads and writes every message as we do: the seed corpus, decoded and encoded by it, is the same bytes.
# Usage: protoc_agrees.sh SOURCE-DIRECTORY
set -euo pipefail
source=${1:?usage: protoc_agrees.sh SOURCE-DIRECTORY}
command -v protoc > /dev/null || { echo "skipped: no protoc (Debian: protobuf-compiler)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source/proto"

agree=0
for seed in "$source"/tests/fuzz/corpus/wire/*; do
    message=entente.v1.$(basename "$seed" | cut -d- -f2)
    tail -c +2 "$seed" > "$work/ours" # the first byte picks the message
    protoc --decode="$message" entente/v1/*.proto < "$work/ours" > "$work/text"
    protoc --encode="$message" --deterministic_output entente/v1/*.proto < "$work/text" > "$work/theirs"
    if grep -qE '^ *[0-9]+:' "$work/text"; then
        echo "$seed: protoc finds a field that is not in $message" >&2
        exit 1
    fi
    cmp "$work/ours" "$work/theirs"
    agree=$((agree + 1))
done
echo "$agree messages agree"
[ "$agree" -gt 0 ]
