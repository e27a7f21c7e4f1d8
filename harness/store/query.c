/*
 * A selection read back as plain structs. One statement lists cases with their runs and their
 * newest attempt; what belongs to an attempt is then fetched by its id, in key order.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/spec/metric.h"
#include "harness/store/internal.h"

/* Facts of one context, read once however many attempts share it. */
struct context_facts {
    int64_t context;
    const struct data_fact *facts;
    size_t count;
};

struct query {
    struct store *s;
    struct arena *arena;
    unsigned parts;
    struct data_run *runs;
    size_t run_count, run_capacity;
    struct data_case *cases;
    size_t case_count, case_capacity;
    struct context_facts *contexts;
    size_t context_count, context_capacity;
};

/* Fetch every row of a prepared statement into the next element of a growing array. */
#define FOR_EACH_ROW(s, st, r, err)                                                                \
    while ((r) == 0 && ((r) = db_step(&(s)->db, (st), (err))) > 0 && ((r) = 0, true))

/* ---- what belongs to one attempt ---- */

int store_facts(struct store *s, uint64_t context, struct arena *arena,
                const struct data_fact **ret, size_t *ret_count, struct err *err)
{
    struct data_fact *facts = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT key, value FROM context_dimension cd"
                     " JOIN dimension_fact f ON f.dimension = cd.dimension"
                     " WHERE cd.context = ? ORDER BY key",
                     "i", (int64_t)context);

    FOR_EACH_ROW(s, st, r, err)
    {
        struct data_fact *f = ARENA_PUSH(arena, facts, count, capacity);

        f->key = db_text(st, 0, arena);
        f->value = db_text(st, 1, arena);
    }
    if (r < 0)
        return r;
    *ret = facts;
    *ret_count = count;
    return 0;
}

static int read_facts(struct query *q, int64_t context, const struct data_fact **ret,
                      size_t *ret_count, struct err *err)
{
    struct context_facts *known;

    for (size_t i = 0; i < q->context_count; i++) {
        if (q->contexts[i].context == context) {
            *ret = q->contexts[i].facts;
            *ret_count = q->contexts[i].count;
            return 0;
        }
    }
    if (store_facts(q->s, (uint64_t)context, q->arena, ret, ret_count, err) < 0)
        return (int)err->code;
    known = ARENA_PUSH(q->arena, q->contexts, q->context_count, q->context_capacity);
    *known = (struct context_facts){.context = context, .facts = *ret, .count = *ret_count};
    return 0;
}

static int by_rank_then_name(const void *a, const void *b)
{
    const struct event_metric *x = a, *y = b;
    const size_t p = metric_info_rank(x->name), q = metric_info_rank(y->name);

    return p != q ? (p < q ? -1 : 1) : strcmp(x->name, y->name);
}

/* An unknown word (from a newer program) falls back to what judges nothing. */
static enum metric_class class_of(const char *word)
{
    const int found = metric_class_find(word != NULL ? word : "");

    return found >= 0 ? (enum metric_class)found : METRIC_INFO;
}

static int read_metrics(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_metric *metrics = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT s.metric, s.unit, s.class, s.lower_is_better, m.value, m.low, m.high,"
                     " m.n, m.budget, m.over_budget FROM measurement m"
                     " JOIN series s ON s.id = m.series WHERE m.attempt = ?",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_metric *m = ARENA_PUSH(q->arena, metrics, count, capacity);

        m->name = db_text(st, 0, q->arena);
        r = store_unit(q->s, sqlite3_column_int64(st, 1), &m->unit, err);
        m->class_ = class_of((const char *)sqlite3_column_text(st, 2));
        m->lower_is_better = sqlite3_column_int(st, 3) != 0;
        m->value = db_real(st, 4);
        m->low = db_real(st, 5);
        m->high = db_real(st, 6);
        m->n = (uint32_t)sqlite3_column_int64(st, 7);
        m->budget = db_text(st, 8, q->arena);
        m->over_budget = sqlite3_column_int(st, 9) != 0;
    }
    if (count > 0)
        qsort(metrics, count, sizeof(*metrics), by_rank_then_name);
    c->metrics = metrics;
    c->metric_count = count;
    return r;
}

