/* Names for runs. */
#include "harness/base/clock.h"
#include "harness/store/internal.h"

int store_tag(struct store *s, const char *name, const char *run, const char *note, struct err *err)
{
    int64_t id = 0;
    int r = find_run(s, run, &id, err);

    if (r == 0 && name[0] == '\0')
        r = err_set(err, ERR_USAGE, "a tag needs a name");
    if (r == 0)
        r = db_run(&s->db, err,
                   "INSERT INTO tag (name, run, at_ns, note) VALUES (?, ?, ?, ?)"
                   " ON CONFLICT DO UPDATE SET at_ns = excluded.at_ns, note = excluded.note",
                   "tiit", name, id, (int64_t)clock_realtime_ns(), note);
    return r;
}

int store_untag(struct store *s, const char *name, struct err *err)
{
    const int r = db_run(&s->db, err, "DELETE FROM tag WHERE name = ?", "t", name);

    if (r == 0 && sqlite3_changes(s->db.handle) == 0)
        return err_set(err, ERR_USAGE, "%s: there is no tag '%s'", s->path, name);
    return r;
}

int store_tags(struct store *s, struct arena *arena, const struct store_tag_row **ret,
               size_t *ret_count, struct err *err)
{
    struct store_tag_row *rows = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT t.name, r.uuid, t.note, max(t.at_ns) FROM tag t"
                     " JOIN run r ON r.id = t.run GROUP BY t.name ORDER BY t.name",
                     "");

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct store_tag_row *row = ARENA_PUSH(arena, rows, count, capacity);

        row->name = db_text(st, 0, arena);
        row->run_id = db_text(st, 1, arena);
        row->note = db_text(st, 2, arena);
        row->at_ns = (uint64_t)sqlite3_column_int64(st, 3);
        r = 0;
    }
    if (r < 0)
        return r;
    *ret = rows;
    *ret_count = count;
    return 0;
}
