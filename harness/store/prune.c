/*
 * Old details go, summaries stay: what a history, a comparison by figures and a failure count need.
 * One transaction per run, so that a running measurement never waits long.
 */
#include "harness/store/internal.h"

struct deletion {
    const char *sql; /* of one run, ?1 */
    size_t counter;  /* offset in struct store_prune, 0: not counted */
};

#define FOR_RUN "attempt IN (SELECT id FROM attempt WHERE run = ?1)"

static const struct deletion details[] = {
    {"DELETE FROM window WHERE " FOR_RUN, offsetof(struct store_prune, windows)},
    {"DELETE FROM energy_window WHERE " FOR_RUN, 0},
    {"UPDATE output SET blob = NULL WHERE blob IS NOT NULL AND " FOR_RUN,
     offsetof(struct store_prune, outputs)}, /* how many were exact stays */
    {"DELETE FROM profile WHERE " FOR_RUN, offsetof(struct store_prune, profiles)},
    {"DELETE FROM conflict WHERE " FOR_RUN, 0},
    {"UPDATE attempt SET log = NULL WHERE run = ?1 AND log IS NOT NULL", 0},
};
static const struct deletion whole[] = {
    {"DELETE FROM window WHERE " FOR_RUN, offsetof(struct store_prune, windows)},
    {"DELETE FROM energy_window WHERE " FOR_RUN, 0},
    {"DELETE FROM output WHERE " FOR_RUN, offsetof(struct store_prune, outputs)},
    {"DELETE FROM profile WHERE " FOR_RUN, offsetof(struct store_prune, profiles)},
    {"DELETE FROM run WHERE id = ?1", 0},
};

/* Rows nothing refers to any more. */
static const char *const orphans[] = {
    "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM measurement m WHERE m.series = series.id)",
    "DELETE FROM case_def WHERE NOT EXISTS (SELECT 1 FROM run_case r WHERE r.case_def = "
    "case_def.id)"
    " AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.case_def = case_def.id)"
    " AND NOT EXISTS (SELECT 1 FROM series s WHERE s.case_def = case_def.id)",
    "DELETE FROM context WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.context = context.id)",
    "DELETE FROM dimension WHERE NOT EXISTS"
    " (SELECT 1 FROM context_dimension c WHERE c.dimension = dimension.id)",
    "DELETE FROM suite WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.suite = suite.id)",
};
static const char orphan_blobs[] =
    "DELETE FROM blob WHERE NOT EXISTS (SELECT 1 FROM output o WHERE o.blob = blob.id)"
    " AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.log = blob.id)";

static int prune_run(struct store *s, int64_t run, struct store_prune *p, struct err *err)
{
    const struct deletion *list = p->whole_runs ? whole : details;
    const size_t count = p->whole_runs ? ARRAY_SIZE(whole) : ARRAY_SIZE(details);
    uint64_t changed = 0;
    int r = db_begin(&s->db, err);

    for (size_t i = 0; i < count && r == 0; i++) {
        r = db_run(&s->db, err, list[i].sql, "i", run);
        changed += (uint64_t)sqlite3_changes64(s->db.handle);
        if (list[i].counter != 0)
            *(uint64_t *)((char *)p + list[i].counter) += (uint64_t)sqlite3_changes64(s->db.handle);
    }
    if (r == 0 && !p->dry_run)
        r = db_commit(&s->db, err);
    db_rollback(&s->db);
    p->runs += changed > 0;
    return r;
}

static int prune_orphans(struct store *s, struct store_prune *p, struct err *err)
{
    int r = db_begin(&s->db, err);

    for (size_t i = 0; i < ARRAY_SIZE(orphans) && r == 0; i++)
        r = db_run(&s->db, err, orphans[i], "");
    if (r == 0)
        r = db_run(&s->db, err, orphan_blobs, "");
    p->blobs = (uint64_t)sqlite3_changes64(s->db.handle);
    if (r == 0)
        r = db_commit(&s->db, err);
    db_rollback(&s->db);
    return r;
}

/*
 * The gate gives last-good to every run that passes: of those only the newest is kept for its tag, else
 * nothing would ever be pruned.
 */
#define IS_TAGGED                                                                                  \
    "EXISTS (SELECT 1 FROM tag t WHERE t.run = run.id AND (coalesce(t.note, '') <> "               \
    "'" STORE_GATE_NOTE "' OR t.at_ns = (SELECT max(n.at_ns) FROM tag n WHERE n.name = t.name)))"

/* Ids first: the list must not change under the deletions. */
static int list_runs(struct store *s, const struct store_prune *p, struct arena *arena,
                     int64_t **ret, size_t *ret_count, struct err *err)
{
    size_t capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT id FROM run WHERE started_ns < ?1 AND (NOT ?2 OR NOT " IS_TAGGED ")"
                     " ORDER BY started_ns",
                     "ii", (int64_t)p->before_ns, (int64_t)p->keep_tagged);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        *ARENA_PUSH(arena, *ret, *ret_count, capacity) = sqlite3_column_int64(st, 0);
        r = 0;
    }
    return r;
}

int store_prune_kept(struct store *s, const struct store_prune *prune, struct arena *arena,
                     const struct store_span **ret, size_t *ret_count, struct err *err)
{
    struct store_span *list = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT started_ns, coalesce(ended_ns, started_ns) FROM run"
                     " WHERE started_ns < ?1 AND ?2 AND " IS_TAGGED,
                     "ii", (int64_t)prune->before_ns, (int64_t)prune->keep_tagged);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        *ARENA_PUSH(arena, list, count, capacity) = (struct store_span){
            (uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1)};
        r = 0;
    }
    *ret = list;
    *ret_count = count;
    return r;
}

int store_prune(struct store *s, struct store_prune *prune, struct err *err)
{
    struct arena arena = ARENA_INIT;
    int64_t *runs = NULL;
    size_t count = 0;
    int r = list_runs(s, prune, &arena, &runs, &count, err);

    prune->runs = prune->windows = prune->outputs = prune->profiles = prune->blobs = 0;
    for (size_t i = 0; i < count && r == 0; i++)
        r = prune_run(s, runs[i], prune, err);
    if (r == 0 && !prune->dry_run)
        r = prune_orphans(s, prune, err);
    arena_release(&arena);
    return r;
}
