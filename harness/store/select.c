/* Which runs and cases a selection means. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/store/internal.h"

enum {
    PREFIX_MIN = 4,
    NEAR_MAX = 200
};

static int no_run(struct store *s, const char *name, struct err *err)
{
    int64_t count = 0;
    const int r = db_number(&s->db, &count, err, "SELECT count(*) FROM run", "");

    if (r < 0)
        return r;
    (void)err_set(err, ERR_USAGE, "%s: there is no run '%s'", s->path, name);
    if (count == 0)
        return err_hint(err, "the database is empty: `tinyrig run SUITE` fills it");
    return err_hint(err, "`tinyrig db runs` lists them; \"last\" is the newest");
}

/* id is a full id or the only one with this beginning. */
static int find_by_prefix(struct store *s, const char *id, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st;
    int64_t first = 0;
    int found = 0;
    int r = db_number(&s->db, ret, err, "SELECT id FROM run WHERE uuid = ?", "t", id);

    if (r != 0)
        return r < 0 ? r : 0;
    if (strlen(id) < PREFIX_MIN)
        return no_run(s, id, err);
    r = db_start(&s->db, &st, err,
                 "SELECT id FROM run WHERE substr(uuid, 1, length(?1)) = ?1 LIMIT 2", "t", id);
    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        first = found++ == 0 ? sqlite3_column_int64(st, 0) : first;
        r = 0;
    }
    if (r < 0)
        return r;
    if (found == 0)
        return no_run(s, id, err);
    if (found > 1)
        return err_set(err, ERR_USAGE, "%s: more than one run begins with '%s'", s->path, id);
    *ret = first;
    return 0;
}

/* "last" or "last~N" -> N; -1 when it is neither. */
static int64_t last_offset(const char *name)
{
    uint64_t n = 0;

    if (strcmp(name, "last") == 0)
        return 0;
    return strncmp(name, "last~", 5) == 0 && text_to_u64(name + 5, &n) && n < INT32_MAX ? (int64_t)n
                                                                                        : -1;
}

int find_run(struct store *s, const char *name, int64_t *ret, struct err *err)
{
    const int64_t offset = last_offset(name);
    int r;

    if (offset < 0)
        return find_by_prefix(s, name, ret, err);
    r = db_number(&s->db, ret, err,
                  "SELECT id FROM run ORDER BY started_ns DESC, id DESC LIMIT 1 OFFSET ?", "i",
                  offset);
    return r < 0 ? r : r > 0 ? 0 : no_run(s, name, err);
}

/* ---- conditions ---- */

static void condition_number(struct condition *c, const char *sql, int64_t number)
{
    buf_puts(&c->sql, sql);
    c->values[c->count].kind = 'i';
    c->values[c->count++].number = number;
}

static void condition_text(struct condition *c, const char *sql, const char *text)
{
    if (text == NULL)
        return;
    buf_puts(&c->sql, sql);
    c->values[c->count].kind = 't';
    c->values[c->count++].text = text;
}

/* A plain name can use an index or at least a cheap compare. */
static void condition_pattern(struct condition *c, const char *column, const char *pattern)
{
    if (pattern == NULL)
        return;
    buf_printf(&c->sql, strpbrk(pattern, "*?") != NULL ? " AND matches(?, %s)" : " AND ? = %s",
               column);
    condition_text(c, "", pattern);
}

void condition_release(struct condition *c)
{
    buf_release(&c->sql);
}

int condition_bind(struct store *s, const struct condition *c, sqlite3_stmt *statement,
                   struct err *err)
{
    for (size_t i = 0; i < c->count; i++) {
        const int r =
            c->values[i].kind == 'i'
                ? sqlite3_bind_int64(statement, (int)i + 1, c->values[i].number)
                : sqlite3_bind_text(statement, (int)i + 1, c->values[i].text, -1, SQLITE_TRANSIENT);

        if (r != SQLITE_OK)
            return db_fail(&s->db, err, "bind");
    }
    return 0;
}

static int suggest_tag(struct store *s, const char *name, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct store_tag_row *tags;
    const char *names[NEAR_MAX + 1];
    const char *nearest;
    size_t count, n;

    if (store_tags(s, &arena, &tags, &count, err) < 0) {
        arena_release(&arena);
        return (int)err->code;
    }
    for (n = 0; n < count && n < NEAR_MAX; n++)
        names[n] = tags[n].name;
    names[n] = NULL;
    nearest = text_nearest(name, names);
    (void)err_set(err, ERR_USAGE, "%s: no run has the tag '%s'", s->path, name);
    if (nearest != NULL)
        (void)err_hint(err, "did you mean '%s'?", nearest);
    arena_release(&arena);
    return (int)err->code;
}

