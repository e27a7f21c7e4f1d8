/* Values over time. Joins go from the few cases outwards; without statistics SQLite might not. */
#include <string.h>

#include "harness/spec/metric.h"
#include "harness/store/internal.h"

enum history_column {
    COL_SERIES,
    COL_SUITE,
    COL_KEY,
    COL_MODEL,
    COL_BOARD,
    COL_ENGINE,
    COL_PARAMETERS,
    COL_REALM,
    COL_METRIC,
    COL_CLASS,
    COL_UNIT,
    COL_LOWER,
    COL_RUN,
    COL_RUN_ID,
    COL_STARTED,
    COL_VALUE,
    COL_LOW,
    COL_HIGH,
    COL_N,
    COL_STATUS,
    COL_CONTEXT,
};

static const char history_sql[] =
    "SELECT s.id, c.suite, c.key, c.model, c.board, c.engine, c.parameters, c.realm, s.metric,"
    " s.class, s.unit, s.lower_is_better, r.id, r.uuid, a.started_ns, m.value, m.low, m.high, m.n,"
    " a.status, a.context"
    " FROM case_def c CROSS JOIN series s ON s.case_def = c.id"
    " CROSS JOIN measurement m ON m.series = s.id CROSS JOIN attempt a ON a.id = m.attempt"
    " CROSS JOIN run r ON r.id = a.run"
    " WHERE a.status IS NOT NULL%s%s%s AND %s"
    " ORDER BY c.suite, c.key, s.metric, s.id, r.started_ns, r.id, a.number, a.started_ns";

/* The virtual lab counts exactly. */
static const char scattering_sql[] =
    " AND s.class IN ('cycle', 'time', 'energy') AND c.realm = 'silicon'";

struct reader {
    struct store *s;
    struct arena *arena;
    struct data_series *series;
    size_t count, capacity;
    struct data_point *points; /* of the newest series */
    size_t point_capacity;
    int64_t series_id, run;
    sqlite3_stmt *meter; /* emulated_sql */
    uint64_t context;    /* whose answer is the next one */
    bool emulated;
};

static const char emulated_sql[] =
    "SELECT count(*) FROM context_dimension x JOIN dimension_fact f ON f.dimension = x.dimension"
    " WHERE x.context = ? AND f.key = 'meter.emulated' AND f.value = 'yes'";

/* Most neighbours have the same context, so most are not asked about. */
static int read_emulated(struct reader *h, const char *metric, struct data_point *p,
                         struct err *err)
{
    p->emulated = false;
    if (p->context == 0 || !metric_is_metered(metric))
        return 0;
    if (p->context != h->context) {
        (void)sqlite3_bind_int64(h->meter, 1, (int64_t)p->context);
        if (db_step(&h->s->db, h->meter, err) < 0)
            return (int)err->code;
        h->emulated = sqlite3_column_int64(h->meter, 0) > 0;
        h->context = p->context;
        (void)sqlite3_reset(h->meter);
    }
    p->emulated = h->emulated;
    return 0;
}

static int begin_series(struct reader *h, sqlite3_stmt *st, struct err *err)
{
    struct data_series *s = ARENA_PUSH(h->arena, h->series, h->count, h->capacity);
    const int realm = realm_find((const char *)sqlite3_column_text(st, COL_REALM));
    const int found = metric_class_find((const char *)sqlite3_column_text(st, COL_CLASS));

    memset(s, 0, sizeof(*s));
    s->suite = db_text(st, COL_SUITE, h->arena);
    s->key = db_text(st, COL_KEY, h->arena);
    s->model = db_text(st, COL_MODEL, h->arena);
    s->board = db_text(st, COL_BOARD, h->arena);
    s->engine = db_text(st, COL_ENGINE, h->arena);
    s->parameters = db_text(st, COL_PARAMETERS, h->arena);
    s->realm = realm >= 0 ? (enum realm)realm : REALM_VIRTUAL;
    s->metric = db_text(st, COL_METRIC, h->arena);
    s->class_ = found >= 0 ? (enum metric_class)found : METRIC_INFO;
    s->lower_is_better = sqlite3_column_int(st, COL_LOWER) != 0;
    h->series_id = sqlite3_column_int64(st, COL_SERIES);
    h->run = 0;
    h->points = NULL;
    h->point_capacity = 0;
    return store_unit(h->s, sqlite3_column_int64(st, COL_UNIT), &s->unit, err);
}

