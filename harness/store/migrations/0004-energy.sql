-- What the meter saw of each energy window: nJ, nC, nA, uV, per window and not per inference. Beside
-- it the row of `window` with the same number, whose value is the figure that its profile counts.
CREATE TABLE energy_window (
    attempt     INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    inferences  INTEGER NOT NULL,
    full        INTEGER NOT NULL,
    invalid     INTEGER NOT NULL,
    duration_s  REAL NOT NULL,
    gross_nj    REAL,
    net_nj      REAL,
    idle_nj     REAL,
    marker_nj   REAL,
    gross_nc    REAL,
    net_nc      REAL,
    mean_na     REAL,
    idle_na     REAL,
    peak_na     REAL,
    drift_na    REAL,
    mean_uv     REAL,
    systematic_nj REAL,
    random_nj   REAL,
    samples     INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    PRIMARY KEY (attempt, number)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_energy AS
SELECT r.uuid AS run, c.key AS case_key, c.model, c.board, c.engine, c.parameters, c.realm,
       a.number AS attempt, e.number AS window, e.inferences, e.full, e.invalid, e.duration_s,
       e.gross_nj, e.net_nj, e.idle_nj, e.marker_nj, e.gross_nc, e.net_nc, e.mean_na, e.idle_na,
       e.peak_na, e.drift_na, e.mean_uv, e.systematic_nj, e.random_nj, e.samples, e.lost,
       coalesce((SELECT f.value = 'yes' FROM context_dimension x
                   JOIN dimension_fact f ON f.dimension = x.dimension
                  WHERE x.context = a.context AND f.key = 'meter.emulated'), 0) AS emulated
  FROM energy_window e JOIN attempt a ON a.id = e.attempt JOIN run r ON r.id = a.run
  JOIN case_def c ON c.id = a.case_def;
