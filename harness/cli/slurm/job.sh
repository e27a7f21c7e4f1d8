# One board's share of a run, or one array task's share of that. After a requeue it goes on where it
# was: its database lies on the board's host, and only whole copies of it reach the shared folder.
node=$SLURMD_NODENAME
part=$node
set --
if [ -n "${SLURM_ARRAY_TASK_COUNT:-}" ]; then
    share=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
    part=$node-$share
    set -- --shard "$share/$SLURM_ARRAY_TASK_COUNT"
fi
if [ "$(sha256sum <"$TINYRIG_SUITE")" != "$(cat "$TINYRIG_RESULTS/suite")" ]; then
    echo "$TINYRIG_SUITE changed since it was submitted" >&2
    exit 2
fi
own=$TINYRIG_STATE_DIR/slurm
mkdir -p "$own"
find "$own" -name '*.db*' -mtime +30 -delete # of jobs long gone
status=0
"$tinyrig" run "$TINYRIG_SUITE" --board "$node" "$@" --run-id "$TINYRIG_RUN" \
    --db "$own/$TINYRIG_RUN-$part.db" --batch --wait 5min --quiet || status=$?
[ "$status" -lt 128 ] || status=75 # killed, or told to stop
copy=$TINYRIG_RESULTS/parts/$part.db
if [ -e "$own/$TINYRIG_RUN-$part.db" ]; then
    rm -f "$copy.new"
    "$tinyrig" db backup --db "$own/$TINYRIG_RUN-$part.db" --output "$copy.new" &&
        mv "$copy.new" "$copy" || status=75
fi
case $status in
75 | 76) ;;
*) : >"$TINYRIG_RESULTS/parts/$part.done" ;;
esac
exit "$status"
