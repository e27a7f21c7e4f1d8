#!/bin/sh
# clang-tidy over every host source in the compilation database; no warning is accepted.
# usage: check_tidy.sh SOURCE_ROOT BUILD_ROOT
set -eu
cd "$1"
find harness agents targets tests \
    -name '*.c' | sort | while read -r file; do
    grep -q "\"file\": \"\.\./$file\"" "$2/compile_commands.json" && echo "$file"
done | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$2" 2>/dev/null
