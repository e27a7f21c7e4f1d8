#include "harness/mlperf/rules.h"

#include <math.h>
#include <string.h>

#include "harness/base/text.h"

const struct mlperf_benchmark mlperf_benchmarks[] = {
    {"kws", "accuracy", 0.90},
    {"vww", "accuracy", 0.80},
    {"ic", "accuracy", 0.85},
    {"ad", "auc", 0.85},
    {.name = NULL},
};

const struct mlperf_benchmark *mlperf_benchmark_of(const char *model)
{
    for (const struct mlperf_benchmark *b = mlperf_benchmarks; model != NULL && b->name; b++) {
        const size_t n = strlen(b->name);

        if (strncmp(model, b->name, n) == 0 && (model[n] == '\0' || model[n] == '-'))
            return b;
    }
    return NULL;
}

/* How long a window took on the chip; NAN when nobody can tell. */
static double seconds_of(const struct data_case *c, const struct event_window *w)
{
    const char *clock = data_case_fact(c, "clock.hz");
    double hz;

    if (w->unit == UNIT_NS)
        return w->value / 1e9;
    if (w->unit == UNIT_CYCLES && clock != NULL && text_to_double(clock, &hz) && hz > 0)
        return w->value / hz;
    return NAN;
}

static bool long_enough(const struct mlperf_window *w)
{
    return w->seconds >= MLPERF_SECONDS && w->inferences >= MLPERF_INFERENCES;
}

size_t mlperf_windows(const struct data_case *c, struct mlperf_window ret[static MLPERF_WINDOWS],
                      size_t *ret_count)
{
    size_t n = 0;
    size_t good = 0;

    for (int pass = 0; pass < 2 && c->realm == REALM_SILICON; pass++) {
        for (size_t i = 0; i < c->window_count && n < MLPERF_WINDOWS; i++) {
            const struct event_window *w = &c->windows[i];
            const struct mlperf_window x = {.seconds = seconds_of(c, w),
                                            .inferences = w->inferences};

            if (w->cold || w->invalid != 0 || !(x.seconds > 0) || w->inferences == 0 ||
                long_enough(&x) != (pass == 0))
                continue;
            good += pass == 0;
            ret[n++] = x;
        }
    }
    *ret_count = n;
    return good;
}

struct list {
    struct arena *arena;
    const char **texts;
    size_t count, capacity;
};

static void broken(struct list *l, const char *text)
{
    *ARENA_PUSH(l->arena, l->texts, l->count, l->capacity) = text;
}

static void check_accuracy(struct list *l, const struct data_case *c, bool closed)
{
    const struct mlperf_benchmark *b = mlperf_benchmark_of(c->model);
    const struct event_metric *m = data_case_metric(c, b->metric);

    if (m == NULL || !isfinite(m->value))
        broken(l,
               arena_printf(l->arena, "accuracy: no %s was measured over the data set", b->metric));
    else if (closed && m->value < b->target)
        broken(l, arena_printf(l->arena, "accuracy: %s %.3f is below the closed division's %.2f",
                               b->metric, m->value, b->target));
}

size_t mlperf_check(const struct data_case *c, bool closed, struct arena *arena,
                    const char *const **ret)
{
    struct list l = {.arena = arena};
    struct mlperf_window windows[MLPERF_WINDOWS];
    size_t count;
    const size_t good = mlperf_windows(c, windows, &count);
    const struct event_metric *energy = data_case_metric(c, "energy");

    if (c->realm != REALM_SILICON)
        broken(&l, "device: an emulator is no device, and its counts are no time");
    if (!c->ended || (c->status != CASE_PASSED && c->status != CASE_OVER))
        broken(&l, arena_printf(arena, "outputs: the case is %s",
                                c->ended ? case_status_name(c->status) : "unfinished"));
    if (mlperf_benchmark_of(c->model) == NULL)
        broken(&l, "benchmark: the model is none of kws, vww, ic, ad");
    else
        check_accuracy(&l, c, closed);
    if (good < MLPERF_WINDOWS)
        broken(&l, arena_printf(
                       arena, "performance: %zu of 5 windows have at least 10 s and 10 inferences",
                       good));
    if (energy != NULL && (energy->n < MLPERF_WINDOWS || good < MLPERF_WINDOWS))
        broken(&l, arena_printf(arena,
                                "energy: %u windows were metered; five of at least 10 s are needed",
                                energy->n));
    *ret = l.texts;
    return l.count;
}
