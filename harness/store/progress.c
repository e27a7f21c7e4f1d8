/* Resume: what a run has done and what is left. */
#include <string.h>

#include "harness/store/internal.h"

static int read_progress(struct store *s, int64_t run, struct arena *arena,
                         struct store_progress *p, struct err *err)
{
    struct store_case_progress *cases = NULL;
    size_t capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT c.key, c.board, rc.skip,"
                     " (SELECT coalesce(max(number) + 1, 0) FROM attempt a WHERE a.run = rc.run AND"
                     "  a.case_def = rc.case_def),"
                     " (SELECT status FROM attempt a WHERE a.run = rc.run AND a.case_def ="
                     "  rc.case_def AND status IS NOT NULL"
                     "  ORDER BY number DESC, started_ns DESC LIMIT 1),"
                     " (SELECT retried FROM attempt a WHERE a.run = rc.run AND a.case_def ="
                     "  rc.case_def AND status IS NOT NULL"
                     "  ORDER BY number DESC, started_ns DESC LIMIT 1)"
                     " FROM run_case rc JOIN case_def c ON c.id = rc.case_def WHERE rc.run = ?"
                     " ORDER BY rc.ordinal, c.key",
                     "i", run);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct store_case_progress *c = ARENA_PUSH(arena, cases, p->case_count, capacity);
        const char *status = (const char *)sqlite3_column_text(st, 4);
        const int found = status != NULL ? case_status_find(status) : CASE_CANCELLED;

        c->key = db_text(st, 0, arena);
        c->board = db_text(st, 1, arena);
        c->attempts = (uint32_t)sqlite3_column_int64(st, 3);
        c->status = found >= 0 ? (enum case_status)found : CASE_ERROR;
        c->skip = db_text(st, 2, arena);
        if (c->skip != NULL && c->attempts == 0)
            c->status = CASE_SKIPPED;
        /* The attempt that was to follow never came. */
        c->done = c->status != CASE_CANCELLED && sqlite3_column_int(st, 5) == 0;
        p->done_count += c->done;
        r = 0;
    }
    p->cases = cases;
    return r;
}

static int read_run_row(struct store *s, int64_t run, struct arena *arena, struct store_progress *p,
                        struct err *err)
{
    struct data_run *ret = &p->run;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT r.uuid, s.name, r.suite_path, s.digest, r.host, r.command_line,"
                     " r.started_ns, r.ended_ns, r.repeat, r.interleave, r.suite_file,"
                     " r.replayed"
                     " FROM run r JOIN suite s ON s.id = r.suite WHERE r.id = ?",
                     "i", run);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        ret->run_id = db_text(st, 0, arena);
        ret->suite = db_text(st, 1, arena);
        ret->suite_path = db_text(st, 2, arena);
        ret->suite_digest = db_text(st, 3, arena);
        ret->host = db_text(st, 4, arena);
        ret->command_line = db_text(st, 5, arena);
        ret->started_ns = (uint64_t)sqlite3_column_int64(st, 6);
        ret->ended_ns = (uint64_t)sqlite3_column_int64(st, 7);
        p->repeat = (uint32_t)sqlite3_column_int64(st, 8);
        p->interleave = sqlite3_column_int(st, 9) != 0;
        ret->suite_file = db_text(st, 10, arena);
        ret->replayed = sqlite3_column_int(st, 11) != 0;
        r = 0;
    }
    return r;
}

int store_run_progress(struct store *s, const char *run, struct arena *arena,
                       struct store_progress *ret, struct err *err)
{
    struct store_progress p = {.case_count = 0};
    int64_t id = 0;
    int r = find_run(s, run, &id, err);

    if (r == 0)
        r = read_run_row(s, id, arena, &p, err);
    if (r == 0)
        r = read_progress(s, id, arena, &p, err);
    if (r == 0)
        *ret = p;
    return r;
}

int store_find_unfinished(struct store *s, struct arena *arena, const char **ret_run_id,
                          struct err *err)
{
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT uuid FROM run WHERE ended_ns IS NULL"
                     " ORDER BY started_ns DESC, id DESC LIMIT 1",
                     "");

    if (r == 0)
        r = db_step(&s->db, st, err);
    if (r <= 0)
        return r < 0 ? r : 1;
    *ret_run_id = db_text(st, 0, arena);
    (void)sqlite3_reset(st);
    return 0;
}
