#include "harness/measure/compare.h"

#include <math.h>
#include <string.h>

static void note_difference(struct event_output *o, size_t at, uint32_t bytes)
{
    if (o->differences == 0)
        o->first_difference = (uint32_t)at;
    o->differences += bytes;
    o->equal = false;
}

static void compare_bytes(const struct buf *got, const struct buf *expected, size_t from, size_t to,
                          struct event_output *o)
{
    for (size_t i = from; i < to; i++) {
        if (got->data[i] != expected->data[i])
            note_difference(o, i, 1);
    }
}

/* NaN is near nothing. */
static bool is_near(float got, float expected, double tolerance)
{
    const double limit = tolerance * fmax(1.0, fabs((double)expected));

    return got == expected || fabs((double)got - (double)expected) <= limit;
}

static void compare_floats(const struct buf *got, const struct buf *expected, size_t from,
                           size_t to, double tolerance, struct event_output *o)
{
    for (size_t i = from; i + sizeof(float) <= to; i += sizeof(float)) {
        float a, b;

        memcpy(&a, got->data + i, sizeof(a));
        memcpy(&b, expected->data + i, sizeof(b));
        if (!is_near(a, b, tolerance))
            note_difference(o, i, sizeof(float));
    }
    compare_bytes(got, expected, to - (to - from) % sizeof(float), to, o);
}

/* The bytes that both have. */
static void compare_common(const struct nn_report *r, double tolerance, const struct buf *got,
                           const struct buf *expected, size_t n, struct event_output *o)
{
    size_t at = 0;

    /* A runtime whose model we did not compile: the suite says that its outputs are float32. */
    if (r == NULL && tolerance > 0) {
        compare_floats(got, expected, 0, n, tolerance, o);
        return;
    }
    for (size_t i = 0; r != NULL && i < r->output_count && at + r->outputs[i].size <= n; i++) {
        const size_t end = at + r->outputs[i].size;

        if (r->outputs[i].type == NN_FLOAT32 && tolerance > 0)
            compare_floats(got, expected, at, end, tolerance, o);
        else
            compare_bytes(got, expected, at, end, o);
        at = end;
    }
    compare_bytes(got, expected, at, n, o);
}

void check_compare(const struct nn_report *r, double tolerance, const struct buf *got,
                   const struct buf *expected, struct event_output *o)
{
    const size_t n = got->len < expected->len ? got->len : expected->len;
    const size_t more = got->len + expected->len - 2 * n;

    o->compared = true;
    o->equal = true;
    compare_common(r, tolerance, got, expected, n, o);
    if (more > 0) /* what only one of them has differs, too */
        note_difference(o, n, (uint32_t)more);
}
