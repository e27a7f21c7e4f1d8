/*
 * The results database: one SQLite file per host, the only place that knows SQLite.
 *
 * Called by harness/cli. Promises: what a sink acknowledged as committed survives kill -9 and power
 * loss (WAL, synchronous=FULL); emitting or merging the same thing twice changes nothing; a file of
 * a newer program or of another program is refused untouched; several processes may write one file.
 * One thread at a time per handle. Local file systems only: SQLite's locks do not work over NFS.
 */
#ifndef HARNESS_STORE_STORE_H
#define HARNESS_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/dataset.h"
#include "harness/spec/event.h"
#include "harness/spec/verdict.h"

struct store;

#define STORE_MEMORY ":memory:" /* a path: nothing is kept after close */

enum store_mode {
    STORE_READ,  /* the file must exist */
    STORE_WRITE, /* created (0640) when missing; missing folders too */
};

/*
 * Open and bring the schema up to date. ERR_CONFIG: not a results database; ERR_UNSUPPORTED: made
 * by a newer program; ERR_STORE: damaged, locked for too long, or out of space.
 */
int store_open(const char *path, enum store_mode mode, struct store **ret,
               struct err *err) MUST_CHECK;
void store_close(struct store *s); /* queued events are written, as far as they can be */
DEFINE_AUTO(struct store, store_close)

const char *store_path(const struct store *s);

/*
 * The sink of this store, valid until store_close. Commits on RUN_BEGIN, CASE_BEGIN, RECOVERY,
 * CASE_END and RUN_END, and on any other event when the oldest queued one has waited 250 ms.
 * After a failure (disk full, locked) the queue is kept and goes out with the next commit.
 */
struct event_sink *store_sink(struct store *s);
int store_flush(struct store *s, struct err *err) MUST_CHECK;
/*
 * How many of this handle's events were like others by name (a window's number, a metric ...) and not
 * by content. The first of a name is the result; the others are in v_conflicts. Of a run always a bug.
 */
uint64_t store_conflicts(const struct store *s);

/* ---- resume ---- */

struct store_case_progress {
    const char *key;
    const char *board;
    uint32_t attempts;       /* so far; number of the next attempt */
    bool done;               /* has an ended attempt that was not cancelled, or was planned away */
    enum case_status status; /* of the newest ended attempt; CASE_CANCELLED when there is none */
    const char *skip;        /* why it was planned away; NULL: it was not */
};

struct store_progress {
    struct data_run run;
    const struct store_case_progress *cases; /* in plan order */
    size_t case_count;
    size_t done_count;
    uint32_t repeat; /* as in event_run */
    bool interleave;
};

/* What is left of a run; run is an id, a unique prefix or "last". ERR_USAGE when there is none. */
int store_run_progress(struct store *s, const char *run, struct arena *arena,
                       struct store_progress *ret, struct err *err) MUST_CHECK;

/* Newest run that never ended. 0 with *ret_run_id in the arena, or 1 when every run ended. */
int store_find_unfinished(struct store *s, struct arena *arena, const char **ret_run_id,
                          struct err *err) MUST_CHECK;

/* ---- reading ---- */

/* Every field that is given must match; names may hold * and ?. NULL or 0: any. */
struct store_selection {
    const char *run;  /* id, unique prefix, "last", "last~N" (N before it); NULL or "all": every */
    const char *tag;  /* the run this name was last given to */
    const char *pool; /* the runs that the gate gave this name to since a person last did */
    const char *git;  /* runs measured at this revision: the beginning of fact git.revision */
    const char *suite;
    const char *model;
    const char *board;
    const char *engine;
    const char *key;
    uint64_t since_ns; /* by the start of the run */
    uint64_t until_ns;
    uint32_t last;   /* history: only the newest points of a series; 0: all */
    bool scattering; /* history: only silicon, classes cycle, time and energy */
    bool newest;     /* of each case only its newest run with valid measurements */
    unsigned parts;  /* DATA_* beside metrics, recoveries and output counts */
};

/*
 * Read what matches. "last" counts runs with a matching case. ERR_USAGE when a named run or tag
 * does not exist (an empty result otherwise is no error).
 */
