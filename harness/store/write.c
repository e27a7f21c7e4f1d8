/*
 * Events to rows. Every INSERT names the row by what it is (hash, run and number ...), so that
 * doing it again does nothing, and something else under the same name is noticed (1: the row that was
 * there first says something else and stays). The caller holds the transaction.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/store/internal.h"

/* Id of a row that is there or is put there: `select` and `insert` take the same values. */
#define FIND_OR_INSERT(s, ret, err, select, insert, format, ...)                                   \
    __extension__({                                                                                \
        int r_ = db_number(&(s)->db, (ret), (err), (select), (format), __VA_ARGS__);               \
        if (r_ == 0) {                                                                             \
            r_ = db_run(&(s)->db, (err), (insert), (format), __VA_ARGS__);                         \
            *(ret) = sqlite3_last_insert_rowid((s)->db.handle);                                    \
        }                                                                                          \
        r_ < 0 ? r_ : 0;                                                                           \
    })

/*
 * A row that is put there, or has been: 0 then too, if it says the same, and 1 if it does not. Only a
 * row that is not put there costs another statement; `select` takes the same values, and finds the
 * row by all of them.
 */
#define INSERT_OR_FIND(s, err, insert, select, format, ...)                                        \
    __extension__({                                                                                \
        int64_t same_ = 0;                                                                         \
        int r_ = db_run(&(s)->db, (err), (insert), (format), __VA_ARGS__);                         \
        if (r_ == 0 && sqlite3_changes64((s)->db.handle) == 0) {                                   \
            r_ = db_number(&(s)->db, &same_, (err), (select), (format), __VA_ARGS__);              \
            r_ = r_ < 0 ? r_ : r_ == 0;                                                            \
        }                                                                                          \
        r_;                                                                                        \
    })

static int write_blob(struct store *s, const void *data, size_t size, int64_t *ret, struct err *err)
{
    struct sha256 h;
    uint8_t hash[32];
    int r;

    sha256_init(&h);
    sha256_update(&h, data, size);
    sha256_final(&h, hash);
    r = db_number(&s->db, ret, err, "SELECT id FROM blob WHERE hash = ?", "h", hash);
    if (r != 0)
        return r < 0 ? r : 0;
    r = db_run(&s->db, err, "INSERT INTO blob (hash, data) VALUES (?, ?)", "hb", hash,
               size > 0 ? data : "", size);
    *ret = sqlite3_last_insert_rowid(s->db.handle);
    return r;
}

static void parameters_text(const struct plan_case *c, struct buf *ret)
{
    for (size_t i = 0; i < c->parameter_count; i++)
        buf_printf(ret, "%s%s=%s", i > 0 ? "," : "", c->parameters[i].name, c->parameters[i].value);
}

static void hash_text(struct sha256 *h, const char *s)
{
    sha256_update(h, s != NULL ? s : "", s != NULL ? strlen(s) + 1 : 1);
}

static int write_case_def(struct store *s, const char *suite, const struct plan_case *c,
                          int64_t *ret, struct err *err)
{
    AUTO_BUF parameters = BUF_INIT;
    const char *model = c->model != NULL ? c->model->name : NULL;
    const char *realm = realm_name(c->board->realm);
    struct sha256 h;
    uint8_t hash[32];
    int r;

    parameters_text(c, &parameters);
    sha256_init(&h);
    hash_text(&h, suite);
    hash_text(&h, c->key);
    hash_text(&h, model);
    hash_text(&h, c->board->name);
    hash_text(&h, c->engine);
    hash_text(&h, buf_text(&parameters));
    hash_text(&h, realm);
    sha256_final(&h, hash);
    r = db_number(&s->db, ret, err, "SELECT id FROM case_def WHERE hash = ?", "h", hash);
    if (r != 0)
        return r < 0 ? r : 0;
    r = db_run(&s->db, err,
               "INSERT INTO case_def (hash, suite, key, model, board, engine, parameters, realm)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               "httttttt", hash, suite, c->key, model, c->board->name,
               c->engine != NULL ? c->engine : "", buf_text(&parameters), realm);
    *ret = sqlite3_last_insert_rowid(s->db.handle);
    return r;
}

