/* MAX_POOL_S8, four channels at a time. Spans and parameters as for ref. */
#include "agents/kernels/pool.h"

#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"

static inline uint32_t four_of(int32_t v)
{
    return (uint8_t)v * 0x01010101u;
}

static inline uint32_t max_four(const struct kernel_pool *p, const struct pool_window *w,
                                const int8_t *in)
{
    uint32_t pixel = p->c, row = p->in_w * pixel, v = four_of(p->act_min);

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *at = in;
        for (uint32_t x = w->columns; x > 0; x--, at += pixel)
            v = dsp_larger(v, dsp_load(at));
    }
    return dsp_smaller(v, four_of(p->act_max));
}

static inline int8_t max_one(const struct kernel_pool *p, const struct pool_window *w,
                             const int8_t *in)
{
    uint32_t pixel = p->c, row = p->in_w * pixel;
    int32_t v = p->act_min;

    for (uint32_t y = w->rows; y > 0; y--, in += row) {
        const int8_t *at = in;
        for (uint32_t x = w->columns; x > 0; x--, at += pixel)
            v = *at > v ? *at : v;
    }
    return (int8_t)(v < p->act_max ? v : p->act_max);
}

static void maximum(const struct kernel_pool *p, const struct pool_window *w, int8_t *out)
{
    uint32_t c = 0;

    for (; c + 4 <= p->c; c += 4)
        dsp_store(out + c, max_four(p, w, w->first + c));
    for (; c < p->c; c++)
        out[c] = max_one(p, w, w->first + c);
}

void armv7em_max_pool_s8(const void *params, void *const *at)
{
    pool_walk(params, at, maximum);
}
