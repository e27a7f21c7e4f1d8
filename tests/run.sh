#!/bin/bash
# Every test of the default command, suite after suite; ends with one line that counts them.
# usage: run.sh BUILD [SUITE...]
set -euo pipefail
build=$1
shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
log=$build/meson-logs/run.log
status=0

# Unit tests and fuzz corpora once more under AddressSanitizer and UBSan.
sanitized=$build-asan
[ -f "$sanitized/build.ninja" ] ||
    meson setup "$sanitized" "$root" -Dfirmware=disabled -Db_sanitize=address,undefined \
        -Dwerror=false >&2 # gcc warns wrongly about code that it instrumented itself
ninja -C "$sanitized" >&2

if [ $# -gt 0 ]; then
    suites=$(printf -- '--suite %s ' "$@")
else
    suites='--no-suite bench --no-suite soak'
fi
: >"$log"
# shellcheck disable=SC2086 # a list on purpose
meson test -C "$build" --print-errorlogs $suites | tee -a "$log" || status=1
ran=("$build")
if [ $# -eq 0 ]; then
    ran+=("$sanitized")
    ASAN_OPTIONS=detect_leaks=1 meson test -C "$sanitized" --print-errorlogs \
        --suite unit | tee -a "$log" || status=1
fi
count() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$log" | awk '{s += $1} END {print s + 0}'; }
failed=$(($(count Fail) + $(count Timeout) + $(count 'Unexpected Pass')))
[ "$failed" -eq 0 ] || status=1
[ "$status" -eq 0 ] || "$root/tests/failures.py" "${ran[@]}" || :
echo "$(count Ok) passed, $failed failed, $(count Skipped) skipped"
exit $status
