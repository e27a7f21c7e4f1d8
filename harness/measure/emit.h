/* The events of one attempt at one case, with what they all share filled in. */
#ifndef HARNESS_MEASURE_EMIT_H
#define HARNESS_MEASURE_EMIT_H

#include "harness/spec/event.h"

struct emitter {
    struct event_sink *sink;
    const struct plan_case *case_;
    uint32_t attempt;
    unsigned over_budget; /* metrics that broke a budget so far */
};

/* Sends *e after filling time, case and attempt. Queued counts as done here. */
int emit(struct emitter *m, struct event *e, struct err *err) MUST_CHECK;

int emit_fact(struct emitter *m, struct err *err, const char *key, const char *fmt, ...)
    PRINTF_LIKE(4, 5) MUST_CHECK;

struct figure {
    const char *name; /* in METRIC_LIST: class and direction come from there */
    double value;
    enum unit unit;
    double low, high; /* 0, 0: no interval */
    uint32_t n;       /* 0: 1 */
};

/* A metric, judged against the case's budgets. */
int emit_metric(struct emitter *m, const struct figure *figure, struct err *err) MUST_CHECK;

#endif
