-- A suite is known by name and content; where its file lay is the run's own. Two copies of one file shared
-- the path that was used last, and a run was resumed with the models beside the other copy.
ALTER TABLE run ADD COLUMN suite_path TEXT;
UPDATE run SET suite_path = (SELECT s.path FROM suite s WHERE s.id = run.suite);

DROP VIEW v_runs;
CREATE VIEW v_runs AS
SELECT r.uuid AS run, s.name AS suite, r.suite_path, s.digest AS suite_sha256, r.host,
       r.command_line, r.started_ns / 1e9 AS time,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.started_ns / 1000000000, 'unixepoch') AS started,
       (r.ended_ns - r.started_ns) / 1e9 AS duration_s, r.ended_ns IS NOT NULL AS finished,
       (SELECT count(*) FROM run_case rc WHERE rc.run = r.id) AS cases,
       (SELECT group_concat(t.name, ' ') FROM tag t WHERE t.run = r.id) AS tags,
       (SELECT count(*) FROM attempt a JOIN conflict x ON x.attempt = a.id WHERE a.run = r.id)
           AS conflicts
  FROM run r JOIN suite s ON s.id = r.suite;

-- As the other views have it: the status of what never ended is a word.
DROP VIEW v_metrics;
CREATE VIEW v_metrics AS
SELECT r.uuid AS run, r.started_ns / 1e9 AS time, c.suite, c.key AS case_key, c.model, c.board,
       c.engine, c.parameters, c.realm, s.metric, u.name AS unit, s.class,
       s.lower_is_better, m.value, m.low, m.high, m.n, m.budget, m.over_budget,
       coalesce(a.status, 'unfinished') AS status, a.context
  FROM series s
  JOIN unit u ON u.id = s.unit
  JOIN case_def c ON c.id = s.case_def
  JOIN measurement m ON m.series = s.id
  JOIN attempt a ON a.id = m.attempt
  JOIN run r ON r.id = a.run
 WHERE a.id = (SELECT n.id FROM attempt n WHERE n.run = a.run AND n.case_def = a.case_def
                ORDER BY n.status IS NULL, n.number DESC, n.started_ns DESC LIMIT 1);
