#include "harness/judge/means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/spec/metric.h"

static bool in_mean(const struct compare_row *row)
{
    return !isnan(row->d.change) && row->d.a > 0 && row->d.b > 0;
}

static void add_mean(struct compare_mean *mean, const struct comparison *c, struct arena *arena)
{
    size_t capacity = 0;
    size_t n = 0;
    double *ratios = NULL;

    for (size_t i = 0; i < c->case_count; i++) {
        for (size_t k = 0; k < c->cases[i].row_count; k++) {
            const struct compare_row *row = &c->cases[i].rows[k];

            if (row->unit != mean->unit || strcmp(row->metric, mean->metric) != 0)
                continue;
            if (in_mean(row))
                *ARENA_PUSH(arena, ratios, n, capacity) = row->d.b / row->d.a;
            else
                mean->incomparable++;
        }
    }
    ratio_mean_of(ratios, n, &mean->ratio);
}

static bool known(const struct compare_mean *means, size_t count, const struct compare_row *row)
{
    for (size_t i = 0; i < count; i++) {
        if (means[i].unit == row->unit && strcmp(means[i].metric, row->metric) == 0)
            return true;
    }
    return false;
}

static int by_rank(const void *x, const void *y)
{
    const struct compare_mean *a = x;
    const struct compare_mean *b = y;
    const size_t ra = metric_info_rank(a->metric);
    const size_t rb = metric_info_rank(b->metric);

    if (ra != rb)
        return ra < rb ? -1 : 1;
    if (strcmp(a->metric, b->metric) != 0)
        return strcmp(a->metric, b->metric);
    return (a->unit > b->unit) - (a->unit < b->unit);
}

void compare_means(struct comparison *c, struct arena *arena)
{
    struct compare_mean *means = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t i = 0; i < c->case_count; i++) {
        for (size_t k = 0; k < c->cases[i].row_count; k++) {
            const struct compare_row *row = &c->cases[i].rows[k];

            if (known(means, count, row))
                continue;
            *ARENA_PUSH(arena, means, count, capacity) = (struct compare_mean){
                .metric = row->metric, .unit = row->unit, .lower_is_better = row->lower_is_better};
        }
    }
    if (count > 1)
        qsort(means, count, sizeof(*means), by_rank);
    for (size_t i = 0; i < count; i++)
        add_mean(&means[i], c, arena);
    c->means = means;
    c->mean_count = count;
}