static int write_plan(struct store *s, int64_t run, const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->case_count; i++) {
        int64_t def;
        int r = write_case_def(s, plan->suite->name, &plan->cases[i], &def, err);

        if (r == 0)
            r = db_run(&s->db, err,
                       "INSERT INTO run_case (run, case_def, ordinal, skip) VALUES (?, ?, ?, ?)"
                       " ON CONFLICT DO UPDATE SET skip = NULL" /* another share's by now */
                       " WHERE skip IS NOT NULL AND excluded.skip IS NULL",
                       "iiit", run, def, (int64_t)i, plan->cases[i].skip);
        if (r < 0)
            return r;
    }
    return 0;
}

int write_run_begin(struct store *s, const struct event *e, struct err *err)
{
    const struct event_run *b = &e->run;
    const struct suite *suite = b->plan->suite;
    int64_t suite_id = 0, run = 0;
    int r = FIND_OR_INSERT(s, &suite_id, err, "SELECT id FROM suite WHERE name = ? AND digest = ?",
                           "INSERT INTO suite (name, digest) VALUES (?, ?)", "tt", suite->name,
                           suite->digest);

    if (r == 0)
        r = db_run(
            &s->db, err,
            "INSERT INTO run (uuid, suite, suite_path, host, command_line, started_ns, repeat,"
            " interleave, replayed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            "titttiiii", e->run_id, suite_id, suite->path, b->host, b->command_line,
            (int64_t)b->started_ns, (int64_t)b->repeat, (int64_t)b->interleave,
            (int64_t)b->replayed);
    if (r == 0)
        r = find_run(s, e->run_id, &run, err);
    if (r == 0)
        r = db_run(&s->db, err,
                   "INSERT INTO run_session (run, started_ns, host, command_line)"
                   " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                   "iitt", run, (int64_t)b->started_ns, b->host != NULL ? b->host : "",
                   b->command_line);
    if (r == 0)
        r = db_run(&s->db, err, "UPDATE run SET suite_file = ? WHERE id = ? AND ?1 IS NOT NULL",
                   "ti", b->suite_file, run);
    /* A resumed run is not over any more. */
    if (r == 0)
        r = db_run(&s->db, err, "UPDATE run SET ended_ns = NULL WHERE id = ? AND ended_ns < ?",
                   "ii", run, (int64_t)b->started_ns);
    return r == 0 ? write_plan(s, run, b->plan, err) : r;
}

int write_run_end(struct store *s, const struct event *e, struct err *err)
{
    int r = db_run(&s->db, err, "UPDATE run SET ended_ns = ? WHERE uuid = ? AND ended_ns IS NULL",
                   "it", (int64_t)e->at_ns, e->run_id);

    if (r == 0)
        r = db_run(&s->db, err,
                   "UPDATE run_session SET ended_ns = ?1"
                   " WHERE ended_ns IS NULL AND run = (SELECT id FROM run WHERE uuid = ?2) AND"
                   " started_ns = (SELECT max(started_ns) FROM run_session o"
                   "                WHERE o.run = run_session.run)",
                   "it", (int64_t)e->at_ns, e->run_id);
    return r;
}

/* Names an attempt in every database it is ever merged into. */
static void attempt_uuid(const struct event *e, int64_t def, const char *suite, uint8_t hash[32])
{
    struct sha256 h;

    sha256_init(&h);
    hash_text(&h, e->run_id);
    hash_text(&h, suite);
    hash_text(&h, e->case_->key);
    sha256_update(&h, &e->attempt, sizeof(e->attempt));
    sha256_update(&h, &e->at_ns, sizeof(e->at_ns));
    sha256_final(&h, hash);
}

