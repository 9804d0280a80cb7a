# Sourced by the lints. own_files DIRECTORY: our own C files below it, relative, one a line: what git tracks or would
# take, or, outside a git clone, everything below that is not a build.
own_files() {
    local kept=()
    if [ -e "$1/.git" ] && git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
        mapfile -t kept < <(git -C "$1" ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u)
    else
        mapfile -t kept < <(cd "$1" && find . -path ./build -prune -o -type f -name '*.[ch]' -print | cut -c3- | sort)
    fi
    local file
    for file in "${kept[@]}"; do
        if [ -f "$1/$file" ]; then printf '%s\n' "$file"; fi # deleted, and not committed yet
    done
}

# A lint that looks at nothing passes for ever.
require_files() { # DIRECTORY COUNT
    if [ "$2" -eq 0 ]; then
        echo "no C files below '$1': give the source directory as first argument" >&2
        exit 1
    fi
}
