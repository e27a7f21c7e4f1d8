#include "harness/judge/sample.h"

#include <math.h>
#include <string.h>

#include "harness/judge/history.h"
#include "harness/stats/distribution.h"
#include "harness/stats/fit.h"
#include "harness/stats/order.h"

/* A growing sample. */
struct pool {
    double *values;
    size_t n;
    size_t capacity;
    double *runs;
    size_t run_count;
    size_t run_capacity;
    double variance; /* of summaries, weighted by n - 1 ... */
    size_t sigma_df; /* ... which is this together */
    size_t sigma_n;
    struct arena *arena;
};

/* Which windows are a metric's: by their unit, cold ones apart. */
static bool window_is_of(const struct event_window *w, const struct event_metric *m)
{
    if (w->unit != m->unit)
        return false;
    if (strcmp(m->name, "latency.cold") == 0)
        return w->cold;
    return !w->cold && (strcmp(m->name, "latency") == 0 || strcmp(m->name, "energy") == 0 ||
                        strcmp(m->name, "charge") == 0);
}

/* The windows of one metric, those of one run (reset) next to each other. */
static size_t windows_of(const struct data_case *c, const struct event_metric *m,
                         struct event_window *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < c->window_count; i++) {
        size_t at = count;

        if (!window_is_of(&c->windows[i], m) || c->windows[i].invalid != 0 ||
            c->windows[i].inferences == 0)
            continue;
        while (at > 0 && ret[at - 1].repeat > c->windows[i].repeat) {
            ret[at] = ret[at - 1];
            at--;
        }
        ret[at] = c->windows[i];
        count++;
    }
    return count;
}

uint32_t sample_invalid(const struct data_case *c, const struct event_metric *metric)
{
    uint32_t reasons = 0;

    for (size_t i = 0; i < c->window_count; i++) {
        if (!window_is_of(&c->windows[i], metric))
            continue;
        if (c->windows[i].invalid == 0)
            return 0;
        reasons |= c->windows[i].invalid;
    }
    return reasons;
}

static void add_run(struct pool *p, double centre)
{
    *ARENA_PUSH(p->arena, p->runs, p->run_count, p->run_capacity) = centre;
}

/* One value a window; an exact line has one slope, whatever the last bit of a division says. */
static void add_windows(struct pool *p, const struct event_window *w, size_t count)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *run = arena_alloc(&scratch, count * sizeof(*run));
    struct fit_windows fit;
    const bool line = !w[0].cold && fit_windows(w, count, &fit) == FIT_DONE;

    for (size_t i = 0, n = 0; i < count; i++) {
        const double value = !line            ? w[i].value / w[i].inferences
                             : fit.line.exact ? fit.line.slope
                                              : (w[i].value - fit.line.intercept) / w[i].inferences;

        *ARENA_PUSH(p->arena, p->values, p->n, p->capacity) = value;
        run[n++] = value;
        if (i + 1 == count || w[i + 1].repeat != w[i].repeat) {
            add_run(p, order_median(run, n));
            n = 0;
        }
    }
}

/* A stored figure with its 95 % interval gives back the standard deviation of what it is from. */
static void add_summary(struct pool *p, double value, double low, double high, uint32_t n)
{
    add_run(p, value);
    if (n > 1 && low < high) {
        const double error = (high - low) / 2 / student_quantile(0.975, n - 1);

        p->variance += (n - 1) * error * error * n;
        p->sigma_df += n - 1;
        p->sigma_n += n;
    }
}

/*
 * A figure without windows of its own. The interval of an energy says how far it may be from the
 * truth, the instrument's gain included, which is the same on either side of a comparison: what
 * scatters is told apart.
 */
static void add_figure(struct pool *p, const struct data_case *c, const struct event_metric *m)
{
    const struct event_metric *scatter = data_case_metric(c, "energy.repeatability");
    const bool energy = m->unit == UNIT_NJ;
    const double half = scatter != NULL && isfinite(scatter->value) ? scatter->value : 0;

    if (energy)
        add_summary(p, m->value, m->value - half, m->value + half, m->n);
    else
        add_summary(p, m->value, m->low, m->high, m->n);
}

static struct decide_sample sample(const struct pool *p)
{
    struct decide_sample s = {.values = p->values,
                              .n = p->n,
                              .runs = p->runs,
                              .run_count = p->run_count,
                              .sigma = NAN,
                              .sigma_n = p->sigma_n};

    if (p->sigma_df > 0)
        s.sigma = sqrt(p->variance / (double)p->sigma_df);
    return s;
}

struct decide_sample sample_of(const struct data_case *const *cases, size_t count,
                               const char *metric, struct arena *arena)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct pool p = {.arena = arena};
    const struct event_metric *first = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct event_metric *m = data_case_metric(cases[i], metric);
        struct event_window *w;
        size_t n;

        if (m == NULL || (first != NULL && m->unit != first->unit) || !isfinite(m->value))
            continue;
        first = first != NULL ? first : m;
        w = arena_alloc(&scratch, (cases[i]->window_count + 1) * sizeof(*w));
        n = windows_of(cases[i], m, w);
        if (n > 0)
            add_windows(&p, w, n);
        else
            add_figure(&p, cases[i], m);
    }
    return sample(&p);
}

struct decide_sample sample_current(const struct data_case *const *cases, size_t count,
                                    const char *metric, double floor, struct arena *arena,
                                    struct decide_noise *ret_noise)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const struct data_case **with = arena_alloc(&scratch, (count + 1) * sizeof(struct data_case *));
    double *centres = arena_alloc(&scratch, (count + 1) * sizeof(*centres));
    size_t n = 0;
    size_t keep;

    for (size_t i = 0; i < count; i++) {
        const struct event_metric *m = data_case_metric(cases[i], metric);

        if (m == NULL || !isfinite(m->value))
            continue;
        centres[n] = m->value;
        with[n++] = cases[i];
    }
    keep = history_current(centres, n, floor, ret_noise);
    keep = keep < HISTORY_BASELINE_RUNS ? keep : HISTORY_BASELINE_RUNS;
    return sample_of(with + n - keep, keep, metric, arena);
}