int store_query(struct store *s, const struct store_selection *selection, struct arena *arena,
                struct dataset *ret, struct err *err) MUST_CHECK;

/* Values over time of the series that match (one value per run: its newest ended attempt). */
int store_history(struct store *s, const struct store_selection *selection, const char *metric,
                  struct arena *arena, struct data_history *ret, struct err *err) MUST_CHECK;

/* The facts of one context (data_case.context, data_point.context), by key; none when unknown. */
int store_facts(struct store *s, uint64_t context, struct arena *arena,
                const struct data_fact **ret, size_t *ret_count, struct err *err) MUST_CHECK;

/* ---- care ---- */

/* Give a name to a run; the newest use of a name is what it means. */
int store_tag(struct store *s, const char *name, const char *run, const char *note,
              struct err *err) MUST_CHECK;
int store_untag(struct store *s, const char *name, struct err *err) MUST_CHECK;

struct store_tag_row {
    const char *name;
    const char *run_id;
    const char *note; /* may be NULL */
    uint64_t at_ns;
};
int store_tags(struct store *s, struct arena *arena, const struct store_tag_row **ret,
               size_t *ret_count, struct err *err) MUST_CHECK;

/* The note of a tag that no person gave; see store_selection.pool. */
#define STORE_GATE_NOTE "saved by gate"

/*
 * Silence, until m->expires_ns; muting the same patterns again replaces the mute. ERR_USAGE without
 * a reason or with an end that is not after its beginning.
 */
int store_mute(struct store *s, const struct mute *m, struct err *err) MUST_CHECK;
/* End it now. ERR_USAGE when these patterns are not muted. */
int store_unmute(struct store *s, const char *key, const char *metric, struct err *err) MUST_CHECK;
/* Mutes that last beyond now_ns (0: all there ever were), the one that ends first first. */
int store_mutes(struct store *s, uint64_t now_ns, struct arena *arena, const struct mute **ret,
                size_t *ret_count, struct err *err) MUST_CHECK;

struct store_info {
    int schema;
    uint64_t file_bytes;
    uint64_t free_bytes; /* that vacuum would give back */
    uint64_t runs, attempts, windows, measurements, blobs;
};
int store_info(struct store *s, struct store_info *ret, struct err *err) MUST_CHECK;

/*
 * SQLite's integrity and foreign key checks and our own invariants. 0 when sound, 1 with the
 * findings (a line each) appended to ret.
 */
int store_check(struct store *s, struct buf *ret, struct err *err) MUST_CHECK;

/* A consistent copy while others write, by the backup API; the target must not exist. */
int store_backup(struct store *s, const char *to, struct err *err) MUST_CHECK;
/* The same, compacted. */
int store_vacuum_into(struct store *s, const char *to, struct err *err) MUST_CHECK;
/* Compact in place; needs as much free space again. */
int store_vacuum(struct store *s, struct err *err) MUST_CHECK;

struct store_merge {
    uint64_t runs, attempts, measurements; /* added */
    uint64_t differing; /* attempts that are here too and say something else: those here stay */
};
/* Add all of another database that is not here yet. The other file is not changed. */
int store_merge(struct store *s, const char *from, struct store_merge *ret,
                struct err *err) MUST_CHECK;

struct store_prune {
    uint64_t before_ns; /* only runs that started earlier */
    bool keep_tagged;   /* leave runs whole that people tagged, and the gate's newest of a name */
    bool whole_runs;    /* delete runs altogether, not only their details */
    bool dry_run;       /* count, change nothing */
    uint64_t runs;      /* result: runs that lost something */
    uint64_t windows;   /* result: rows deleted ... */
    uint64_t outputs;   /* ... or, of outputs, bytes dropped */
    uint64_t profiles;
    uint64_t blobs;
};
/* Drop windows, samples, outputs, profiles and logs of old runs; summaries stay. */
int store_prune(struct store *s, struct store_prune *prune, struct err *err) MUST_CHECK;

struct store_span {
    uint64_t begin_ns, end_ns;
};
/* When those of the older runs were measured that such a prune leaves whole; in the arena. */
int store_prune_kept(struct store *s, const struct store_prune *prune, struct arena *arena,
                     const struct store_span **ret, size_t *ret_count, struct err *err) MUST_CHECK;

#endif
