#!/usr/bin/env bash
# Claim: every C file is laid out as clang-format 14 lays it out. Skipped (77) without that version: others differ.
# Usage: format.sh SOURCE-DIRECTORY
set -euo pipefail
. "$(dirname "$0")/support/files.sh"
source=${1:?usage: format.sh SOURCE-DIRECTORY}

formatter=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$formatter" ] || ! "$formatter" --version | grep -q 'version 14\.'; then
    echo "format: skipped, clang-format 14 is not installed"
    exit 77
fi

mapfile -t files < <(own_files "$source")
require_files "$source" "${#files[@]}"
if ! (cd "$source" && "$formatter" --style=file --dry-run -Werror "${files[@]}"); then
    echo "format: run clang-format -i on the files above" >&2
    exit 1
fi
echo "format: ${#files[@]} files are in the one layout"
