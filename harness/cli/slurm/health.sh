# Now and then: drains a board that is in quarantine or maintenance, and takes it back after.
node=${SLURMD_NODENAME:-}
[ -n "$node" ] || exit 0
known=$(scontrol -o show node "$node") || exit 0
if state=$("$tinyrig" boards state "$node"); then
    case $known in
    *State=*DRAIN*Reason=tinyrig:*) scontrol update NodeName="$node" State=RESUME ;;
    esac
else
    case $known in
    *State=*DRAIN*) ;; # by us before, or by a person: their reason stands
    *) scontrol update NodeName="$node" State=DRAIN Reason="tinyrig: $state" ;;
    esac
fi
