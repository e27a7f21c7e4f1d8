-- Where a run's suite lies, whatever was typed, for those who resume it from another folder. NULL: a run of
-- an older program.
ALTER TABLE run ADD COLUMN suite_file TEXT;
-- 1: records played the run's boards. It cannot be resumed: they are played from their beginning.
ALTER TABLE run ADD COLUMN replayed INTEGER;
-- The end of each session: a run that was merged from several parts has ended when all of them have.
ALTER TABLE run_session ADD COLUMN ended_ns INTEGER;
UPDATE run_session SET ended_ns = (SELECT ended_ns FROM run r WHERE r.id = run_session.run)
 WHERE started_ns = (SELECT max(started_ns) FROM run_session s WHERE s.run = run_session.run);
