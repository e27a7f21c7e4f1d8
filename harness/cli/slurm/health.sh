# Now and then: drains a board that is in quarantine or maintenance, and takes it back after.
node=${SLURMD_NODENAME:-}
[ -n "$node" ] || exit 0
known=$(scontrol -o show node "$node") || exit 0
status=0
state=$("$tinyrig" boards state "$node") || status=$?
if [ "$status" -eq 0 ]; then
    case $known in
    *State=*DRAIN*Reason=tinyrig:*) scontrol update NodeName="$node" State=RESUME ;;
    esac
elif [ "$status" -eq 3 ] && [ -n "$state" ]; then # else nothing is known: nothing is done
    case $known in
    *State=*DRAIN*) ;; # by us before, or by a person: their reason stands
    *) scontrol update NodeName="$node" State=DRAIN Reason="tinyrig: $state" ;;
    esac
fi
