/*
 * Two events under one name that differ: the one that came first has its row, the other is kept as
 * what it was, for whoever looks after the bug. A night is not ended for it, and it is not silent.
 */
#include "harness/base/log.h"
#include "harness/spec/event_text.h"
#include "harness/store/internal.h"

int write_conflict(struct store *s, int64_t attempt, const struct event *e, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    struct event said = *e;
    int r;

    said.case_ = NULL; /* the attempt knows, and a queued event's case may be gone by now */
    event_put_json(&said, &text);
    r = db_run(
        &s->db, err,
        "INSERT INTO conflict (attempt, kind, event) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        "itt", attempt, event_kind_name(e->kind), buf_text(&text));
    if (r == 0 && sqlite3_changes64(s->db.handle) > 0) {
        s->conflicts_open++;
        log_line(LOG_STORE, "another event of this name was there already, and differs: %s",
                 buf_text(&text));
    }
    return r;
}

void conflicts_settle(struct store *s, bool committed)
{
    s->conflicts += committed ? s->conflicts_open : 0;
    s->conflicts_open = 0;
}

uint64_t store_conflicts(const struct store *s)
{
    return s->conflicts;
}