static int read_windows(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_window *windows = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT repeat, number, unit, cold, inferences, ticks, overhead, value,"
                     " invalid, host_ns, samples FROM window WHERE attempt = ?"
                     " ORDER BY repeat, number",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_window *w = ARENA_PUSH(q->arena, windows, count, capacity);

        w->repeat = (uint32_t)sqlite3_column_int64(st, 0);
        w->index = (uint32_t)sqlite3_column_int64(st, 1);
        r = store_unit(q->s, sqlite3_column_int64(st, 2), &w->unit, err);
        w->cold = sqlite3_column_int(st, 3) != 0;
        w->inferences = (uint32_t)sqlite3_column_int64(st, 4);
        w->ticks = (uint64_t)sqlite3_column_int64(st, 5);
        w->overhead = (uint64_t)sqlite3_column_int64(st, 6);
        w->value = db_real(st, 7);
        w->invalid = (uint32_t)sqlite3_column_int64(st, 8);
        w->host_ns = (uint64_t)sqlite3_column_int64(st, 9);
        w->samples_size = (size_t)sqlite3_column_bytes(st, 10);
        if (w->samples_size > 0)
            w->samples = arena_dup(q->arena, sqlite3_column_blob(st, 10), w->samples_size);
    }
    c->windows = windows;
    c->window_count = count;
    return r;
}

static int read_energies(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_energy *energies = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r =
        db_start(&q->s->db, &st, err,
                 "SELECT number, inferences, full, invalid, samples, lost, duration_s, gross_nj,"
                 " net_nj, idle_nj, marker_nj, gross_nc, net_nc, mean_na, idle_na, peak_na,"
                 " drift_na, mean_uv, systematic_nj, random_nj FROM energy_window"
                 " WHERE attempt = ? ORDER BY number",
                 "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_energy *e = ARENA_PUSH(q->arena, energies, count, capacity);
        double *const reals[] = {&e->duration_s,    &e->gross_nj, &e->net_nj,   &e->idle_nj,
                                 &e->marker_nj,     &e->gross_nc, &e->net_nc,   &e->mean_na,
                                 &e->idle_na,       &e->peak_na,  &e->drift_na, &e->mean_uv,
                                 &e->systematic_nj, &e->random_nj};

        e->index = (uint32_t)sqlite3_column_int64(st, 0);
        e->inferences = (uint32_t)sqlite3_column_int64(st, 1);
        e->full = sqlite3_column_int(st, 2) != 0;
        e->invalid = (uint32_t)sqlite3_column_int64(st, 3);
        e->samples = (uint64_t)sqlite3_column_int64(st, 4);
        e->lost = (uint64_t)sqlite3_column_int64(st, 5);
        for (size_t i = 0; i < ARRAY_SIZE(reals); i++)
            *reals[i] = db_real(st, 6 + (int)i);
    }
    c->energies = energies;
    c->energy_count = count;
    return r;
}

static int read_profile(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_profile *profile = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT p.number, o.op, o.kernel, p.value, p.unit, p.macs FROM profile p"
                     " JOIN operator o ON o.id = p.operator WHERE p.attempt = ? ORDER BY p.number",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_profile *p = ARENA_PUSH(q->arena, profile, count, capacity);

        p->index = (uint32_t)sqlite3_column_int64(st, 0);
        p->op = db_text(st, 1, q->arena);
        p->kernel = db_text(st, 2, q->arena);
        p->value = db_real(st, 3);
        r = store_unit(q->s, sqlite3_column_int64(st, 4), &p->unit, err);
        p->macs = (uint64_t)sqlite3_column_int64(st, 5);
    }
    c->profile = profile;
    c->profile_count = count;
    return r;
}

static int count_outputs(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT count(*), coalesce(sum(equal), 0) FROM (SELECT min(equal) AS equal"
                     " FROM output WHERE attempt = ? AND compared GROUP BY vector, tensor)",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        c->outputs_compared = (uint32_t)sqlite3_column_int64(st, 0);
        c->outputs_equal = (uint32_t)sqlite3_column_int64(st, 1);
    }
    return r;
}

