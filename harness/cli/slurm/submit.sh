# submit.sh SUITE.yaml RESULTS [BOARD...]: a job per board (default: all), then one that merges into
# RESULTS/results.db and, when no board is missing, makes RESULTS/complete. RESULTS is seen by all
# hosts. TINYRIG_SHARES=N makes each board's job an array of N tasks, between which others get a turn.
# Prints the id of the job that merges. The same command again goes on with the same run: a
# controller that is killed forgets what was submitted just before.
set -eu
[ $# -ge 2 ] || { echo "usage: submit.sh SUITE.yaml RESULTS [BOARD...]" >&2; exit 2; }
TINYRIG_SUITE=$(realpath "$1")
mkdir -p "$2/parts" "$2/logs"
TINYRIG_RESULTS=$(realpath "$2")
suite=$(sha256sum <"$TINYRIG_SUITE")
[ -s "$2/suite" ] || echo "$suite" >"$2/suite"
[ "$suite" = "$(cat "$2/suite")" ] || { echo "$2 is of another suite, or $1 changed since: take" \
    "another folder" >&2; exit 2; }
[ -s "$2/run" ] || cat /proc/sys/kernel/random/uuid >"$2/run"
TINYRIG_RUN=$(cat "$2/run")
export TINYRIG_SUITE TINYRIG_RESULTS TINYRIG_RUN
shift 2
# shellcheck disable=SC2046 # names of nodes are words
[ $# -gt 0 ] || set -- $(sinfo -h -N -p boards -o %N | sort -u)
TINYRIG_BOARDS=${TINYRIG_BOARDS:-$*}
export TINYRIG_BOARDS
ids=
for node do
    # A board's meter is a feature of its node and a license of the cluster.
    meter=$(sinfo -h -N -n "$node" -o %f | tr , '\n' | grep '^meter-' | sort -u | head -n 1) || :
    id=$(sbatch --parsable --requeue --nodelist="$node" ${meter:+--licenses="$meter"} \
        ${TINYRIG_SHARES:+--array="1-$TINYRIG_SHARES"} --open-mode=append \
        --job-name="tinyrig-$node" --output="$TINYRIG_RESULTS/logs/$node.log" "$here/job.sh")
    ids=$ids:${id%%;*}
    echo "$node ${id%%;*}" >>"$TINYRIG_RESULTS/jobs"
done
sbatch --parsable --requeue --dependency="afterany$ids" --job-name=tinyrig-merge \
    --output="$TINYRIG_RESULTS/logs/merge.log" "$here/merge.sh"
