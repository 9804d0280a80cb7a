#!/usr/bin/env bash
# Installs the Debian packages of cmake/debian-packages.txt that are missing, and says which. Needs root only where some are.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
    case "$package" in '' | '#'*) continue ;; esac
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done <cmake/debian-packages.txt

if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: every Debian package that Entente needs is installed"
    exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: these Debian packages are missing: ${missing[*]}" >&2
        echo "setup: install them as root (apt-get install ${missing[*]}) and run this again" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "setup: installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed; its last lines are above" >&2
    exit 1
fi
