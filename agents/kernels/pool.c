#include "agents/kernels/pool.h"

#include "agents/kernels/arith.h"

static struct pool_window window_at(const struct kernel_pool *p, const int8_t *in, int32_t y,
                                    int32_t x)
{
    int32_t y0 = arith_clamp(y, 0, p->in_h), y1 = arith_clamp(y + p->filter_h, 0, p->in_h);
    int32_t x0 = arith_clamp(x, 0, p->in_w), x1 = arith_clamp(x + p->filter_w, 0, p->in_w);

    return (struct pool_window){in + ((uint32_t)y0 * p->in_w + (uint32_t)x0) * p->c,
                                (uint32_t)(y1 - y0), (uint32_t)(x1 - x0)};
}

void pool_walk(const struct kernel_pool *p, void *const *at, pool_fn *reduce)
{
    const int8_t *in = at[0];
    int8_t *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t y = -p->pad_top;
        for (uint32_t oy = 0; oy < p->out_h; oy++, y += p->stride_h) {
            int32_t x = -p->pad_left;
            for (uint32_t ox = 0; ox < p->out_w; ox++, x += p->stride_w, out += p->c) {
                const struct pool_window w = window_at(p, in, y, x);
                reduce(p, &w, out);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->c;
    }
}
