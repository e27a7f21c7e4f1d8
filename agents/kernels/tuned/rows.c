/* Rows of inputs times blocks of weights: FULLY_CONNECTED, and CONV where pixels are left over. */
#include "agents/kernels/tuned/scale.h"

int32_t tuned_sum(const int8_t *x, uint32_t n)
{
    int32_t sum = 0;

    for (; n >= 4; n -= 4, x += 4)
        sum += x[0] + x[1] + x[2] + x[3];
    while (n--)
        sum += *x++;
    return sum;
}

/* Inlined twice: the range of int8 is what most layers have, and cheaper than any other. */
static inline __attribute__((always_inline)) void finish(const struct tuned_rows *r,
                                                         const struct tuned_channel *c,
                                                         const int32_t *sums, uint32_t extra,
                                                         uint32_t n, int8_t *out, bool int8)
{
    int32_t min = int8 ? INT8_MIN : r->act_min, max = int8 ? INT8_MAX : r->act_max;

    for (const struct tuned_channel *end = c + n; c != end; c++) {
        uint32_t sum = (uint32_t)*sums++ + extra + (uint32_t)c->bias;
        *out++ = (int8_t)arith_clamp(tuned_scale((int32_t)sum, c), min, max);
    }
}

static inline __attribute__((always_inline)) void finish_pair(const struct tuned_rows *r,
                                                              const struct tuned_channel *c,
                                                              const int32_t *sums,
                                                              const uint32_t extra[2], uint32_t n,
                                                              int8_t *out, bool int8)
{
    int32_t min = int8 ? INT8_MIN : r->act_min, max = int8 ? INT8_MAX : r->act_max;
    uint32_t extra1 = extra[0], extra2 = extra[1], next = r->out_c;

    for (const struct tuned_channel *end = c + n; c != end; c++, sums++) {
        const struct tuned_channel channel = *c;
        uint32_t sum = (uint32_t)sums[0] + extra1 + (uint32_t)channel.bias;
        uint32_t sum2 = (uint32_t)sums[TUNED_PAIR] + extra2 + (uint32_t)channel.bias;
        int8_t first = (int8_t)arith_clamp(tuned_scale((int32_t)sum, &channel), min, max);
        out[next] = (int8_t)arith_clamp(tuned_scale((int32_t)sum2, &channel), min, max);
        *out++ = first;
    }
}

static bool any_int8(const struct tuned_rows *r)
{
    return r->act_min == INT8_MIN && r->act_max == INT8_MAX;
}

void tuned_finish(const struct tuned_rows *r, const struct tuned_channel *c, const int32_t *sums,
                  uint32_t extra, uint32_t n, int8_t *out)
{
    if (any_int8(r))
        finish(r, c, sums, extra, n, out, true);
    else
        finish(r, c, sums, extra, n, out, false);
}

void tuned_finish_pair(const struct tuned_rows *r, const struct tuned_channel *c,
                       const int32_t *sums, const uint32_t extra[2], uint32_t n, int8_t *out)
{
    if (any_int8(r))
        finish_pair(r, c, sums, extra, n, out, true);
    else
        finish_pair(r, c, sums, extra, n, out, false);
}

void tuned_row(const struct tuned_rows *r, const int8_t *x, int8_t *out)
{
    int32_t sums[TUNED_WIDE];
    uint32_t extra = (uint32_t)tuned_sum(x, r->k) * (uint32_t)r->x_factor;
    const uint8_t *weights = r->weights;
    uint32_t block = TUNED_BLOCK * r->k;
    uint32_t c = 0;

    while (c < r->out_c) {
        uint32_t left = r->out_c - c, n = TUNED_WIDE;
        if (left > TUNED_WIDE - TUNED_BLOCK) {
            tuned_dot_wide(sums, weights, x, r->k, block);
        } else {
            n = TUNED_BLOCK;
            tuned_dot_block(sums, weights, x, r->k);
        }
        tuned_finish(r, r->channels + c, sums, extra, left < n ? left : n, out + c);
        weights += n / TUNED_BLOCK * block;
        c += n;
    }
}