static int run_suite(struct store *s, int64_t run, char ret_name[static 256], struct err *err)
{
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT suite.name FROM run JOIN suite ON suite.id = run.suite"
                     " WHERE run.id = ?",
                     "i", run);

    if (r == 0)
        r = db_step(&s->db, st, err);
    if (r <= 0)
        return r < 0 ? r : err_set(err, ERR_BUG, "%s: a run without suite", s->path);
    (void)snprintf(ret_name, 256, "%s", (const char *)sqlite3_column_text(st, 0));
    (void)sqlite3_reset(st);
    return 0;
}

static int case_of_run(struct store *s, const struct event *e, int64_t *ret_run, int64_t *ret_def,
                       char ret_suite[static 256], struct err *err)
{
    int r = find_run(s, e->run_id, ret_run, err);

    if (r == 0)
        r = run_suite(s, *ret_run, ret_suite, err);
    if (r == 0)
        r = write_case_def(s, ret_suite, e->case_, ret_def, err);
    return r;
}

int write_case_begin(struct store *s, const struct event *e, int64_t *ret_attempt, struct err *err)
{
    int64_t run = 0, def = 0;
    char suite[256];
    uint8_t uuid[32];
    bool known;
    int r = case_of_run(s, e, &run, &def, suite, err);

    if (r == 0)
        r = db_run(&s->db, err,
                   "INSERT INTO run_case (run, case_def, ordinal)"
                   " SELECT ?1, ?2, coalesce(max(ordinal) + 1, 0) FROM run_case WHERE run = ?1"
                   " ON CONFLICT DO NOTHING",
                   "ii", run, def);
    if (r < 0)
        return r;
    attempt_uuid(e, def, suite, uuid);
    r = db_run(&s->db, err,
               "INSERT INTO attempt (uuid, run, case_def, number, timebase, started_ns)"
               " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
               "hiiiii", uuid, run, def, (int64_t)e->attempt,
               s->units[e->case_->board->timebase_unit], (int64_t)e->at_ns);
    known = sqlite3_changes64(s->db.handle) == 0;
    if (r == 0)
        r = db_number(&s->db, ret_attempt, err, "SELECT id FROM attempt WHERE uuid = ?", "h", uuid);
    return r < 0 ? r : known;
}

int find_attempt(struct store *s, const struct event *e, int64_t *ret, struct err *err)
{
    int64_t run = 0, def = 0;
    char suite[256];
    int r = case_of_run(s, e, &run, &def, suite, err);

    if (r == 0)
        r = db_number(&s->db, ret, err,
                      "SELECT id FROM attempt WHERE run = ? AND case_def = ? AND number = ?"
                      " ORDER BY started_ns DESC LIMIT 1",
                      "iii", run, def, (int64_t)e->attempt);
    return r < 0 ? r : r == 0;
}

int write_case_end(struct store *s, int64_t attempt, const struct event *e, struct err *err)
{
    const struct event_case_end *end = &e->end;
    const size_t size = end->log != NULL ? strnlen(end->log, STORE_BLOB_MAX) : 0;
    int64_t log = 0;
    int r = size > 0 ? write_blob(s, end->log, size, &log, err) : 0;

    if (r == 0)
        r = INSERT_OR_FIND(
            s, err,
            "UPDATE attempt SET ended_ns = ?, host_ns = ?, status = ?, code = ?,"
            " failure_class = ?, stage = ?, text = ?, hint = ?, log = nullif(?, 0),"
            " retried = ? WHERE id = ? AND status IS NULL",
            "SELECT 1 FROM attempt WHERE ended_ns IS ? AND host_ns IS ? AND status IS ?"
            " AND code IS ? AND failure_class IS ? AND stage IS ? AND text IS ? AND hint IS ?"
            " AND log IS nullif(?, 0) AND coalesce(retried, 0) IS ? AND id IS ?",
            "iitittttiii", (int64_t)e->at_ns, (int64_t)end->host_ns, case_status_name(end->status),
            (int64_t)end->code, end->failure_class, end->stage, end->text, end->hint, log,
            (int64_t)end->retried, attempt);
    return r;
}

