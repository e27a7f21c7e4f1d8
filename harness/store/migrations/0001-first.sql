-- The first schema. STORAGE.md says what each table holds and which key survives a merge.
-- Rows carry a local integer id for joins; what identifies them across databases is the UNIQUE
-- hash or text beside it. Times are nanoseconds since the Unix epoch.

CREATE TABLE info (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE unit (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Bytes that repeat from night to night (outputs, logs), once each.
CREATE TABLE blob (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL
) STRICT;

-- Provenance. A dimension is a set of facts about one thing (kind 'firmware', 'probe', ...), named
-- by the hash of its content; a context is the set of dimensions one attempt ran under. Two attempts
-- with the same context ran the same binaries on the same things.
CREATE TABLE dimension (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL
) STRICT;

CREATE TABLE dimension_fact (
    dimension INTEGER NOT NULL REFERENCES dimension (id) ON DELETE CASCADE,
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (dimension, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE context (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE context_dimension (
    context   INTEGER NOT NULL REFERENCES context (id) ON DELETE CASCADE,
    dimension INTEGER NOT NULL REFERENCES dimension (id),
    PRIMARY KEY (context, dimension)
) STRICT, WITHOUT ROWID;
CREATE INDEX context_dimension_back ON context_dimension (dimension);

CREATE TABLE suite (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    digest TEXT NOT NULL,
    path   TEXT,
    UNIQUE (name, digest)
) STRICT;

-- What is measured, apart from when: the subject of series.
CREATE TABLE case_def (
    id         INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    suite      TEXT NOT NULL,
    key        TEXT NOT NULL,
    model      TEXT,
    board      TEXT NOT NULL,
    engine     TEXT NOT NULL,
    parameters TEXT NOT NULL,
    realm      TEXT NOT NULL
) STRICT;

-- One metric of one case in one unit: only values of one series are ever compared over time.
CREATE TABLE series (
    id              INTEGER PRIMARY KEY,
    case_def        INTEGER NOT NULL REFERENCES case_def (id),
    metric          TEXT NOT NULL,
    unit            INTEGER NOT NULL REFERENCES unit (id),
    class           TEXT NOT NULL,
    lower_is_better INTEGER NOT NULL,
    UNIQUE (case_def, metric, unit)
) STRICT;

CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    uuid         TEXT NOT NULL UNIQUE,
    suite        INTEGER NOT NULL REFERENCES suite (id),
    host         TEXT,
    command_line TEXT,
    started_ns   INTEGER NOT NULL,
    ended_ns     INTEGER
) STRICT;
CREATE INDEX run_started ON run (started_ns);

-- Each time a run was started or resumed, and where.
CREATE TABLE run_session (
    run          INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    started_ns   INTEGER NOT NULL,
    host         TEXT NOT NULL,
    command_line TEXT,
    PRIMARY KEY (run, started_ns, host)
) STRICT, WITHOUT ROWID;

-- The plan of a run: a case without an ended attempt is still to do.
CREATE TABLE run_case (
    run      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    case_def INTEGER NOT NULL REFERENCES case_def (id),
    ordinal  INTEGER NOT NULL,
    skip     TEXT,
    PRIMARY KEY (run, case_def)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_case_back ON run_case (case_def);

CREATE TABLE attempt (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB NOT NULL UNIQUE,
    run           INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    case_def      INTEGER NOT NULL REFERENCES case_def (id),
    number        INTEGER NOT NULL,
    context       INTEGER REFERENCES context (id),
    timebase      INTEGER REFERENCES unit (id),
    started_ns    INTEGER NOT NULL,
    ended_ns      INTEGER,
    host_ns       INTEGER,
    status        TEXT,
    code          INTEGER,
    failure_class TEXT,
    stage         TEXT,
    text          TEXT,
    hint          TEXT,
    log           INTEGER REFERENCES blob (id)
) STRICT;
CREATE INDEX attempt_run ON attempt (run, case_def, number);
CREATE INDEX attempt_case ON attempt (case_def, started_ns);
CREATE INDEX attempt_context ON attempt (context);
CREATE INDEX attempt_log ON attempt (log) WHERE log IS NOT NULL;

CREATE TABLE window (
    attempt    INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    repeat     INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    unit       INTEGER NOT NULL REFERENCES unit (id),
    cold       INTEGER NOT NULL,
    inferences INTEGER NOT NULL,
    ticks      INTEGER NOT NULL,
    overhead   INTEGER NOT NULL,
    value      REAL,
    invalid    INTEGER NOT NULL,
    host_ns    INTEGER NOT NULL,
    samples    BLOB,
    PRIMARY KEY (attempt, repeat, number, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE measurement (
    attempt     INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    series      INTEGER NOT NULL REFERENCES series (id),
    value       REAL,
    low         REAL,
    high        REAL,
    n           INTEGER NOT NULL,
    budget      TEXT,
    over_budget INTEGER NOT NULL,
    PRIMARY KEY (attempt, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX measurement_series ON measurement (series, attempt, value);

CREATE TABLE output (
    attempt          INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    vector           INTEGER NOT NULL,
    tensor           INTEGER NOT NULL,
    compared         INTEGER NOT NULL,
    equal            INTEGER NOT NULL,
    first_difference INTEGER NOT NULL,
    differences      INTEGER NOT NULL,
    size             INTEGER NOT NULL,
    blob             INTEGER REFERENCES blob (id),
    PRIMARY KEY (attempt, vector, tensor)
) STRICT, WITHOUT ROWID;
CREATE INDEX output_blob ON output (blob) WHERE blob IS NOT NULL;

CREATE TABLE operator (
    id     INTEGER PRIMARY KEY,
    op     TEXT NOT NULL,
    kernel TEXT NOT NULL,
    UNIQUE (op, kernel)
) STRICT;

CREATE TABLE profile (
    attempt  INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    operator INTEGER NOT NULL REFERENCES operator (id),
    value    REAL,
    unit     INTEGER NOT NULL REFERENCES unit (id),
    macs     INTEGER NOT NULL,
    PRIMARY KEY (attempt, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery (
    id      INTEGER PRIMARY KEY,
    uuid    BLOB NOT NULL UNIQUE,
    run     INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt INTEGER REFERENCES attempt (id) ON DELETE CASCADE,
    board   TEXT,
    at_ns   INTEGER NOT NULL,
    rung    TEXT NOT NULL,
    reason  TEXT,
    worked  INTEGER NOT NULL
) STRICT;
CREATE INDEX recovery_run ON recovery (run);
CREATE INDEX recovery_attempt ON recovery (attempt);

-- Names people give to runs: baselines, releases. The newest row of a name is what it means.
CREATE TABLE tag (
    name  TEXT NOT NULL,
    run   INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    at_ns INTEGER NOT NULL,
    note  TEXT,
    PRIMARY KEY (name, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_run ON tag (run);
