#!/bin/sh
# The numbers of targets/chips against those of the vendors' headers (registers.txt).
# usage: check_registers.sh SOURCE_ROOT COMPILER...
set -eu
root=$1
shift
rows=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r header name value source; do
    case $header in '' | '#'*) continue ;; esac
    [ "$header" = "$(basename "$header")" ] && [ -n "$source" ] ||
        { echo "registers.txt: not a row: $header $name"; exit 1; }
    printf '#include "targets/chips/%s"\n_Static_assert((unsigned long)(%s) == %s, "%s: %s");\n' \
        "$header" "$name" "$value" "$name" "$source" >>"$work/all.c"
    rows=$((rows + 1))
done <"$root/tests/firmware/registers.txt"
[ "$rows" -gt 0 ]
"$@" -std=c11 -fsyntax-only -I"$root" "$work/all.c"
echo "$rows numbers are the vendors'"
