-- All of the attached database `src` that is not in `main` yet; run by merge.c in one transaction.
-- Local ids differ between files, so each table that others refer to gets a map from its ids there to
-- ids here, found by what identifies a row everywhere.

DROP TABLE IF EXISTS temp.added;
CREATE TEMP TABLE added (runs, attempts, measurements, differing);
INSERT INTO added VALUES (0, 0, 0, 0);

DROP TABLE IF EXISTS temp.map_unit;
CREATE TEMP TABLE map_unit (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.unit (name) SELECT name FROM src.unit;
INSERT INTO map_unit SELECT o.id, n.id FROM src.unit o JOIN main.unit n USING (name);

DROP TABLE IF EXISTS temp.map_suite;
CREATE TEMP TABLE map_suite (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.suite (name, digest) SELECT name, digest FROM src.suite;
INSERT INTO map_suite
SELECT o.id, n.id FROM src.suite o JOIN main.suite n USING (name, digest);

DROP TABLE IF EXISTS temp.map_case;
CREATE TEMP TABLE map_case (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.case_def (hash, suite, key, model, board, engine, parameters, realm)
SELECT hash, suite, key, model, board, engine, parameters, realm FROM src.case_def;
INSERT INTO map_case SELECT o.id, n.id FROM src.case_def o JOIN main.case_def n USING (hash);

DROP TABLE IF EXISTS temp.map_series;
CREATE TEMP TABLE map_series (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.series (case_def, metric, unit, class, lower_is_better)
SELECT c.new, o.metric, u.new, o.class, o.lower_is_better
  FROM src.series o JOIN map_case c ON c.old = o.case_def JOIN map_unit u ON u.old = o.unit;
INSERT INTO map_series
SELECT o.id, n.id
  FROM src.series o JOIN map_case c ON c.old = o.case_def JOIN map_unit u ON u.old = o.unit
  JOIN main.series n ON n.case_def = c.new AND n.metric = o.metric AND n.unit = u.new;

-- Runs: the earliest start wins, so that the order of merges does not matter; ends come last of all.
DROP TABLE IF EXISTS temp.map_run;
CREATE TEMP TABLE map_run (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.run
    (uuid, suite, suite_path, host, command_line, started_ns, ended_ns, repeat, interleave, suite_file,
     replayed)
SELECT o.uuid, s.new, o.suite_path, o.host, o.command_line, o.started_ns, o.ended_ns, o.repeat, o.interleave,
       o.suite_file, o.replayed
  FROM src.run o JOIN map_suite s ON s.old = o.suite;
UPDATE added SET runs = changes();
INSERT INTO map_run SELECT o.id, n.id FROM src.run o JOIN main.run n USING (uuid);
UPDATE main.run SET suite_path = o.suite_path, host = o.host, command_line = o.command_line, started_ns = o.started_ns,
       repeat = o.repeat, interleave = o.interleave, suite_file = o.suite_file
  FROM src.run o JOIN map_run m ON m.old = o.id
 WHERE m.new = main.run.id AND o.started_ns < main.run.started_ns;
INSERT INTO main.run_session (run, started_ns, host, command_line, ended_ns)
SELECT m.new, o.started_ns, o.host, o.command_line, o.ended_ns
  FROM src.run_session o JOIN map_run m ON m.old = o.run
 WHERE true
    ON CONFLICT (run, started_ns, host) DO UPDATE SET ended_ns = excluded.ended_ns
 WHERE excluded.ended_ns > coalesce(ended_ns, 0);
-- A case that one host's plan skips may be another host's share.
INSERT INTO main.run_case (run, case_def, ordinal, skip)
SELECT m.new, c.new, o.ordinal, o.skip
  FROM src.run_case o JOIN map_run m ON m.old = o.run JOIN map_case c ON c.old = o.case_def
 WHERE true
    ON CONFLICT (run, case_def) DO UPDATE
   SET ordinal = min(ordinal, excluded.ordinal), skip = min(skip, excluded.skip)
 WHERE ordinal > excluded.ordinal OR skip IS NOT min(skip, excluded.skip);

-- Provenance.
DROP TABLE IF EXISTS temp.map_dimension;
CREATE TEMP TABLE map_dimension (old INTEGER PRIMARY KEY, new INTEGER, fresh INTEGER);
INSERT INTO map_dimension
SELECT o.id, NULL, NOT EXISTS (SELECT 1 FROM main.dimension n WHERE n.hash = o.hash)
  FROM src.dimension o;
INSERT OR IGNORE INTO main.dimension (hash, kind) SELECT hash, kind FROM src.dimension;
UPDATE map_dimension SET new = n.id
  FROM src.dimension o JOIN main.dimension n USING (hash) WHERE o.id = map_dimension.old;
INSERT OR IGNORE INTO main.dimension_fact (dimension, key, value)
SELECT d.new, o.key, o.value
  FROM map_dimension d JOIN src.dimension_fact o ON o.dimension = d.old WHERE d.fresh;
DROP TABLE IF EXISTS temp.map_context;
CREATE TEMP TABLE map_context (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.context (hash) SELECT hash FROM src.context;
INSERT INTO map_context SELECT o.id, n.id FROM src.context o JOIN main.context n USING (hash);
INSERT OR IGNORE INTO main.context_dimension (context, dimension)
SELECT c.new, d.new
  FROM src.context_dimension o JOIN map_context c ON c.old = o.context
  JOIN map_dimension d ON d.old = o.dimension;

-- Attempts. Mapped, and so given details, are those that have not ended here: what ended stays as it
-- is, pruned or not.
DROP TABLE IF EXISTS temp.met_attempt;
CREATE TEMP TABLE met_attempt (old INTEGER PRIMARY KEY, new INTEGER);
INSERT INTO met_attempt SELECT o.id, n.id FROM src.attempt o JOIN main.attempt n USING (uuid);
-- Of those here, the ones that say something else there: never so, unless a program was wrong.
UPDATE added SET differing = (
    SELECT count(*) FROM met_attempt m JOIN src.attempt o ON o.id = m.old
      JOIN main.attempt n ON n.id = m.new
     WHERE (o.status IS NOT NULL AND n.status IS NOT NULL
            AND (o.status, o.code, o.ended_ns, o.host_ns, o.stage, o.text)
                IS NOT (n.status, n.code, n.ended_ns, n.host_ns, n.stage, n.text))
        OR EXISTS (SELECT 1 FROM src.measurement p JOIN map_series s ON s.old = p.series
                     JOIN main.measurement q ON q.attempt = n.id AND q.series = s.new
                    WHERE p.attempt = o.id
                      AND (p.value, p.low, p.high, p.n) IS NOT (q.value, q.low, q.high, q.n))
        OR EXISTS (SELECT 1 FROM src.window p JOIN map_unit u ON u.old = p.unit
                     JOIN main.window q ON q.attempt = n.id AND q.repeat = p.repeat
                      AND q.number = p.number AND q.unit = u.new
                    WHERE p.attempt = o.id
                      AND (p.cold, p.inferences, p.ticks, p.value, p.invalid)
                          IS NOT (q.cold, q.inferences, q.ticks, q.value, q.invalid)));
DROP TABLE IF EXISTS temp.map_attempt;
CREATE TEMP TABLE map_attempt (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.attempt (uuid, run, case_def, number, context, timebase, started_ns)
SELECT o.uuid, r.new, c.new, o.number, x.new, u.new, o.started_ns
  FROM src.attempt o
  JOIN map_run r ON r.old = o.run
  JOIN map_case c ON c.old = o.case_def
  LEFT JOIN map_context x ON x.old = o.context
  LEFT JOIN map_unit u ON u.old = o.timebase;
UPDATE added SET attempts = changes();
INSERT INTO map_attempt
SELECT o.id, n.id FROM src.attempt o JOIN main.attempt n USING (uuid) WHERE n.status IS NULL;

DROP TABLE IF EXISTS temp.map_blob;
CREATE TEMP TABLE map_blob (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.blob (hash, data)
SELECT hash, data FROM src.blob WHERE id IN (
    SELECT o.blob FROM src.output o JOIN map_attempt a ON a.old = o.attempt
     UNION SELECT o.log FROM src.attempt o JOIN map_attempt a ON a.old = o.id);
INSERT INTO map_blob SELECT o.id, n.id FROM src.blob o JOIN main.blob n USING (hash);

UPDATE main.attempt
   SET ended_ns = o.ended_ns, host_ns = o.host_ns, status = o.status, code = o.code,
       failure_class = o.failure_class, stage = o.stage, text = o.text, hint = o.hint,
       retried = o.retried,
       log = (SELECT new FROM map_blob b WHERE b.old = o.log),
       -- of an attempt that has ended nowhere, the facts of whom knows more of them
       context = coalesce((SELECT x.new FROM map_context x
                            WHERE x.old = o.context
                              AND (o.status IS NOT NULL OR main.attempt.context IS NULL
                                   OR (SELECT count(*) FROM context_dimension c
                                         JOIN dimension_fact f USING (dimension)
                                        WHERE c.context = x.new)
                                    > (SELECT count(*) FROM context_dimension c
                                         JOIN dimension_fact f USING (dimension)
                                        WHERE c.context = main.attempt.context))),
                          main.attempt.context)
  FROM src.attempt o JOIN map_attempt m ON m.old = o.id WHERE m.new = main.attempt.id;
INSERT OR IGNORE INTO main.window
    (attempt, repeat, number, unit, cold, inferences, ticks, overhead, value, invalid, host_ns,
     samples)
SELECT a.new, o.repeat, o.number, u.new, o.cold, o.inferences, o.ticks, o.overhead, o.value,
       o.invalid, o.host_ns, o.samples
  FROM map_attempt a JOIN src.window o ON o.attempt = a.old JOIN map_unit u ON u.old = o.unit;
INSERT OR IGNORE INTO main.energy_window
    (attempt, number, inferences, full, invalid, duration_s, gross_nj, net_nj, idle_nj, marker_nj,
     gross_nc, net_nc, mean_na, idle_na, peak_na, drift_na, mean_uv, systematic_nj, random_nj,
     samples, lost)
SELECT a.new, o.number, o.inferences, o.full, o.invalid, o.duration_s, o.gross_nj, o.net_nj,
       o.idle_nj, o.marker_nj, o.gross_nc, o.net_nc, o.mean_na, o.idle_na, o.peak_na, o.drift_na,
       o.mean_uv, o.systematic_nj, o.random_nj, o.samples, o.lost
  FROM map_attempt a JOIN src.energy_window o ON o.attempt = a.old;
INSERT OR IGNORE INTO main.measurement
    (attempt, series, value, low, high, n, budget, over_budget)
SELECT a.new, s.new, o.value, o.low, o.high, o.n, o.budget, o.over_budget
  FROM map_attempt a JOIN src.measurement o ON o.attempt = a.old
  JOIN map_series s ON s.old = o.series;
UPDATE added SET measurements = changes();
INSERT OR IGNORE INTO main.output
    (attempt, vector, tensor, pass, compared, equal, first_difference, differences, size, blob)
SELECT a.new, o.vector, o.tensor, o.pass, o.compared, o.equal, o.first_difference, o.differences, o.size,
       b.new
  FROM map_attempt a JOIN src.output o ON o.attempt = a.old
  LEFT JOIN map_blob b ON b.old = o.blob;

DROP TABLE IF EXISTS temp.map_operator;
CREATE TEMP TABLE map_operator (old INTEGER PRIMARY KEY, new INTEGER);
INSERT OR IGNORE INTO main.operator (op, kernel) SELECT op, kernel FROM src.operator;
INSERT INTO map_operator
SELECT o.id, n.id FROM src.operator o JOIN main.operator n USING (op, kernel);
INSERT OR IGNORE INTO main.profile (attempt, number, operator, value, unit, macs)
SELECT a.new, o.number, p.new, o.value, u.new, o.macs
  FROM map_attempt a JOIN src.profile o ON o.attempt = a.old
  JOIN map_operator p ON p.old = o.operator JOIN map_unit u ON u.old = o.unit;

INSERT OR IGNORE INTO main.conflict (attempt, kind, event)
SELECT a.new, o.kind, o.event FROM map_attempt a JOIN src.conflict o ON o.attempt = a.old;

INSERT OR IGNORE INTO main.recovery (uuid, run, attempt, board, at_ns, rung, reason, worked)
SELECT o.uuid, r.new,
       (SELECT n.id FROM src.attempt p JOIN main.attempt n USING (uuid) WHERE p.id = o.attempt),
       o.board, o.at_ns, o.rung, o.reason, o.worked
  FROM src.recovery o JOIN map_run r ON r.old = o.run;
INSERT INTO main.tag (name, run, at_ns, note)
SELECT o.name, r.new, o.at_ns, o.note FROM src.tag o JOIN map_run r ON r.old = o.run
 WHERE true
    ON CONFLICT (name, run) DO UPDATE SET at_ns = excluded.at_ns, note = excluded.note
 WHERE excluded.at_ns > at_ns;
INSERT INTO main.mute (case_key, metric, reason, set_ns, expires_ns)
SELECT case_key, metric, reason, set_ns, expires_ns FROM src.mute
 WHERE true
    ON CONFLICT (case_key, metric) DO UPDATE
   SET reason = excluded.reason, set_ns = excluded.set_ns, expires_ns = excluded.expires_ns
 WHERE excluded.set_ns > set_ns;

-- A run has ended when every case that any part of it planned has, and whoever began it last came to his
-- end. From what is here now, not from what is new: the same whatever came first.
UPDATE main.run SET ended_ns = CASE
       WHEN EXISTS (
           SELECT 1 FROM main.run_case c
            WHERE c.run = main.run.id AND c.skip IS NULL AND NOT coalesce(
                  (SELECT status <> 'cancelled' AND NOT coalesce(retried, 0) FROM main.attempt a
                    WHERE a.run = c.run AND a.case_def = c.case_def
                    ORDER BY number DESC, started_ns DESC LIMIT 1), 0))
       THEN NULL
       WHEN (SELECT ended_ns FROM main.run_session s WHERE s.run = main.run.id
              ORDER BY started_ns DESC, host DESC LIMIT 1) IS NULL
       THEN NULL
       ELSE (SELECT max(ended_ns) FROM main.run_session s WHERE s.run = main.run.id) END
 WHERE id IN (SELECT new FROM map_run)
   AND EXISTS (SELECT 1 FROM main.run_session s WHERE s.run = main.run.id);
