# After a job: a board that one of its processes still holds is drained, for a person to look at.
exec "$tinyrig" boards release "$SLURMD_NODENAME" >&2
