#include "harness/trace/pyramid.h"

#include <math.h>

struct trace_point pyramid_point(const float *current_a, size_t count)
{
    struct trace_point p = {.min_a = NAN, .max_a = NAN, .mean_a = NAN};
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const float a = current_a[i];

        if (a != a)
            continue;
        p.min_a = n == 0 || a < p.min_a ? a : p.min_a;
        p.max_a = n == 0 || a > p.max_a ? a : p.max_a;
        sum += (double)a;
        n++;
    }
    if (n > 0)
        p.mean_a = (float)(sum / (double)n);
    return p;
}

struct trace_point pyramid_join(const struct trace_point *points, size_t count)
{
    struct trace_point p = {.min_a = NAN, .max_a = NAN, .mean_a = NAN};
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (isnan(points[i].mean_a))
            continue;
        p.min_a = n == 0 ? points[i].min_a : fminf(p.min_a, points[i].min_a);
        p.max_a = n == 0 ? points[i].max_a : fmaxf(p.max_a, points[i].max_a);
        sum += (double)points[i].mean_a;
        n++;
    }
    if (n > 0)
        p.mean_a = (float)(sum / (double)n);
    return p;
}

uint64_t pyramid_span(int level)
{
    uint64_t span = TRACE_FIRST_LEVEL;

    for (; level > 0; level--)
        span *= TRACE_LEVEL_STEP;
    return span;
}

size_t pyramid_base(const float *current_a, size_t count, struct trace_point *ret)
{
    size_t n = 0;

    for (size_t at = 0; at < count; at += TRACE_FIRST_LEVEL)
        ret[n++] = pyramid_point(current_a + at,
                                 count - at < TRACE_FIRST_LEVEL ? count - at : TRACE_FIRST_LEVEL);
    return n;
}

size_t pyramid_up(const struct trace_point *points, size_t count, struct trace_point *ret)
{
    size_t n = 0;

    for (size_t at = 0; at < count; at += TRACE_LEVEL_STEP)
        ret[n++] = pyramid_join(points + at,
                                count - at < TRACE_LEVEL_STEP ? count - at : TRACE_LEVEL_STEP);
    return n;
}
