/*
 * MAX_POOL_S8, sixteen channels at a time, and AVERAGE_POOL_S8, eight (of windows whose sums fit into
 * 16 bits). Spans and parameters as for ref.
 */
#include "agents/kernels/pool.h"

#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/mve/helium.h"
#include "agents/kernels/mve/mve.h"
#include "agents/kernels/ref/ref.h"

#define AVERAGE_MOST 255 /* pixels of a window: 255 * -128 fits into 16 bits */

static void maximum(const struct kernel_pool *p, const struct pool_window *w, int8_t *out)
{
    uint32_t pixel = p->c, row = (uint32_t)p->in_w * p->c;
    int8x16_t min = vdupq_n_s8((int8_t)p->act_min), max = vdupq_n_s8((int8_t)p->act_max);

    for (uint32_t c = 0; c < p->c; c += MVE_VECTOR) {
        mve_pred16_t tail = vctp8q(p->c - c);
        int8x16_t v = vdupq_n_s8(INT8_MIN);
        const int8_t *line = w->first + c;
        for (uint32_t y = w->rows; y > 0; y--, line += row) {
            const int8_t *in = line;
            for (uint32_t x = w->columns; x > 0; x--, in += pixel)
                v = vmaxq_s8(v, vldrbq_z_s8(in, tail));
        }
        vstrbq_p_s8(out + c, vminq_s8(vmaxq_s8(v, min), max), tail);
    }
}

static void average(const struct kernel_pool *p, const struct pool_window *w, int8_t *out)
{
    uint32_t pixel = p->c, row = (uint32_t)p->in_w * p->c;
    int32_t count = (int32_t)(w->rows * w->columns), half = count / 2;
    int16_t sums[8];

    for (uint32_t c = 0; c < p->c; c += 8) {
        uint32_t n = p->c - c < 8 ? p->c - c : 8;
        mve_pred16_t tail = vctp16q(n);
        int16x8_t v = vdupq_n_s16(0);
        const int8_t *line = w->first + c;
        for (uint32_t y = w->rows; y > 0; y--, line += row) {
            const int8_t *in = line;
            for (uint32_t x = w->columns; x > 0; x--, in += pixel)
                v = vaddq_s16(v, vldrbq_z_s16(in, tail));
        }
        vstrhq_s16(sums, v);
        for (uint32_t i = 0; i < n; i++) {
            int32_t sum = sums[i];
            sum = count == 0 ? 0 : (sum > 0 ? sum + half : sum - half) / count;
            out[c + i] = (int8_t)arith_clamp(sum, p->act_min, p->act_max);
        }
    }
}

void mve_max_pool_s8(const void *params, void *const *at)
{
    pool_walk(params, at, maximum);
}

void mve_average_pool_s8(const void *params, void *const *at)
{
    pool_walk(params, at, average);
}

bool mve_average_pool_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_pool *p = params;

    return (uint32_t)p->filter_h * p->filter_w <= AVERAGE_MOST && ref_pool_s8_check(params, spans);
}
