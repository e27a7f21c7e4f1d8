#!/bin/sh
# Our footprint of each image equals what its own toolchain's `size` says, and the flash bytes equal
# the binary that would be programmed.
# usage: check_size.sh AGENT_SIZE TOOL_PREFIX FILE.elf...
set -eu
agent_size=$1
prefix=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for elf; do
    theirs=$("${prefix}size" "$elf" | awk 'NR == 2 { print $1, $2, $3 }')
    ours=$("$agent_size" --berkeley "$elf")
    [ "$ours" = "$theirs" ] || { echo "$elf: we say $ours, ${prefix}size says $theirs"; exit 1; }
    "${prefix}objcopy" -O binary "$elf" "$work/bin"
    bytes=$(wc -c <"$work/bin")
    flash=$("$agent_size" "$elf" | awk 'NR == 2 { print $3 }')
    # Sections begin at multiples of 4 or 16: a few bytes between them are in the binary only.
    [ "$flash" -le "$bytes" ] && [ "$((bytes - flash))" -lt 64 ] ||
        { echo "$elf: $flash bytes of flash, but its binary has $bytes"; exit 1; }
done
echo "$# images agree with ${prefix}size"
