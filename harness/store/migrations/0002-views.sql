-- The public views, described in VIEWS.md: their names and columns stay, the tables may change.

-- The attempt that stands for a case of a run: the newest that ended, else the newest.
CREATE VIEW latest_attempt AS
SELECT rc.run, rc.case_def, rc.ordinal, rc.skip,
       (SELECT a.id FROM attempt a WHERE a.run = rc.run AND a.case_def = rc.case_def
         ORDER BY a.status IS NULL, a.number DESC, a.started_ns DESC LIMIT 1) AS attempt
  FROM run_case rc;

CREATE VIEW v_runs AS
SELECT r.uuid AS run, s.name AS suite, s.path AS suite_path, s.digest AS suite_sha256, r.host,
       r.command_line, r.started_ns / 1e9 AS time,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.started_ns / 1000000000, 'unixepoch') AS started,
       (r.ended_ns - r.started_ns) / 1e9 AS duration_s, r.ended_ns IS NOT NULL AS finished,
       (SELECT count(*) FROM run_case rc WHERE rc.run = r.id) AS cases,
       (SELECT group_concat(t.name, ' ') FROM tag t WHERE t.run = r.id) AS tags
  FROM run r JOIN suite s ON s.id = r.suite;

CREATE VIEW v_cases AS
SELECT r.uuid AS run, r.started_ns / 1e9 AS run_time, c.suite, c.key AS case_key, c.model, c.board,
       c.engine, c.parameters, c.realm, u.name AS timebase,
       CASE WHEN a.id IS NULL AND l.skip IS NOT NULL THEN 'skipped'
            ELSE coalesce(a.status, 'unfinished') END AS status,
       a.failure_class, a.stage, coalesce(a.text, l.skip) AS text, a.hint, a.number AS attempt,
       a.started_ns / 1e9 AS time, a.host_ns / 1e9 AS host_s,
       (SELECT count(*) FROM attempt n WHERE n.run = l.run AND n.case_def = l.case_def) AS attempts,
       (SELECT count(*) FROM output o WHERE o.attempt = a.id AND o.compared) AS outputs_compared,
       (SELECT count(*) FROM output o WHERE o.attempt = a.id AND o.compared AND o.equal)
           AS outputs_equal
  FROM latest_attempt l
  JOIN run r ON r.id = l.run
  JOIN case_def c ON c.id = l.case_def
  LEFT JOIN attempt a ON a.id = l.attempt
  LEFT JOIN unit u ON u.id = a.timebase;

CREATE VIEW v_attempts AS
SELECT r.uuid AS run, c.suite, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, coalesce(a.status, 'unfinished') AS status, a.failure_class, a.stage,
       a.text, a.hint, a.started_ns / 1e9 AS time, a.host_ns / 1e9 AS host_s
  FROM attempt a JOIN run r ON r.id = a.run JOIN case_def c ON c.id = a.case_def;

CREATE VIEW v_metrics AS
SELECT r.uuid AS run, r.started_ns / 1e9 AS time, c.suite, c.key AS case_key, c.model, c.board,
       c.engine, c.parameters, c.realm, s.metric, u.name AS unit, s.class,
       s.lower_is_better, m.value, m.low, m.high, m.n, m.budget, m.over_budget,
       a.status, a.context
  FROM series s
  JOIN unit u ON u.id = s.unit
  JOIN case_def c ON c.id = s.case_def
  JOIN measurement m ON m.series = s.id
  JOIN attempt a ON a.id = m.attempt
  JOIN run r ON r.id = a.run
 WHERE a.id = (SELECT n.id FROM attempt n WHERE n.run = a.run AND n.case_def = a.case_def
                ORDER BY n.status IS NULL, n.number DESC, n.started_ns DESC LIMIT 1);

CREATE VIEW v_windows AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, w.repeat, w.number AS window, w.cold, w.inferences, w.ticks, w.overhead,
       w.value, u.name AS unit, w.invalid, w.host_ns / 1e9 AS host_s
  FROM window w JOIN attempt a ON a.id = w.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def JOIN unit u ON u.id = w.unit;

CREATE VIEW v_outputs AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, o.vector, o.tensor, o.compared, o.equal, o.first_difference,
       o.differences, o.size, b.data
  FROM output o JOIN attempt a ON a.id = o.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def LEFT JOIN blob b ON b.id = o.blob;

CREATE VIEW v_profile AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, p.number AS position, o.op, o.kernel, p.value, u.name AS unit, p.macs
  FROM profile p JOIN attempt a ON a.id = p.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def JOIN operator o ON o.id = p.operator
  JOIN unit u ON u.id = p.unit;

CREATE VIEW v_facts AS
SELECT r.uuid AS run, c.key AS case_key, c.board, a.number AS attempt, d.kind, f.key, f.value
  FROM attempt a JOIN run r ON r.id = a.run JOIN case_def c ON c.id = a.case_def
  JOIN context_dimension cd ON cd.context = a.context
  JOIN dimension d ON d.id = cd.dimension
  JOIN dimension_fact f ON f.dimension = d.id;

CREATE VIEW v_recoveries AS
SELECT r.uuid AS run, v.board, c.key AS case_key, a.number AS attempt, v.at_ns / 1e9 AS time,
       v.rung, v.reason, v.worked
  FROM recovery v JOIN run r ON r.id = v.run LEFT JOIN attempt a ON a.id = v.attempt
  LEFT JOIN case_def c ON c.id = a.case_def;

CREATE VIEW v_tags AS
SELECT t.name AS tag, r.uuid AS run, t.at_ns / 1e9 AS time, t.note,
       t.at_ns = (SELECT max(n.at_ns) FROM tag n WHERE n.name = t.name) AS current
  FROM tag t JOIN run r ON r.id = t.run;
