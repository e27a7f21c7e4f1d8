#include "harness/judge/history.h"

#include <math.h>

#include "harness/stats/order.h"

/*
 * The least noise that the segmentation may believe in: a series without any scatter is cut when its
 * level moves by about half the floor for three nights.
 */
static double least_noise(const double *runs, size_t count, double floor)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *copy = arena_dup(&scratch, runs, count * sizeof(*runs));

    return floor / 8 * fabs(order_median(copy, count));
}

/* Exact values: each run of equal ones. */
static size_t exact_segments(const double *runs, size_t count, struct change_segment *ret)
{
    size_t n = 0;

    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && runs[to] == runs[from]; to++)
            ;
        ret[n++] = (struct change_segment){.begin = from, .end = to, .median = runs[from]};
    }
    return n;
}

static size_t segments_of(const double *runs, size_t count, double floor,
                          struct change_segment *ret)
{
    const struct change_options options = {.noise = least_noise(runs, count, floor)};

    return floor > 0 ? change_find(runs, count, &options, ret) : exact_segments(runs, count, ret);
}

/* Residuals of the newest runs around their levels; those of levels 0 say nothing relative. */
static size_t residuals_of(const double *runs, const struct change_segment *segments,
                           size_t segment_count, double *ret, size_t *ret_levels)
{
    size_t n = 0;

    *ret_levels = 0;
    for (size_t s = segment_count; s > 0 && n < HISTORY_BASELINE_RUNS; s--) {
        const struct change_segment *g = &segments[s - 1];

        if (g->median == 0)
            break;
        ++*ret_levels;
        for (size_t i = g->end; i > g->begin && n < HISTORY_BASELINE_RUNS; i--)
            ret[n++] = runs[i - 1] / g->median - 1;
    }
    return n;
}

/* Standard deviation without the odd nights: those beyond 3.5 robust sigmas (see stats/fit.h). */
struct decide_noise history_noise(const double *runs, const struct change_segment *segments,
                                  size_t segment_count)
{
    double residuals[HISTORY_BASELINE_RUNS];
    double scratch[HISTORY_BASELINE_RUNS];
    struct decide_noise noise = {.df = 0};
    size_t levels;
    const size_t n = residuals_of(runs, segments, segment_count, residuals, &levels);
    double limit;
    double squares = 0;
    size_t kept = 0;

    if (n < levels + 3)
        return noise;
    limit = 3.5 * ORDER_MAD_TO_SIGMA * (1 + 5 / (double)n) * order_mad(residuals, n, 0, scratch);
    for (size_t i = 0; i < n; i++) {
        if (fabs(residuals[i]) <= limit) {
            squares += residuals[i] * residuals[i];
            kept++;
        }
    }
    if (kept > levels) {
        noise.df = (double)(kept - levels);
        noise.sigma = sqrt(squares / noise.df);
    }
    return noise;
}

size_t history_current(const double *runs, size_t count, double floor,
                       struct decide_noise *ret_noise)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const size_t skip = count > CHANGE_MAX ? count - CHANGE_MAX : 0;
    struct change_segment *segments = arena_alloc(&scratch, (count - skip + 1) * sizeof(*segments));
    size_t n = 0;

    if (count > 0)
        n = segments_of(runs + skip, count - skip, floor, segments);
    if (ret_noise != NULL)
        *ret_noise = history_noise(runs + skip, segments, n);
    return n > 0 ? segments[n - 1].end - segments[n - 1].begin : 0;
}

static bool counts(const struct data_point *p)
{
    return (p->status == CASE_PASSED || p->status == CASE_OVER) && isfinite(p->value);
}

static size_t usable(const struct data_series *series, size_t *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < series->point_count; i++) {
        if (counts(&series->points[i]))
            ret[n++] = i;
    }
    return n;
}

/* Does a new environment begin with used point k? Also when the first points of it do not count. */
static bool broken(const size_t *used, size_t k, const bool *breaks)
{
    if (breaks == NULL || k == 0)
        return false;
    for (size_t i = used[k - 1] + 1; i <= used[k]; i++) {
        if (breaks[i])
            return true;
    }
    return false;
}