int write_output(struct store *s, int64_t attempt, const struct event_output *o, struct err *err)
{
    int64_t blob = 0;
    int r = o->data != NULL && o->size <= STORE_BLOB_MAX
                ? write_blob(s, o->data, o->size, &blob, err)
                : 0;

    if (r == 0)
        r = INSERT_OR_FIND(
            s, err,
            "INSERT INTO output (attempt, vector, tensor, pass, compared, equal, first_difference,"
            " differences, size, blob) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))"
            " ON CONFLICT DO NOTHING",
            "SELECT 1 FROM output WHERE attempt = ? AND vector = ? AND tensor = ? AND pass = ?"
            " AND compared IS ? AND equal IS ? AND first_difference IS ? AND differences IS ?"
            " AND size IS ? AND blob IS nullif(?, 0)",
            "iiiiiiiiii", attempt, (int64_t)o->vector, (int64_t)o->tensor, (int64_t)o->pass,
            (int64_t)o->compared, (int64_t)o->equal, (int64_t)o->first_difference,
            (int64_t)o->differences, (int64_t)o->size, blob);
    return r;
}

int write_window(struct store *s, int64_t attempt, const struct event_window *w, struct err *err)
{
    return INSERT_OR_FIND(
        s, err,
        "INSERT INTO window (attempt, repeat, number, unit, cold, inferences, ticks,"
        " overhead, value, invalid, host_ns, samples)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        "SELECT 1 FROM window WHERE attempt = ? AND repeat = ? AND number = ? AND unit = ?"
        " AND cold IS ? AND inferences IS ? AND ticks IS ? AND overhead IS ? AND value IS ?"
        " AND invalid IS ? AND host_ns IS ? AND samples IS ?",
        "iiiiiiiiriib", attempt, (int64_t)w->repeat, (int64_t)w->index, s->units[w->unit],
        (int64_t)w->cold, (int64_t)w->inferences, (int64_t)w->ticks, (int64_t)w->overhead, w->value,
        (int64_t)w->invalid, (int64_t)w->host_ns, w->samples, w->samples_size);
}

int write_energy(struct store *s, int64_t attempt, const struct event_energy *e, struct err *err)
{
    return INSERT_OR_FIND(
        s, err,
        "INSERT INTO energy_window (attempt, number, inferences, full, invalid,"
        " duration_s, gross_nj, net_nj, idle_nj, marker_nj, gross_nc, net_nc, mean_na,"
        " idle_na, peak_na, drift_na, mean_uv, systematic_nj, random_nj, samples, lost)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        "SELECT 1 FROM energy_window WHERE attempt = ? AND number = ? AND inferences IS ?"
        " AND full IS ? AND invalid IS ? AND duration_s IS ? AND gross_nj IS ? AND net_nj IS ?"
        " AND idle_nj IS ? AND marker_nj IS ? AND gross_nc IS ? AND net_nc IS ? AND mean_na IS ?"
        " AND idle_na IS ? AND peak_na IS ? AND drift_na IS ? AND mean_uv IS ?"
        " AND systematic_nj IS ? AND random_nj IS ? AND samples IS ? AND lost IS ?",
        "iiiiirrrrrrrrrrrrrrii", attempt, (int64_t)e->index, (int64_t)e->inferences,
        (int64_t)e->full, (int64_t)e->invalid, e->duration_s, e->gross_nj, e->net_nj, e->idle_nj,
        e->marker_nj, e->gross_nc, e->net_nc, e->mean_na, e->idle_na, e->peak_na, e->drift_na,
        e->mean_uv, e->systematic_nj, e->random_nj, (int64_t)e->samples, (int64_t)e->lost);
}

