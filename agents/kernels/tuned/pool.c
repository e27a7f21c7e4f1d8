/* MAX_POOL_S8 and AVERAGE_POOL_S8, four channels at a time. Spans and parameters as for ref. */
#include "agents/kernels/pool.h"

#include "agents/kernels/arith.h"
#include "agents/kernels/tuned/tuned.h"

/* `n` channels are those from `in` on. */
typedef void channels_fn(const struct kernel_pool *p, const struct pool_window *w, const int8_t *in,
                         int8_t *out);

static inline __attribute__((always_inline)) void all_channels(const struct kernel_pool *p,
                                                               const struct pool_window *w,
                                                               int8_t *out, channels_fn *four,
                                                               channels_fn *one)
{
    uint32_t c = 0;

    for (; c + 4 <= p->c; c += 4)
        four(p, w, w->first + c, out + c);
    for (; c < p->c; c++)
        one(p, w, w->first + c, out + c);
}

static inline int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline int8_t at_most(int32_t v, int32_t max)
{
    return (int8_t)(v < max ? v : max);
}

static inline void max_four(const struct kernel_pool *p, const struct pool_window *w,
                            const int8_t *in, int8_t *out)
{
    uint32_t pixel = p->c, row = p->in_w * pixel;
    int32_t a = p->act_min, b = a, c = a, d = a, most = p->act_max;

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *v = in;
        for (uint32_t x = w->columns; x > 0; x--, v += pixel) {
            a = larger(v[0], a);
            b = larger(v[1], b);
            c = larger(v[2], c);
            d = larger(v[3], d);
        }
    }
    out[0] = at_most(a, most);
    out[1] = at_most(b, most);
    out[2] = at_most(c, most);
    out[3] = at_most(d, most);
}

static inline void max_one(const struct kernel_pool *p, const struct pool_window *w,
                           const int8_t *in, int8_t *out)
{
    uint32_t pixel = p->c, row = p->in_w * pixel;
    int32_t a = p->act_min;

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *v = in;
        for (uint32_t x = w->columns; x > 0; x--, v += pixel)
            a = larger(*v, a);
    }
    *out = at_most(a, p->act_max);
}

static void maximum(const struct kernel_pool *p, const struct pool_window *w, int8_t *out)
{
    all_channels(p, w, out, max_four, max_one);
}

void tuned_max_pool_s8(const void *params, void *const *at)
{
    pool_walk(params, at, maximum);
}

/* Rounded to nearest, ties away from zero. */
static __attribute__((noinline)) int8_t divide(const struct kernel_pool *p,
                                               const struct pool_window *w, int32_t sum)
{
    int32_t count = (int32_t)(w->rows * w->columns), half = count / 2;

    if (count > 1)
        sum = (sum > 0 ? sum + half : sum - half) / count;
    return (int8_t)arith_clamp(sum, p->act_min, p->act_max);
}

static inline void add_four(const struct kernel_pool *p, const struct pool_window *w,
                            const int8_t *in, int8_t *out)
{
    uint32_t pixel = p->c, row = p->in_w * pixel, a = 0, b = 0, c = 0, d = 0;

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *v = in;
        for (uint32_t x = w->columns; x > 0; x--, v += pixel) {
            a += (uint32_t)v[0];
            b += (uint32_t)v[1];
            c += (uint32_t)v[2];
            d += (uint32_t)v[3];
        }
    }
    out[0] = divide(p, w, (int32_t)a);
    out[1] = divide(p, w, (int32_t)b);
    out[2] = divide(p, w, (int32_t)c);
    out[3] = divide(p, w, (int32_t)d);
}

static inline void add_one(const struct kernel_pool *p, const struct pool_window *w,
                           const int8_t *in, int8_t *out)
{
    uint32_t pixel = p->c, row = p->in_w * pixel, sum = 0;

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *v = in;
        for (uint32_t x = w->columns; x > 0; x--, v += pixel)
            sum += (uint32_t)*v;
    }
    *out = divide(p, w, (int32_t)sum);
}

static void average(const struct kernel_pool *p, const struct pool_window *w, int8_t *out)
{
    all_channels(p, w, out, add_four, add_one);
}

void tuned_average_pool_s8(const void *params, void *const *at)
{
    pool_walk(params, at, average);
}
