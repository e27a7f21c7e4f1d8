/* Silence for known troubles. */
#include "harness/base/clock.h"
#include "harness/store/internal.h"

int store_mute(struct store *s, const struct mute *m, struct err *err)
{
    if (m->reason == NULL || m->reason[0] == '\0')
        return err_set(err, ERR_USAGE, "a mute needs a reason");
    if (m->expires_ns <= m->set_ns)
        return err_set(err, ERR_USAGE, "a mute must end after it begins");
    return db_run(&s->db, err,
                  "INSERT INTO mute (case_key, metric, reason, set_ns, expires_ns)"
                  " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET reason = excluded.reason,"
                  " set_ns = excluded.set_ns, expires_ns = excluded.expires_ns",
                  "tttii", m->key, m->metric, m->reason, (int64_t)m->set_ns,
                  (int64_t)m->expires_ns);
}

int store_unmute(struct store *s, const char *key, const char *metric, struct err *err)
{
    const int64_t now = (int64_t)clock_realtime_ns();
    const int r = db_run(&s->db, err,
                         "UPDATE mute SET set_ns = ?1, expires_ns = ?1 WHERE case_key = ?2"
                         " AND metric = ?3 AND expires_ns > ?1",
                         "itt", now, key, metric);

    if (r == 0 && sqlite3_changes(s->db.handle) == 0)
        return err_set(err, ERR_USAGE, "%s: '%s' (metric '%s') is not muted", s->path, key, metric);
    return r;
}

int store_mutes(struct store *s, uint64_t now_ns, struct arena *arena, const struct mute **ret,
                size_t *ret_count, struct err *err)
{
    struct mute *list = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT case_key, metric, reason, set_ns, expires_ns FROM mute"
                     " WHERE expires_ns > ? ORDER BY expires_ns, case_key, metric",
                     "i", (int64_t)now_ns);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct mute *m = ARENA_PUSH(arena, list, count, capacity);

        m->key = db_text(st, 0, arena);
        m->metric = db_text(st, 1, arena);
        m->reason = db_text(st, 2, arena);
        m->set_ns = (uint64_t)sqlite3_column_int64(st, 3);
        m->expires_ns = (uint64_t)sqlite3_column_int64(st, 4);
        r = 0;
    }
    if (r < 0)
        return r;
    *ret = list;
    *ret_count = count;
    return 0;
}
