#!/bin/sh
# The same sources give the same images, bit for bit, in another place and another build folder.
# usage: check_reproducible.sh SOURCE_ROOT FIRMWARE_FOLDER IMAGE...
set -eu
source=$1
firmware=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/a/deeper/place"
(cd "$source" && tar cf - --exclude='./build*' --exclude=./.git .) | tar xf - -C "$work/a/deeper/place"
meson setup "$work/b" "$work/a/deeper/place" >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
targets=
for image; do targets="$targets agents/ports/firmware/$image.elf"; done
# shellcheck disable=SC2086
ninja -C "$work/b" $targets >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
for image; do cmp "$firmware/$image.elf" "$work/b/firmware/$image.elf"; done
echo "$# images are the same"