static int read_point(struct reader *h, sqlite3_stmt *st, struct err *err)
{
    struct data_series *s = &h->series[h->count - 1];
    const int64_t run = sqlite3_column_int64(st, COL_RUN);
    const int status = case_status_find((const char *)sqlite3_column_text(st, COL_STATUS));
    struct data_point *p;

    /* A later attempt of the same run replaces the earlier one. */
    if (h->points == NULL || s->point_count == 0 || run != h->run)
        p = ARENA_PUSH(h->arena, h->points, s->point_count, h->point_capacity);
    else
        p = &h->points[s->point_count - 1];
    h->run = run;
    s->points = h->points;
    p->run_id = db_text(st, COL_RUN_ID, h->arena);
    p->started_ns = (uint64_t)sqlite3_column_int64(st, COL_STARTED);
    p->value = db_real(st, COL_VALUE);
    p->low = db_real(st, COL_LOW);
    p->high = db_real(st, COL_HIGH);
    p->n = (uint32_t)sqlite3_column_int64(st, COL_N);
    p->status = status >= 0 ? (enum case_status)status : CASE_ERROR;
    p->context = (uint64_t)sqlite3_column_int64(st, COL_CONTEXT);
    return read_emulated(h, s->metric, p, err);
}

/* Ids grow with time, except across merges: good enough to leave old points out. */
static const char *newest_points(struct arena *arena, uint32_t last)
{
    return last == 0 ? ""
                     : arena_printf(arena,
                                    " AND m.attempt IN (SELECT x.attempt FROM measurement x"
                                    " WHERE x.series = s.id ORDER BY x.attempt DESC LIMIT %u)",
                                    (unsigned)last);
}

static int read_history(struct reader *h, const struct store_selection *selection,
                        const struct condition *condition, const char *metric, struct err *err)
{
    AUTO_BUF sql = BUF_INIT;
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    int r;

    buf_printf(&sql, history_sql, buf_text(&condition->sql),
               newest_points(h->arena, selection->last),
               selection->scattering ? scattering_sql : "",
               strpbrk(metric, "*?") != NULL ? "matches(?, s.metric)" : "? = s.metric");
    r = db_prepare(&h->s->db, buf_text(&sql), &st, err);
    if (r == 0)
        r = condition_bind(h->s, condition, st, err);
    if (r == 0 &&
        sqlite3_bind_text(st, (int)condition->count + 1, metric, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        return db_fail(&h->s->db, err, "bind");
    while (r == 0 && (r = db_step(&h->s->db, st, err)) > 0) {
        r = 0;
        if (h->count == 0 || sqlite3_column_int64(st, COL_SERIES) != h->series_id)
            r = begin_series(h, st, err);
        if (r == 0)
            r = read_point(h, st, err);
    }
    return r;
}

int store_history(struct store *s, const struct store_selection *selection, const char *metric,
                  struct arena *arena, struct data_history *ret, struct err *err)
{
    AUTO(condition_release) struct condition condition = {.count = 0};
    AUTO(db_finalize) sqlite3_stmt *meter = NULL;
    struct reader h = {.s = s, .arena = arena};
    int r = condition_from(s, selection, &condition, err);

    if (r == 0)
        r = db_prepare(&s->db, emulated_sql, &meter, err);
    h.meter = meter;
    if (r == 0)
        r = read_history(&h, selection, &condition, metric, err);
    if (r < 0)
        return r;
    *ret = (struct data_history){.series = h.series, .series_count = h.count};
    return 0;
}
