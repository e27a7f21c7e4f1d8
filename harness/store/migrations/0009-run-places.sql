-- Where a run's suite lies, whatever was typed, for those who resume it from another folder. NULL: a run of
-- an older program.
ALTER TABLE run ADD COLUMN suite_file TEXT;
-- 1: records played the run's boards. It cannot be resumed: they are played from their beginning.
ALTER TABLE run ADD COLUMN replayed INTEGER;
