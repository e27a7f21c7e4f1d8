#include "harness/stats/change.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "harness/base/arena.h"
#include "harness/stats/order.h"

/* A max-heap; the upper half of the values is kept negated in a second one. */
struct heap {
    double *x;
    size_t n;
    double sum;
};

static void heap_push(struct heap *h, double value)
{
    size_t i = h->n++;

    h->sum += value;
    while (i > 0 && h->x[(i - 1) / 2] < value) {
        h->x[i] = h->x[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->x[i] = value;
}

static double heap_pop(struct heap *h)
{
    const double top = h->x[0];
    const double last = h->x[--h->n];
    size_t i = 0;

    h->sum -= top;
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->n)
            break;
        child += child + 1 < h->n && h->x[child + 1] > h->x[child];
        if (h->x[child] <= last)
            break;
        h->x[i] = h->x[child];
        i = child;
    }
    h->x[i] = last;
    return top;
}

/* A growing segment whose sum of absolute deviations from its median is always known. */
struct growing {
    struct heap low;  /* the smaller half, one more when odd */
    struct heap high; /* the larger half, negated */
};

static double grow(struct growing *g, double value)
{
    if (g->low.n > 0 && value > g->low.x[0])
        heap_push(&g->high, -value);
    else
        heap_push(&g->low, value);
    if (g->low.n > g->high.n + 1)
        heap_push(&g->high, -heap_pop(&g->low));
    if (g->high.n > g->low.n)
        heap_push(&g->low, -heap_pop(&g->high));
    return -g->high.sum - g->low.sum + (g->low.n > g->high.n ? g->low.x[0] : 0);
}

double change_noise(const double *x, size_t n)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *steps = arena_alloc(&scratch, (n + 1) * sizeof(*steps));

    if (n < 2)
        return 0;
    for (size_t i = 0; i + 1 < n; i++)
        steps[i] = fabs(x[i + 1] - x[i]);
    return ORDER_MAD_TO_SIGMA * order_median(steps, n - 1) / M_SQRT2;
}

double change_penalty(double sigma, size_t n)
{
    const double count = fmax((double)n, 2);

    return 3 * (1 + 5 / count) * sigma * sqrt(2 / M_PI) * log(count);
}

/* Without noise every step is real: a quarter of the smallest one. */
static double smallest_step(const double *x, size_t n)
{
    double least = DBL_MAX;

    for (size_t i = 0; i + 1 < n; i++) {
        if (x[i + 1] != x[i])
            least = fmin(least, fabs(x[i + 1] - x[i]));
    }
    return least;
}

/* best[j]: least cost of x[0 .. j-1]; from[j]: where its last segment begins. */
static void partition(const double *x, size_t n, size_t min_segment, double penalty, size_t *from)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *best = arena_alloc(&scratch, (n + 1) * sizeof(*best));
    struct growing g = {.low.x = arena_alloc(&scratch, (n + 1) * sizeof(*x)),
                        .high.x = arena_alloc(&scratch, (n + 1) * sizeof(*x))};

    for (size_t j = 1; j <= n; j++)
        best[j] = INFINITY;
    best[0] = -penalty;
    for (size_t i = 0; i < n; i++) {
        if (isinf(best[i]))
            continue;
        g.low.n = g.high.n = 0;
        g.low.sum = g.high.sum = 0;
        for (size_t j = i + 1; j <= n; j++) {
            const double cost = best[i] + grow(&g, x[j - 1]) + penalty;

            if ((j - i >= min_segment || (i == 0 && j == n)) && cost < best[j]) {
                best[j] = cost;
                from[j] = i;
            }
        }
    }
}

static void describe(const double *x, struct change_segment *s, double *scratch)
{
    const size_t n = s->end - s->begin;

    for (size_t i = 0; i < n; i++)
        scratch[i] = x[s->begin + i];
    s->median = order_median(scratch, n);
    s->sigma = ORDER_MAD_TO_SIGMA * order_mad(x + s->begin, n, s->median, scratch);
}

size_t change_find(const double *x, size_t n, const struct change_options *options,
                   struct change_segment *ret_segments)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const size_t min_segment = options->min_segment > 0 ? options->min_segment : 3;
    const double noise = fmax(change_noise(x, n), options->noise);
    size_t *from = arena_alloc(&scratch, (n + 1) * sizeof(*from));
    double *centred = arena_alloc(&scratch, (n + 1) * sizeof(*centred));
    double penalty = options->penalty;
    size_t count = 0;

    assert(n <= CHANGE_MAX);
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        centred[i] = x[i] - x[0]; /* small steps on a large level keep their digits */
    if (!(penalty > 0))
        penalty = noise > 0 ? change_penalty(noise, n) : smallest_step(x, n) / 4;
    partition(centred, n, min_segment, penalty, from);
    for (size_t j = n; j > 0; j = from[j])
        count++;
    for (size_t j = n, k = count; j > 0; j = from[j]) {
        ret_segments[--k] = (struct change_segment){.begin = from[j], .end = j};
        describe(x, &ret_segments[k], centred);
    }
    return count;
}