static int read_outputs(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_output *outputs = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT vector, tensor, compared, equal, first_difference, differences, size,"
                     " b.data, pass FROM output o LEFT JOIN blob b ON b.id = o.blob"
                     " WHERE attempt = ? ORDER BY vector, tensor, pass",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_output *o = ARENA_PUSH(q->arena, outputs, count, capacity);
        const size_t bytes = (size_t)sqlite3_column_bytes(st, 7);

        o->vector = (uint32_t)sqlite3_column_int64(st, 0);
        o->tensor = (uint32_t)sqlite3_column_int64(st, 1);
        o->pass = (uint32_t)sqlite3_column_int64(st, 8);
        o->compared = sqlite3_column_int(st, 2) != 0;
        o->equal = sqlite3_column_int(st, 3) != 0;
        o->first_difference = (uint32_t)sqlite3_column_int64(st, 4);
        o->differences = (uint32_t)sqlite3_column_int64(st, 5);
        o->size = (size_t)sqlite3_column_int64(st, 6);
        /* size and data must agree for the reader, whatever the file says */
        if (sqlite3_column_type(st, 7) != SQLITE_NULL && bytes == o->size)
            o->data = arena_dup(q->arena, bytes > 0 ? sqlite3_column_blob(st, 7) : "", bytes);
    }
    c->outputs = outputs;
    c->output_count = count;
    return r;
}

static int read_recoveries(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    struct event_recovery *list = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err,
                     "SELECT rung, reason, worked FROM recovery WHERE attempt = ? ORDER BY at_ns",
                     "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        struct event_recovery *v = ARENA_PUSH(q->arena, list, count, capacity);

        v->rung = db_text(st, 0, q->arena);
        v->reason = db_text(st, 1, q->arena);
        v->worked = sqlite3_column_int(st, 2) != 0;
    }
    c->recoveries = list;
    c->recovery_count = count;
    return r;
}

/* Asked for only where its run says that there are any. */
static int read_conflicts(struct query *q, int64_t attempt, struct data_case *c, struct err *err)
{
    const char **list = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r =
        db_start(&q->s->db, &st, err, "SELECT event FROM conflict WHERE attempt = ?", "i", attempt);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        const char **event = ARENA_PUSH(q->arena, list, count, capacity);

        *event = db_text(st, 0, q->arena);
    }
    c->conflicts = list;
    c->conflict_count = count;
    return r;
}

static int read_log(struct query *q, int64_t blob, struct data_case *c, struct err *err)
{
    sqlite3_stmt *st;
    int r = db_start(&q->s->db, &st, err, "SELECT data FROM blob WHERE id = ?", "i", blob);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        c->log = arena_strndup(q->arena, (const char *)sqlite3_column_blob(st, 0),
                               (size_t)sqlite3_column_bytes(st, 0));
    }
    return r;
}

/* Latency's unit is what the case was really measured in. */
static void settle_timebase(struct data_case *c)
{
    const struct event_metric *latency = data_case_metric(c, "latency");

    if (latency != NULL)
        c->timebase = latency->unit;
}

static int read_attempt(struct query *q, int64_t attempt, int64_t log, struct data_case *c,
                        struct err *err)
{
    int r = read_metrics(q, attempt, c, err);

    settle_timebase(c);
    if (r == 0)
        r = count_outputs(q, attempt, c, err);
    if (r == 0)
        r = read_recoveries(q, attempt, c, err);
    if (r == 0 && q->run_count > 0 && q->runs[q->run_count - 1].conflicts > 0)
        r = read_conflicts(q, attempt, c, err);
    if (r == 0 && (q->parts & DATA_FACTS) != 0 && c->context != 0)
        r = read_facts(q, (int64_t)c->context, &c->facts, &c->fact_count, err);
    if (r == 0 && (q->parts & DATA_WINDOWS) != 0)
        r = read_windows(q, attempt, c, err);
    if (r == 0 && (q->parts & DATA_WINDOWS) != 0)
        r = read_energies(q, attempt, c, err);
    if (r == 0 && (q->parts & DATA_PROFILE) != 0)
        r = read_profile(q, attempt, c, err);
    if (r == 0 && (q->parts & DATA_OUTPUTS) != 0)
        r = read_outputs(q, attempt, c, err);
    if (r == 0 && (q->parts & DATA_LOGS) != 0 && log != 0)
        r = read_log(q, log, c, err);
    return r;
}

/* ---- runs ---- */

