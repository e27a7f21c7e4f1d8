/*
 * Runs the cases of one board: compile, place, check, measure, report as events.
 *
 * The rules that make a number worth storing live here: outputs are compared before any timing
 * counts; the first (cold) inference is its own metric; windows of N, 2N, 3N ... give the latency
 * as a slope; the on-target clock is checked against the host's; whatever is refused carries a
 * reason. Runs in a worker process (harness/lab/pool.h) and knows sessions, not back-ends.
 */
#ifndef HARNESS_MEASURE_MEASURE_H
#define HARNESS_MEASURE_MEASURE_H

#include "harness/lab/session.h"
#include "harness/spec/dataset.h"
#include "harness/spec/event.h"

/* What workers that are no more have used up on a board in this run. */
struct measure_spent {
    unsigned retries; /* of all its cases */
    struct recovery recovery;
};

struct measure_options {
    struct session_options session;
    bool (*stopping)(void);                                        /* true: end after this window */
    uint32_t (*attempt)(void *context, const struct plan_case *c); /* number of the next one */
    const char *traces; /* file for raw traces of current; NULL: none is kept */
    bool keep_traces;   /* all, not only those of invalid windows */
    void *context;
    const struct data_fact
        *facts; /* what the caller knows of every attempt, such as git.revision */
    size_t fact_count;
    /*
     * Why a board is not to be touched (it is in quarantine), or NULL: its cases then end as lab
     * faults in stage "admission". May itself be NULL.
     */
    const char *(*barred)(void *context, const struct board *b);
    unsigned retries_case;  /* further attempts at a case after lab faults that were mended */
    unsigned retries_board; /* ... for all cases of a board together */
    /* What is gone of these, and of the ladder, when a worker takes another one's place; NULL: nothing. */
    const struct measure_spent *(*spent)(void *context, const struct board *b);
    unsigned (*retried)(void *context, const struct plan_case *c);
};

/* A pool_board_fn; its context is a struct measure_options. */
void measure_board(void *context, const struct board *board, const struct plan_case *const *cases,
                   size_t count, struct event_sink *sink);

#endif
