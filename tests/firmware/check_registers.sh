#!/bin/sh
# The numbers of targets/chips and of the drivers against those of the vendors' headers
# (registers.txt).
# usage: check_registers.sh SOURCE_ROOT COMPILER...
set -eu
root=$1
shift
rows=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Where FILE of a row lies; FILE:BOARD is a driver as it is built for that board.
find_file() {
    for folder in targets/chips agents/ports/drivers agents/ports/riscv; do
        [ ! -f "$root/$folder/$1" ] || { echo "$folder/$1"; return; }
    done
    echo "registers.txt: no file $1" >&2
    return 1
}

while read -r file name value source; do
    case $file in '' | '#'*) continue ;; */*) source= ;; esac
    [ -n "$source" ] || { echo "registers.txt: not a row: $file $name"; exit 1; }
    out=$work/$file.c
    if [ ! -f "$out" ]; then
        path=$(find_file "${file%%:*}")
        case $file in
        *:*) printf '#define BOARD_HEADER "agents/ports/boards/%s.h"\n' "${file#*:}" ;;
        esac >"$out"
        printf '#include "%s"\n' "$path" >>"$out"
    fi
    printf '_Static_assert((unsigned)(%s) == %s, "%s: %s");\n' "$name" "$value" "$name" \
        "$source" >>"$out"
    rows=$((rows + 1))
done <"$root/tests/firmware/registers.txt"
[ "$rows" -gt 0 ]
"$@" -std=gnu11 -fsyntax-only -I"$root" "$work"/*.c
echo "$rows numbers are the vendors'"
