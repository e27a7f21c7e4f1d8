-- What the command line changed of the suite (--repeat, --interleave), so that `resume` measures the rest
-- alike. NULL: nothing, or a run of an older program.
ALTER TABLE run ADD COLUMN repeat INTEGER;
ALTER TABLE run ADD COLUMN interleave INTEGER;
