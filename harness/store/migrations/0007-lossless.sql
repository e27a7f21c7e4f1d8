-- What came under the name of another row and says something else: of two windows with one number the
-- first is in its table, and the second is here, as the event that it was (JSON). It means a bug of the
-- program that measured; nothing is lost by it, and somebody hears of it.
CREATE TABLE conflict (
    attempt INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    event   TEXT NOT NULL,
    PRIMARY KEY (attempt, kind, event)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_conflicts AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, x.kind, x.event
  FROM conflict x JOIN attempt a ON a.id = x.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def;

DROP VIEW v_runs;
CREATE VIEW v_runs AS
SELECT r.uuid AS run, s.name AS suite, s.path AS suite_path, s.digest AS suite_sha256, r.host,
       r.command_line, r.started_ns / 1e9 AS time,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.started_ns / 1000000000, 'unixepoch') AS started,
       (r.ended_ns - r.started_ns) / 1e9 AS duration_s, r.ended_ns IS NOT NULL AS finished,
       (SELECT count(*) FROM run_case rc WHERE rc.run = r.id) AS cases,
       (SELECT group_concat(t.name, ' ') FROM tag t WHERE t.run = r.id) AS tags,
       (SELECT count(*) FROM attempt a JOIN conflict x ON x.attempt = a.id WHERE a.run = r.id)
           AS conflicts
  FROM run r JOIN suite s ON s.id = r.suite;

-- Outputs are checked again after the windows and in each repeat. Pass 0 is the first check of an
-- attempt; of later ones what is wrong is kept, which the key had no place for.
DROP VIEW v_cases;
DROP VIEW v_outputs;
CREATE TABLE output_pass (
    attempt          INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    vector           INTEGER NOT NULL,
    tensor           INTEGER NOT NULL,
    pass             INTEGER NOT NULL,
    compared         INTEGER NOT NULL,
    equal            INTEGER NOT NULL,
    first_difference INTEGER NOT NULL,
    differences      INTEGER NOT NULL,
    size             INTEGER NOT NULL,
    blob             INTEGER REFERENCES blob (id),
    PRIMARY KEY (attempt, vector, tensor, pass)
) STRICT, WITHOUT ROWID;
INSERT INTO output_pass
SELECT attempt, vector, tensor, 0, compared, equal, first_difference, differences, size, blob
  FROM output;
DROP TABLE output;
ALTER TABLE output_pass RENAME TO output;
CREATE INDEX output_blob ON output (blob) WHERE blob IS NOT NULL;

CREATE VIEW v_cases AS
SELECT r.uuid AS run, r.started_ns / 1e9 AS run_time, c.suite, c.key AS case_key, c.model, c.board,
       c.engine, c.parameters, c.realm, u.name AS timebase,
       CASE WHEN a.id IS NULL AND l.skip IS NOT NULL THEN 'skipped'
            ELSE coalesce(a.status, 'unfinished') END AS status,
       a.failure_class, a.stage, coalesce(a.text, l.skip) AS text, a.hint, a.number AS attempt,
       a.started_ns / 1e9 AS time, a.host_ns / 1e9 AS host_s,
       (SELECT count(*) FROM attempt n WHERE n.run = l.run AND n.case_def = l.case_def) AS attempts,
       (SELECT count(*) FROM output o WHERE o.attempt = a.id AND o.pass = 0 AND o.compared)
           AS outputs_compared,
       (SELECT count(*) FROM output o WHERE o.attempt = a.id AND o.pass = 0 AND o.compared AND o.equal
           AND NOT EXISTS (SELECT 1 FROM output w WHERE w.attempt = o.attempt
                              AND w.vector = o.vector AND w.tensor = o.tensor AND NOT w.equal))
           AS outputs_equal
  FROM latest_attempt l
  JOIN run r ON r.id = l.run
  JOIN case_def c ON c.id = l.case_def
  LEFT JOIN attempt a ON a.id = l.attempt
  LEFT JOIN unit u ON u.id = a.timebase;

CREATE VIEW v_outputs AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, o.vector, o.tensor, o.compared, o.equal, o.first_difference,
       o.differences, o.size, b.data, o.pass
  FROM output o JOIN attempt a ON a.id = o.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def LEFT JOIN blob b ON b.id = o.blob;
