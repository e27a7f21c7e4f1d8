# After all shares: one database, whatever was requeued or came twice. What Slurm lost (a controller
# that is killed forgets jobs it had just begun) is submitted again, a few times.
missing=
for node in $TINYRIG_BOARDS; do
    share=1
    while [ "$share" -le "${TINYRIG_SHARES:-1}" ]; do
        part=$node${TINYRIG_SHARES:+-$share}
        [ -e "$TINYRIG_RESULTS/parts/$part.done" ] || { missing="$missing $node"; break; }
        share=$((share + 1))
    done
done
round=${TINYRIG_ROUND:-1}
if [ -n "$missing" ] && [ "$round" -lt 6 ]; then
    echo "round $round: lost:$missing"
    TINYRIG_ROUND=$((round + 1))
    export TINYRIG_ROUND
    # shellcheck disable=SC2086 # names of nodes are words
    exec "$here/submit.sh" "$TINYRIG_SUITE" "$TINYRIG_RESULTS" $missing
fi
"$tinyrig" merge --db "$TINYRIG_RESULTS/results.db" "$TINYRIG_RESULTS"/parts/*.db || exit
[ -z "$missing" ] || { echo "not measured:$missing"; exit 4; }
: >"$TINYRIG_RESULTS/complete"
