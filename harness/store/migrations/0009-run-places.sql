-- Where a run's suite lies, whatever was typed, for those who resume it from another folder. NULL: a run of
-- an older program.
ALTER TABLE run ADD COLUMN suite_file TEXT;
