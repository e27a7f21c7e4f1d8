/*
 * Runs that never happened, for tests and benches of the store, statistics and reports: a plan of
 * models x boards and the events a measurement of it would emit, with seeded noise.
 */
#ifndef TESTS_SUPPORT_SYNTHETIC_H
#define TESTS_SUPPORT_SYNTHETIC_H

#include "harness/base/arena.h"
#include "harness/spec/event.h"

struct synthetic {
    struct arena arena;
    struct plan plan;
    uint64_t random;
    uint64_t now_ns; /* stamp of the next event */
    double scale;    /* of every latency: 1.02 is a step of 2 % */
    double noise;    /* relative, of silicon boards */
    unsigned windows;
    unsigned samples; /* per window */
    unsigned vectors; /* outputs per case */
    bool profile;
    bool failures;     /* some cases fail, break budgets, are skipped or need recovery */
    const char *build; /* firmware.build_id and friends follow it */
};

enum {
    SYNTHETIC_BOARDS_MAX = 8
};

/* models x boards (at most 8) x one engine; boards 0-4 are virtual, 5-7 silicon. */
void synthetic_init(struct synthetic *s, unsigned models, unsigned boards, uint64_t seed);
void synthetic_release(struct synthetic *s);

/* All events of one case, or of a whole run, into sink. Negative as soon as the sink fails. */
int synthetic_begin(struct synthetic *s, const char *run_id, struct event_sink *sink,
                    struct err *err);
int synthetic_case(struct synthetic *s, const char *run_id, size_t index, uint32_t attempt,
                   struct event_sink *sink, struct err *err);
int synthetic_end(struct synthetic *s, const char *run_id, struct event_sink *sink,
                  struct err *err);
int synthetic_run(struct synthetic *s, const char *run_id, struct event_sink *sink,
                  struct err *err);

/* "00000000-0000-4000-8000-" and n in 12 digits, into text[37]. */
void synthetic_run_id(unsigned n, char text[static 37]);

#endif