static int read_tags(struct query *q, int64_t run, struct data_run *ret, struct err *err)
{
    const char **tags = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r =
        db_start(&q->s->db, &st, err, "SELECT name FROM tag WHERE run = ? ORDER BY name", "i", run);

    FOR_EACH_ROW(q->s, st, r, err)
    {
        const char **tag = ARENA_PUSH(q->arena, tags, count, capacity);

        *tag = db_text(st, 0, q->arena);
    }
    ret->tags = tags;
    ret->tag_count = count;
    return r;
}

static const char run_sql[] =
    "SELECT r.id, r.uuid, s.name, r.suite_path, s.digest, r.host, r.command_line, r.started_ns,"
    " r.ended_ns, (SELECT count(*) FROM attempt a JOIN conflict x ON x.attempt = a.id"
    " WHERE a.run = r.id), r.suite_file, r.replayed"
    " FROM run r JOIN suite s ON s.id = r.suite WHERE r.uuid = ?";

static int read_run(struct query *q, sqlite3_stmt *st, struct err *err)
{
    struct data_run *run = ARENA_PUSH(q->arena, q->runs, q->run_count, q->run_capacity);

    run->run_id = db_text(st, 1, q->arena);
    run->suite = db_text(st, 2, q->arena);
    run->suite_path = db_text(st, 3, q->arena);
    run->suite_digest = db_text(st, 4, q->arena);
    run->host = db_text(st, 5, q->arena);
    run->command_line = db_text(st, 6, q->arena);
    run->started_ns = (uint64_t)sqlite3_column_int64(st, 7);
    run->ended_ns = (uint64_t)sqlite3_column_int64(st, 8);
    run->conflicts = (uint64_t)sqlite3_column_int64(st, 9);
    run->suite_file = db_text(st, 10, q->arena);
    run->replayed = sqlite3_column_int(st, 11) != 0;
    return read_tags(q, sqlite3_column_int64(st, 0), run, err);
}

/* Cases come run by run, and only their runs count: nobody looks through all runs there are. */
static int begin_run(struct query *q, const char *run_id, struct err *err)
{
    sqlite3_stmt *st;
    int r;

    if (q->run_count > 0 && strcmp(q->runs[q->run_count - 1].run_id, run_id) == 0)
        return 0;
    r = db_start(&q->s->db, &st, err, run_sql, "t", run_id);
    FOR_EACH_ROW(q->s, st, r, err)
    {
        r = read_run(q, st, err);
    }
    return r;
}

/* ---- cases ---- */

/* Columns of cases_sql, in order. */
enum case_column {
    COL_RUN,
    COL_KEY,
    COL_SUITE,
    COL_MODEL,
    COL_BOARD,
    COL_ENGINE,
    COL_PARAMETERS,
    COL_REALM,
    COL_ORDINAL,
    COL_SKIP,
    COL_ATTEMPT,
    COL_NUMBER,
    COL_ATTEMPTS,
    COL_TIMEBASE,
    COL_STARTED,
    COL_HOST_NS,
    COL_STATUS,
    COL_CLASS,
    COL_STAGE,
    COL_TEXT,
    COL_HINT,
    COL_LOG,
    COL_CONTEXT,
};

static const char cases_sql[] =
    "SELECT r.uuid, c.key, c.suite, c.model, c.board, c.engine, c.parameters, c.realm, rc.ordinal,"
    " rc.skip, a.id, a.number, (SELECT count(*) FROM attempt n WHERE n.run = rc.run AND n.case_def "
    "="
    " rc.case_def), a.timebase, a.started_ns, a.host_ns, a.status, a.failure_class, a.stage, "
    "a.text,"
    " a.hint, a.log, a.context"
    " FROM run r JOIN run_case rc ON rc.run = r.id JOIN case_def c ON c.id = rc.case_def"
    " LEFT JOIN attempt a ON a.id = (SELECT n.id FROM attempt n WHERE n.run = rc.run AND n.case_def"
    " = rc.case_def ORDER BY n.status IS NULL, n.number DESC, n.started_ns DESC LIMIT 1)"
    " WHERE true%s ORDER BY r.started_ns DESC, r.id DESC, rc.ordinal, c.key";

static enum case_status status_of(const char *word)
{
    const int found = word != NULL ? case_status_find(word) : CASE_CANCELLED;

