#!/bin/sh
# Our own gate: flash, RAM and instruction counts of the agent on the virtual boards against
# results/baselines/virtual.csv. Only what got worse fails.
#   baseline.sh check TINYRIG SOURCE_ROOT    what CI runs
#   baseline.sh renew TINYRIG SOURCE_ROOT    after a change that is meant to stay
set -eu
what=$1 tinyrig=$2 root=$3
table=$root/results/baselines/virtual.csv
[ -f "$(dirname "$tinyrig")/firmware/microbit.elf" ] || [ "$what" = renew ] ||
    { echo "no firmware was built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TINYRIG_DB=$work/results.db
TINYRIG_LOCK_DIR=$work # other tests use the same boards at the same time
export TINYRIG_DB TINYRIG_LOCK_DIR
"$tinyrig" run --quiet "$root/results/baselines/virtual.yaml"
case $what in
check)
    # Half a percent: alignment moves code by a few bytes with any change.
    "$tinyrig" gate --baseline "$table" --lenient --tolerance 0.5% ||
        { status=$?
          echo "if this is meant to stay: ninja -C $(dirname "$tinyrig") renew-baseline" >&2
          exit $status; }
    ;;
renew)
    "$tinyrig" export last --format csv --output "$table"
    ;;
*)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