/* Each environment is cut on its own. */
static size_t all_segments(const double *runs, const size_t *used, size_t count, const bool *breaks,
                           double floor, struct change_segment *ret)
{
    size_t n = 0;

    for (size_t from = 0, to; from < count; from = to) {
        size_t added;

        for (to = from + 1; to < count && !broken(used, to, breaks); to++)
            ;
        added = segments_of(runs + from, to - from, floor, ret + n);
        for (size_t s = n; s < n + added; s++) {
            ret[s].begin += from;
            ret[s].end += from;
        }
        n += added;
    }
    return n;
}

static enum verdict verdict_of(const struct data_series *series, double change, double floor)
{
    if (fabs(change) <= floor)
        return VERDICT_WITHIN_NOISE;
    return (change < 0) == series->lower_is_better ? VERDICT_IMPROVED : VERDICT_REGRESSED;
}

static void list_changes(const struct data_series *series, const bool *breaks, double floor,
                         struct arena *arena, struct history *h)
{
    struct history_change *changes = arena_alloc(arena, (h->segment_count + 1) * sizeof(*changes));

    for (size_t s = 1; s < h->segment_count; s++) {
        const double before = h->segments[s - 1].median;
        const double after = h->segments[s].median;
        const double change =
            before != 0 ? (after - before) / fabs(before) : copysign(INFINITY, after - before);
        const size_t at = h->segments[s].begin;

        changes[h->change_count++] = (struct history_change){
            .at = h->used[at],
            .before = before,
            .after = after,
            .change = after == before ? 0 : change,
            .verdict = verdict_of(series, after == before ? 0 : change, floor),
            .environment = broken(h->used, at, breaks)};
    }
    h->changes = changes;
}

static double series_floor(const struct data_series *series, const struct decide_policy *policy)
{
    const struct event_metric m = {.class_ = series->class_, .unit = series->unit};
    const enum metric_class judged = decide_class(&m);

    return judged == METRIC_INFO ? policy->floor[METRIC_TIME] : policy->floor[judged];
}

void history_of(const struct data_series *series, const bool *breaks,
                const struct decide_policy *policy, struct arena *arena, struct history *ret)
{
    const double floor = series_floor(series, policy);
    size_t *used = arena_alloc(arena, (series->point_count + 1) * sizeof(*used));
    const size_t all = usable(series, used);
    const size_t skip = all > CHANGE_MAX ? all - CHANGE_MAX : 0;
    struct change_segment *segments = arena_alloc(arena, (all - skip + 1) * sizeof(*segments));
    double *runs = arena_alloc(arena, (all - skip + 1) * sizeof(*runs));
    const struct data_point *baseline;

    *ret = (struct history){.used = used + skip, .used_count = all - skip, .level = NAN};
    for (size_t i = 0; i < ret->used_count; i++)
        runs[i] = series->points[ret->used[i]].value;
    ret->segments = segments;
    ret->segment_count = all_segments(runs, ret->used, ret->used_count, breaks, floor, segments);
    list_changes(series, breaks, floor, arena, ret);
    ret->noise = history_noise(runs, segments, ret->segment_count);
    if (ret->used_count > 0) {
        const size_t n = history_baseline(series, ret, arena, &baseline);

        for (size_t i = 0; i < n; i++)
            runs[i] = baseline[i].value;
        ret->level = order_median(runs, n);
    }
}

size_t history_baseline(const struct data_series *series, const struct history *h,
                        struct arena *arena, const struct data_point **ret)
{
    const struct change_segment *last;
    struct data_point *points;
    size_t from;
    size_t n;

    if (h->segment_count == 0)
        return 0;
    last = &h->segments[h->segment_count - 1];
    from = last->end - last->begin > HISTORY_BASELINE_RUNS ? last->end - HISTORY_BASELINE_RUNS
                                                           : last->begin;
    n = last->end - from;
    points = arena_alloc(arena, n * sizeof(*points));
    for (size_t i = 0; i < n; i++)
        points[i] = series->points[h->used[from + i]];
    *ret = points;
    return n;
}