    return found >= 0 ? (enum case_status)found : CASE_ERROR;
}

static void fill_case(struct query *q, sqlite3_stmt *st, struct data_case *c)
{
    const int realm = realm_find((const char *)sqlite3_column_text(st, COL_REALM));
    const int attempts = sqlite3_column_int(st, COL_ATTEMPTS);

    c->run_id = db_text(st, COL_RUN, q->arena);
    c->key = db_text(st, COL_KEY, q->arena);
    c->suite = db_text(st, COL_SUITE, q->arena);
    c->model = db_text(st, COL_MODEL, q->arena);
    c->board = db_text(st, COL_BOARD, q->arena);
    c->engine = db_text(st, COL_ENGINE, q->arena);
    c->parameters = db_text(st, COL_PARAMETERS, q->arena);
    c->realm = realm >= 0 ? (enum realm)realm : REALM_VIRTUAL;
    c->ordinal = (uint32_t)sqlite3_column_int64(st, COL_ORDINAL);
    c->attempt = (uint32_t)sqlite3_column_int64(st, COL_NUMBER);
    c->retries = attempts > 1 ? (uint32_t)attempts - 1 : 0;
    c->started_ns = (uint64_t)sqlite3_column_int64(st, COL_STARTED);
    c->host_ns = (uint64_t)sqlite3_column_int64(st, COL_HOST_NS);
    c->ended = sqlite3_column_type(st, COL_STATUS) != SQLITE_NULL;
    c->status = status_of((const char *)sqlite3_column_text(st, COL_STATUS));
    c->failure_class = db_text(st, COL_CLASS, q->arena);
    c->stage = db_text(st, COL_STAGE, q->arena);
    c->text = db_text(st, COL_TEXT, q->arena);
    c->hint = db_text(st, COL_HINT, q->arena);
    c->context = (uint64_t)sqlite3_column_int64(st, COL_CONTEXT);
    if (attempts == 0 && sqlite3_column_type(st, COL_SKIP) != SQLITE_NULL) {
        c->ended = true;
        c->status = CASE_SKIPPED;
        c->text = db_text(st, COL_SKIP, q->arena);
    }
}

static int read_case(struct query *q, sqlite3_stmt *st, struct err *err)
{
    struct data_case *c = ARENA_PUSH(q->arena, q->cases, q->case_count, q->case_capacity);
    const int64_t attempt = sqlite3_column_int64(st, COL_ATTEMPT);
    const int64_t log = sqlite3_column_int64(st, COL_LOG);
    int r = 0;

    fill_case(q, st, c);
    r = begin_run(q, c->run_id, err);
    if (r == 0 && sqlite3_column_int64(st, COL_TIMEBASE) != 0)
        r = store_unit(q->s, sqlite3_column_int64(st, COL_TIMEBASE), &c->timebase, err);
    if (r == 0 && attempt != 0)
        r = read_attempt(q, attempt, log, c, err);
    return r < 0 ? err_in(err, "case '%s'", c->key) : 0;
}

static int read_cases(struct query *q, const struct condition *condition, struct err *err)
{
    AUTO_BUF sql = BUF_INIT;
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    int r;

    buf_printf(&sql, cases_sql, buf_text(&condition->sql));
    r = db_prepare(&q->s->db, buf_text(&sql), &st, err);
    if (r == 0)
        r = condition_bind(q->s, condition, st, err);
    FOR_EACH_ROW(q->s, st, r, err)
    {
        r = read_case(q, st, err);
    }
    return r;
}

int store_query(struct store *s, const struct store_selection *selection, struct arena *arena,
                struct dataset *ret, struct err *err)
{
    AUTO(condition_release) struct condition condition = {.count = 0};
    struct query q = {.s = s, .arena = arena, .parts = selection->parts};
    int r = db_exec(&s->db, "BEGIN", err); /* one snapshot, whatever is written meanwhile */

    if (r == 0)
        r = condition_from(s, selection, &condition, err);
    if (r == 0)
        r = read_cases(&q, &condition, err);
    db_rollback(&s->db);
    if (r < 0)
        return r;
    *ret = (struct dataset){
        .runs = q.runs, .run_count = q.run_count, .cases = q.cases, .case_count = q.case_count};
    return 0;
}
