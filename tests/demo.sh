#!/bin/sh
# The quickstart suite on the virtual lab, then its report. usage: demo.sh BUILD [run options]
set -eu
build=$1
shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
database=${TINYRIG_DB:-$root/results/tinyrig.db}
status=0
"$build/tinyrig" run "$root/suites/quickstart.yaml" --db "$database" "$@" || status=$?
"$build/tinyrig" report --db "$database" last
printf '\nresults: %s\nreport again with: %s report --db %s last\n' \
    "$database" "$build/tinyrig" "$database"
exit $status
