/* Small datasets for tests, built in memory the way the store would read them. */
#ifndef TESTS_UNIT_DATASETS_H
#define TESTS_UNIT_DATASETS_H

#include <string.h>

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

/* Growing arrays behind a dataset; everything in one arena. */
struct made {
    struct arena arena;
    struct data_case *cases;
    size_t count, capacity;
};

/* A passed case on silicon in ns. The next calls work on the newest case. */
static inline struct data_case *made_case(struct made *m, const char *model, const char *board,
                                          const char *engine)
{
    struct data_case *c = ARENA_PUSH(&m->arena, m->cases, m->count, m->capacity);

    *c = (struct data_case){.run_id = "r",
                            .suite = "s",
                            .model = model,
                            .board = board,
                            .engine = engine,
                            .parameters = "",
                            .realm = REALM_SILICON,
                            .timebase = UNIT_NS,
                            .ended = true,
                            .status = CASE_PASSED};
    c->key = arena_printf(&m->arena, "%s/%s/%s", model, board, engine);
    return c;
}

static inline void made_fact(struct made *m, const char *key, const char *value)
{
    struct data_case *c = &m->cases[m->count - 1];
    struct data_fact *facts = arena_alloc(&m->arena, (c->fact_count + 1) * sizeof(*facts));

    if (c->fact_count > 0)
        memcpy(facts, c->facts, c->fact_count * sizeof(*facts));
    facts[c->fact_count] = (struct data_fact){.key = key, .value = value};
    c->facts = facts;
    c->fact_count++;
}

static inline struct event_metric *made_metric(struct made *m, const char *name,
                                               enum metric_class judged, enum unit unit,
                                               double value)
{
    struct data_case *c = &m->cases[m->count - 1];
    struct event_metric *metrics = arena_alloc(&m->arena, (c->metric_count + 1) * sizeof(*metrics));

    if (c->metric_count > 0)
        memcpy(metrics, c->metrics, c->metric_count * sizeof(*metrics));
    metrics[c->metric_count] = (struct event_metric){.name = name,
                                                     .class_ = judged,
                                                     .unit = unit,
                                                     .lower_is_better = true,
                                                     .value = value,
                                                     .n = 1};
    c->metrics = metrics;
    return &metrics[c->metric_count++];
}

/* A latency metric with one window of 10 inferences per value, all in one run. */
static inline void made_windows(struct made *m, enum unit unit, const double *values, size_t n)
{
    struct data_case *c = &m->cases[m->count - 1];
    struct event_window *windows = arena_alloc(&m->arena, n * sizeof(*windows));
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        windows[i] = (struct event_window){
            .index = (uint32_t)i, .inferences = 10, .value = 10 * values[i], .unit = unit};
        sum += values[i];
    }
    c->windows = windows;
    c->window_count = n;
    c->timebase = unit;
    (void)made_metric(m, "latency", METRIC_TIME, unit, sum / (double)n)->n;
}

static inline struct dataset made_dataset(const struct made *m)
{
    return (struct dataset){.cases = m->cases, .case_count = m->count};
}

#endif