static int run_of_tag(struct store *s, const char *tag, int64_t *ret, struct err *err)
{
    const int r =
        db_number(&s->db, ret, err,
                  "SELECT run FROM tag WHERE name = ? ORDER BY at_ns DESC LIMIT 1", "t", tag);

    return r < 0 ? r : r > 0 ? 0 : suggest_tag(s, tag, err);
}

/* The N-th newest run among those with a case that meets the conditions so far. */
static int last_matching_run(struct store *s, struct condition *c, const char *name, int64_t offset,
                             int64_t *ret, struct err *err)
{
    AUTO_BUF sql = BUF_INIT;
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    int r;

    buf_printf(&sql,
               "SELECT r.id FROM run r WHERE EXISTS (SELECT 1 FROM run_case rc"
               " JOIN case_def c ON c.id = rc.case_def WHERE rc.run = r.id%s)"
               " ORDER BY r.started_ns DESC, r.id DESC LIMIT 1 OFFSET %lld",
               buf_text(&c->sql), (long long)offset);
    r = db_prepare(&s->db, buf_text(&sql), &st, err);
    if (r == 0)
        r = condition_bind(s, c, st, err);
    if (r == 0)
        r = db_step(&s->db, st, err);
    if (r > 0)
        *ret = sqlite3_column_int64(st, 0);
    return r < 0 ? r : r > 0 ? 0 : no_run(s, name, err);
}

/* The newest names first, back to and with the newest one that a person gave; at most 20. */
static const char pool_sql[] =
    " AND r.id IN (SELECT t.run FROM tag t WHERE t.name = ? AND t.at_ns >= coalesce((SELECT"
    " max(p.at_ns) FROM tag p WHERE p.name = t.name AND coalesce(p.note, '') <> '" STORE_GATE_NOTE
    "'), 0) ORDER BY t.at_ns DESC LIMIT 20)";

/* Uncorrelated and from the few facts outwards. GLOB would give brackets a meaning. */
static const char git_sql[] =
    " AND r.id IN (SELECT a.run FROM dimension_fact f"
    " CROSS JOIN context_dimension cd ON cd.dimension = f.dimension"
    " CROSS JOIN attempt a ON a.context = cd.context"
    " WHERE f.key = 'git.revision' AND substr(f.value, 1, length(?)) = ?)";

/* First the few runs that may be meant, from an index; then the one of this very case. */
#define NEWEST_OF(case)                                                                            \
    "(SELECT n.run FROM attempt n WHERE n.case_def = " case " AND n.status IN ('passed',"          \
                                                            " 'over-budget') ORDER BY "            \
                                                            "n.started_ns DESC LIMIT 1)"
static const char newest_sql[] =
    " AND r.id IN (SELECT " NEWEST_OF("d.id") " FROM case_def d) AND r.id = " NEWEST_OF("c.id");

int condition_from(struct store *s, const struct store_selection *selection, struct condition *ret,
                   struct err *err)
{
    const char *run = selection->run;
    int64_t id = 0;
    int r = 0;

    condition_pattern(ret, "c.suite", selection->suite);
    condition_pattern(ret, "c.model", selection->model);
    condition_pattern(ret, "c.board", selection->board);
    condition_pattern(ret, "c.engine", selection->engine);
    condition_pattern(ret, "c.key", selection->key);
    if (selection->since_ns != 0)
        condition_number(ret, " AND r.started_ns >= ?", (int64_t)selection->since_ns);
    if (selection->until_ns != 0)
        condition_number(ret, " AND r.started_ns < ?", (int64_t)selection->until_ns);
    if (selection->tag != NULL) {
        r = run_of_tag(s, selection->tag, &id, err);
        if (r < 0)
            return r;
        condition_number(ret, " AND r.id = ?", id);
    }
    condition_text(ret, pool_sql, selection->pool);
    if (selection->git != NULL) { /* bound twice */
        condition_text(ret, git_sql, selection->git);
        condition_text(ret, "", selection->git);
    }
    if (selection->newest)
        buf_puts(&ret->sql, newest_sql);
    if (run == NULL || strcmp(run, "all") == 0)
        return 0;
    r = last_offset(run) >= 0 ? last_matching_run(s, ret, run, last_offset(run), &id, err)
                              : find_by_prefix(s, run, &id, err);
    if (r == 0)
        condition_number(ret, " AND r.id = ?", id);
    return r;
}
