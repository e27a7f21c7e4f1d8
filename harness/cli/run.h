/* `run` and `resume` share this: one run from its plan to its exit status. */
#ifndef HARNESS_CLI_RUN_H
#define HARNESS_CLI_RUN_H

#include "harness/cli/progress.h"
#include "harness/cli/scratch.h"
#include "harness/cli/suite.h"
#include "harness/lab/health.h"
#include "harness/lab/lease.h"
#include "harness/measure/measure.h"
#include "harness/store/store.h"

struct run_arguments {
    struct suite_options suite; /* shared with check and plan; must be first */
    uint64_t jobs;
    uint64_t virtual_jobs;
    uint64_t wait_ns;
    bool quiet;
    bool dry_run;
    const char *tag;
    const char *run_id;
    const char *shard;
    const char *record;
    const char *replay;
    const char *retries; /* NULL: not given, which 0 is not */
    bool no_retries;
    bool batch;
    bool lab_faults;
    bool keep_trace;
};

/* Exit statuses for schedulers: EX_TEMPFAIL, and the one behind it. */
enum {
    SINKS = 3
};

struct tee {
    struct event_sink base;
    struct event_sink *sinks[SINKS]; /* the store first: what it refuses, nobody hears */
    const struct plan *plan;
    uint32_t *attempts;
    unsigned *retried;
    struct measure_spent *spent;
    bool slipped; /* a file of the lab is wrong: another try does not help */
};

struct run {
    const struct plan *plan;
    const struct run_arguments *arguments;
    const struct context *context;
    struct store *store;
    struct progress *progress;
    struct health_sink *health;
    struct tee tee;
    char run_id[37];
    struct scratch scratch; /* workers of one run share it, names keep them apart */
    char lock_dir[256];
    char state_dir[HEALTH_PATH];
    struct buf command_line;
    struct lease *hold;            /* of the run, against another process that goes on with it */
    struct progress_counts before; /* of the cases that are done */
    struct progress_counts counts; /* those among them */
    bool *done;                  /* per case: finished by an earlier process, or another shard's */
    bool *elsewhere;             /* per case: another shard's */
    uint32_t *attempts;          /* per case: number of the next attempt */
    unsigned *retried;           /* per case: attempts of this process that another one followed */
    struct measure_spent *spent; /* per board, by this process's workers */
};

/* Further attempts at a case: --retries, --no-retries or the default. */
int run_retries(const struct run_arguments *a, unsigned *ret, struct err *err) MUST_CHECK;

void run_release(struct run *r);

/*
 * Nobody else goes on with this run of this database, until run_release(): ERR_BUSY says who does. Needed
 * before its progress is read.
 */
int run_take(struct run *r, const char *suite, struct err *err) MUST_CHECK;

/* Carry it out. Returns the exit status, or a negative error (ERR_CANCELLED with the way to go on). */
int run_plan(struct run *r, struct err *err);

/* With --batch, what a scheduler is told when there is no run to speak of; passes status on. */
int run_batch_failure(const struct run_arguments *a, int status, struct err *err);

/* What to do with a run of records that did not come to its end. */
int run_hint_replay(struct err *err);

/* As a shell takes it. */
void run_put_word(struct buf *out, const char *word);

#endif
