-- Silence for known troubles, until it runs out; patterns over case keys and metrics ('*': all). What
-- is muted is measured and stored all the same. Lifting a mute ends it now, so that a merge with a
-- database that still has it does not bring it back: the row set last wins.
CREATE TABLE mute (
    case_key   TEXT NOT NULL,
    metric     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    set_ns     INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,
    PRIMARY KEY (case_key, metric)
) STRICT, WITHOUT ROWID;

-- Which contexts hold this fact: the runs of a git revision.
CREATE INDEX dimension_fact_value ON dimension_fact (key, value);

CREATE VIEW v_mutes AS
SELECT case_key, metric, reason, set_ns / 1e9 AS time, expires_ns / 1e9 AS until,
       expires_ns > strftime('%s', 'now') * 1000000000 AS current
  FROM mute;
