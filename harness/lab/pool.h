/*
 * One worker process per board, all at once; their events merged into one sink by the parent.
 *
 * A worker that is slow, wedged or crashed never delays the others: it is a process, it owns its
 * board's children, and whatever it leaves undone is recorded as a failed case by the parent. A
 * dead worker is started again, a bounded number of times: for the rest of its cases, and for the
 * one it was at when somebody killed it (a fault of the lab; a crash of its own is our bug, and so is
 * an event that makes no sense: its worker is killed, the others do not notice).
 *
 * Called by the `run` and `resume` commands. Workers die with the parent.
 */
#ifndef HARNESS_LAB_POOL_H
#define HARNESS_LAB_POOL_H

#include <signal.h>

#include "harness/spec/event.h"

/*
 * Run the cases of one board, in order, emitting CASE_BEGIN ... CASE_END for each. Called in the
 * worker. Must look at pool_stopping() between windows and return soon once it is true.
 */
typedef void pool_board_fn(void *context, const struct board *board,
                           const struct plan_case *const *cases, size_t count,
                           struct event_sink *sink);

struct pool_options {
    pool_board_fn *run_board;
    void *context;
    unsigned jobs; /* boards at once; 0: all */
    unsigned
        virtual_jobs;   /* of these, virtual ones: they share the host's CPUs; 0: as many as CPUs */
    unsigned retries;   /* of a case, of which a killed worker costs one */
    const char *run_id; /* put into every event */
    const bool *done;   /* per case of the plan: true = leave out (resume) */
    const volatile sig_atomic_t *interrupts; /* 1: finish the window and stop; 2: stop now */
    /* The number of a case's next attempt, as the sink has seen them; NULL: 0. */
    uint32_t (*attempt)(void *context, const struct plan_case *c);
    /* Called about ten times a second while workers run; may be NULL. */
    void (*tick)(void *context);
};

/*
 * Returns 0 when every case ended (however), ERR_CANCELLED when interrupted, or the sink's
 * failure (a result that cannot be stored stops the run).
 */
int pool_run(const struct plan *plan, const struct pool_options *options, struct event_sink *sink,
             struct err *err) MUST_CHECK;

/* In a worker: the user asked to stop. */
bool pool_stopping(void);

/* True in a worker whose predecessor was told to let the board go ('boards release --force'). */
bool pool_taken_away(void);

#endif
