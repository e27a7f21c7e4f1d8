# Before a job: a board that fails its check is drained, and the job goes elsewhere or waits.
exec "$tinyrig" boards check "$SLURMD_NODENAME" --wait 30s >&2
