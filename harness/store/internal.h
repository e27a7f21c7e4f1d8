/* What the files of harness/store share. */
#ifndef HARNESS_STORE_INTERNAL_H
#define HARNESS_STORE_INTERNAL_H

#include "harness/base/embed.h"
#include "harness/base/hash.h"
#include "harness/store/db.h"
#include "harness/store/store.h"

enum {
    STORE_APPLICATION_ID = 0x74726967, /* "trig" */
    STORE_UNITS_MAX = 64,
    STORE_BLOB_MAX = 4 * 1024 * 1024, /* logs are cut there, larger tensors keep only their sizes */
};

extern const struct embedded_file store_migrations[];
extern const size_t store_migrations_count;
extern const struct embedded_file store_scripts[]; /* merge.sql */

struct queue; /* sink.c */

struct store {
    struct event_sink sink; /* first: the sink is the store */
    struct db db;
    char *path;
    int64_t units[STORE_UNITS_MAX]; /* row of each enum unit */
    uint64_t conflicts;             /* that were committed */
    uint64_t conflicts_open;        /* ... in this transaction */
    struct queue *queue;
};

/* open.c: bring a database to schema `version` (0: the newest). For tests and merge. */
int store_migrate(struct store *s, int version, struct err *err) MUST_CHECK;

/* Unit of a row id; ERR_UNSUPPORTED when this program has no such unit. */
int store_unit(struct store *s, int64_t id, enum unit *ret, struct err *err) MUST_CHECK;

/*
 * write.c: events to rows, inside a transaction. 1 from the end of a case and from what belongs to it:
 * there is another such row, which says something else, and it stays. 1 from the begin of a case: it
 * has begun before.
 */
int write_run_begin(struct store *s, const struct event *e, struct err *err) MUST_CHECK;
int write_run_end(struct store *s, const struct event *e, struct err *err) MUST_CHECK;
int write_case_begin(struct store *s, const struct event *e, int64_t *ret_attempt,
                     struct err *err) MUST_CHECK;
int write_case_end(struct store *s, int64_t attempt, const struct event *e,
                   struct err *err) MUST_CHECK;
int write_output(struct store *s, int64_t attempt, const struct event_output *o,
                 struct err *err) MUST_CHECK;
int write_energy(struct store *s, int64_t attempt, const struct event_energy *e,
                 struct err *err) MUST_CHECK;
int write_window(struct store *s, int64_t attempt, const struct event_window *w,
                 struct err *err) MUST_CHECK;
int write_metric(struct store *s, int64_t attempt, const struct event_metric *m,
                 struct err *err) MUST_CHECK;
int write_profile(struct store *s, int64_t attempt, const struct event_profile *p,
                  struct err *err) MUST_CHECK;
int write_recovery(struct store *s, int64_t attempt, const struct event *e,
                   struct err *err) MUST_CHECK;
/* conflict.c: an event whose row was taken; counted once its transaction is settled. */
int write_conflict(struct store *s, int64_t attempt, const struct event *e,
                   struct err *err) MUST_CHECK;
void conflicts_settle(struct store *s, bool committed);
/* The attempt of a case event that is not in memory: 0 found, 1 not there. */
int find_attempt(struct store *s, const struct event *e, int64_t *ret, struct err *err) MUST_CHECK;

/* context.c: facts (any order, later ones win) as the context of an attempt. */
int write_context(struct store *s, int64_t attempt, const struct data_fact *facts, size_t count,
                  struct err *err) MUST_CHECK;
/* Those that an attempt has; none when it has no context yet. */
int read_context(struct store *s, int64_t attempt, struct arena *arena, struct data_fact **ret,
                 size_t *ret_count, struct err *err) MUST_CHECK;

/* The hash of a dimension read back fact by fact, in key order. */
struct dimension_hash {
    int64_t id;
    uint8_t expected[32];
    struct sha256 h;
};
void dimension_hash_begin(struct dimension_hash *d, int64_t id, const void *hash, size_t size);
void dimension_hash_add(struct dimension_hash *d, const char *key, const char *value);
bool dimension_hash_matches(struct dimension_hash *d);

/* care.c: content-hashed rows of a schema ("main" or an attached one); 1 with findings in ret. */
int store_check_hashes(struct store *s, const char *schema, struct buf *ret,
                       struct err *err) MUST_CHECK;
/* Page by page into an existing empty file. */
int store_copy(sqlite3 *from, const char *to, struct err *err) MUST_CHECK;

/* select.c: the id of a named run ("last", prefix, tag ...). */
int find_run(struct store *s, const char *name, int64_t *ret, struct err *err) MUST_CHECK;

/* A selection as SQL conditions on run r and case_def c, with its bindings. */
struct condition {
    struct buf sql;
    struct {
        char kind;
        const char *text;
        int64_t number;
    } values[16];
    size_t count;
};
void condition_release(struct condition *c);
int condition_from(struct store *s, const struct store_selection *selection, struct condition *ret,
                   struct err *err) MUST_CHECK;
int condition_bind(struct store *s, const struct condition *c, sqlite3_stmt *statement,
                   struct err *err) MUST_CHECK;

#endif