/* The newest definition of a metric wins: class and direction say how to judge, not what it is. */
static int write_series(struct store *s, int64_t attempt, const struct event_metric *m,
                        int64_t *ret, struct err *err)
{
    int r = db_number(&s->db, ret, err,
                      "SELECT s.id FROM series s JOIN attempt a ON a.case_def = s.case_def"
                      " WHERE a.id = ? AND s.metric = ? AND s.unit = ? AND s.class = ?"
                      " AND s.lower_is_better = ?",
                      "ititi", attempt, m->name, s->units[m->unit], metric_class_name(m->class_),
                      (int64_t)m->lower_is_better);

    if (r != 0)
        return r < 0 ? r : 0;
    r = db_run(&s->db, err,
               "INSERT INTO series (case_def, metric, unit, class, lower_is_better)"
               " SELECT case_def, ?2, ?3, ?4, ?5 FROM attempt WHERE id = ?1"
               " ON CONFLICT (case_def, metric, unit) DO UPDATE SET class = excluded.class,"
               " lower_is_better = excluded.lower_is_better",
               "ititi", attempt, m->name, s->units[m->unit], metric_class_name(m->class_),
               (int64_t)m->lower_is_better);
    if (r == 0)
        r = db_number(&s->db, ret, err,
                      "SELECT s.id FROM series s JOIN attempt a ON a.case_def = s.case_def"
                      " WHERE a.id = ? AND s.metric = ? AND s.unit = ?",
                      "iti", attempt, m->name, s->units[m->unit]);
    return r < 0 ? r : 0;
}

int write_metric(struct store *s, int64_t attempt, const struct event_metric *m, struct err *err)
{
    int64_t series = 0;
    int r = write_series(s, attempt, m, &series, err);

    if (r == 0)
        r = INSERT_OR_FIND(
            s, err,
            "INSERT INTO measurement (attempt, series, value, low, high, n, budget,"
            " over_budget) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            "SELECT 1 FROM measurement WHERE attempt = ? AND series = ? AND value IS ?"
            " AND low IS ? AND high IS ? AND n IS ? AND budget IS ? AND over_budget IS ?",
            "iirrriti", attempt, series, m->value, m->low < m->high ? m->low : NAN,
            m->low < m->high ? m->high : NAN, (int64_t)m->n, m->budget, (int64_t)m->over_budget);
    return r;
}

int write_profile(struct store *s, int64_t attempt, const struct event_profile *p, struct err *err)
{
    int64_t operator_id = 0;
    int r =
        FIND_OR_INSERT(s, &operator_id, err, "SELECT id FROM operator WHERE op = ? AND kernel = ?",
                       "INSERT INTO operator (op, kernel) VALUES (?, ?)", "tt", p->op,
                       p->kernel != NULL ? p->kernel : "");

    if (r == 0)
        r = INSERT_OR_FIND(
            s, err,
            "INSERT INTO profile (attempt, number, operator, value, unit, macs)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            "SELECT 1 FROM profile WHERE attempt = ? AND number = ? AND operator IS ?"
            " AND value IS ? AND unit IS ? AND macs IS ?",
            "iiirii", attempt, (int64_t)p->index, operator_id, p->value, s->units[p->unit],
            (int64_t)p->macs);
    return r;
}

int write_recovery(struct store *s, int64_t attempt, const struct event *e, struct err *err)
{
    const struct event_recovery *v = &e->recovery;
    const char *board = e->case_ != NULL ? e->case_->board->name : NULL;
    struct sha256 h;
    uint8_t uuid[32];
    int64_t run = 0;
    int r = find_run(s, e->run_id, &run, err);

    if (r < 0)
        return r;
    sha256_init(&h);
    hash_text(&h, e->run_id);
    hash_text(&h, board);
    hash_text(&h, v->rung);
    hash_text(&h, v->reason);
    hash_text(&h, v->worked ? "worked" : "");
    hash_text(&h, e->case_ != NULL ? e->case_->key : NULL);
    sha256_update(&h, &e->attempt, sizeof(e->attempt));
    sha256_update(&h, &e->at_ns, sizeof(e->at_ns));
    sha256_final(&h, uuid);
    return db_run(&s->db, err,
                  "INSERT INTO recovery (uuid, run, attempt, board, at_ns, rung, reason, worked)"
                  " VALUES (?, ?, nullif(?, 0), ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                  "hiititti", uuid, run, attempt, board, (int64_t)e->at_ns, v->rung, v->reason,
                  (int64_t)v->worked);
}
