/* Rows of inputs times blocks of weights: FULLY_CONNECTED, and CONV where pixels are left over. */
#include "agents/kernels/tuned/asm.h"
#include "agents/kernels/tuned/copy.h"
#include "agents/kernels/tuned/scale.h"

#define SUM_SOME 512u /* inputs: 128 words, whose bytes' sums fit into 16 bits */

/* At most SUM_SOME inputs from where words may be read: four at a time, two in a sum. */
static inline uint32_t sum_some(const int8_t *x, uint32_t n)
{
    const uint32_t mask = 0x00ff00ff, flip = 0x80808080;
    uint32_t pair = 0, sum = 0u - (n & ~3u) * 128;

    for (const int8_t *end = x + (n & ~3u); x != end; x += 4) {
        uint32_t four = tuned_load(x) ^ flip;
        pair += four & mask;
        pair += four >> 8 & mask;
    }
    for (n &= 3; n > 0; n--)
        sum += (uint32_t)*x++;
    return sum + (uint16_t)pair + (pair >> 16);
}

static __attribute__((noinline)) uint32_t sum_many(const int8_t *x, uint32_t n)
{
    uint32_t sum = 0;

    if (!tuned_words_at(x)) {
        while (n--)
            sum += (uint32_t)*x++;
        return sum;
    }
    for (; n > SUM_SOME; n -= SUM_SOME, x += SUM_SOME)
        sum += sum_some(x, SUM_SOME);
    return sum + sum_some(x, n);
}

int32_t tuned_sum(const int8_t *x, uint32_t n)
{
    return (int32_t)(n <= SUM_SOME && tuned_words_at(x) ? sum_some(x, n) : sum_many(x, n));
}

void tuned_finish_any(const struct tuned_rows *r, const struct tuned_channel *c,
                      const int32_t *sums, uint32_t extra, uint32_t n, int8_t *out)
{
    for (; n > 0; n--, c++) {
        uint32_t sum = (uint32_t)*sums++ + extra + (uint32_t)c->bias;
        *out++ = (int8_t)arith_clamp(tuned_scale_any((int32_t)sum, c), r->act_min, r->act_max);
    }
}

#if !TUNED_ASM_FINISH
void tuned_finish_right(const struct tuned_rows *r, const struct tuned_channel *c,
                        const int32_t *sums, uint32_t extra, uint32_t n, int8_t *out)
{
    for (; n > 0; n--, c++) {
        uint32_t sum = (uint32_t)*sums++ + extra + (uint32_t)c->bias;
        *out++ = (int8_t)arith_clamp(tuned_scale_right((int32_t)sum, c), r->act_min, r->act_max);
    }
}
#endif

#if TUNED_ASM_FINISH

void tuned_finish_pair(const struct tuned_rows *r, const struct tuned_channel *c,
                       const int32_t *sums, const uint32_t extra[2], uint32_t n, int8_t *out)
{
    r->finish(r, c, sums, extra[0], n, out);
    r->finish(r, c, sums + TUNED_PAIR, extra[1], n, out + r->out_c);
}

#else

/* Of a range of outputs: that of int8 is what most layers have, and cheaper than any other. */
static inline int8_t clamp(const struct tuned_rows *r, int32_t v, bool int8)
{
    return int8 ? arith_saturate8(v) : (int8_t)arith_clamp(v, r->act_min, r->act_max);
}

static bool any_int8(const struct tuned_rows *r)
{
    return r->act_min == INT8_MIN && r->act_max == INT8_MAX;
}

#if !TUNED_ASM_FINISH_SMALL
static inline __attribute__((always_inline)) void finish_one(const struct tuned_rows *r,
                                                             const struct tuned_channel *c,
                                                             int32_t sum, uint32_t extra,
                                                             int8_t *out, bool int8)
{
    sum = (int32_t)((uint32_t)sum + extra + (uint32_t)c->bias);
    *out = clamp(r, tuned_scale(sum, c), int8);
}

static inline __attribute__((always_inline)) void finish(const struct tuned_rows *r,
                                                         const struct tuned_channel *c,
                                                         const int32_t *sums, uint32_t extra,
                                                         uint32_t n, int8_t *out, bool int8)
{
    for (; n >= 4; n -= 4, c += 4, sums += 4, out += 4) {
        finish_one(r, &c[0], sums[0], extra, &out[0], int8);
        finish_one(r, &c[1], sums[1], extra, &out[1], int8);
        finish_one(r, &c[2], sums[2], extra, &out[2], int8);
        finish_one(r, &c[3], sums[3], extra, &out[3], int8);
    }
    for (; n > 0; n--)
        finish_one(r, c++, *sums++, extra, out++, int8);
}

void tuned_finish_small(const struct tuned_rows *r, const struct tuned_channel *c,
                        const int32_t *sums, uint32_t extra, uint32_t n, int8_t *out)
{
    if (any_int8(r))
        finish(r, c, sums, extra, n, out, true);
    else
        finish(r, c, sums, extra, n, out, false);
}
#endif

static inline __attribute__((always_inline)) void finish_pair(const struct tuned_rows *r,
                                                              const struct tuned_channel *c,
                                                              const int32_t *sums,
                                                              const uint32_t extra[2], uint32_t n,
                                                              int8_t *out, bool int8)
{
    uint32_t extra1 = extra[0], extra2 = extra[1], next = r->out_c;

    for (const struct tuned_channel *end = c + n; c != end; c++, sums++) {
        const struct tuned_channel channel = *c;
        uint32_t sum = (uint32_t)sums[0] + extra1 + (uint32_t)channel.bias;
        uint32_t sum2 = (uint32_t)sums[TUNED_PAIR] + extra2 + (uint32_t)channel.bias;
        int8_t first = clamp(r, tuned_scale((int32_t)sum, &channel), int8);
        out[next] = clamp(r, tuned_scale((int32_t)sum2, &channel), int8);
        *out++ = first;
    }
}

void tuned_finish_pair(const struct tuned_rows *r, const struct tuned_channel *c,
                       const int32_t *sums, const uint32_t extra[2], uint32_t n, int8_t *out)
{
    if (r->finish != tuned_finish_small) {
        r->finish(r, c, sums, extra[0], n, out);
        r->finish(r, c, sums + TUNED_PAIR, extra[1], n, out + r->out_c);
    } else if (any_int8(r)) {
        finish_pair(r, c, sums, extra, n, out, true);
    } else {
        finish_pair(r, c, sums, extra, n, out, false);
    }
}

#endif

/* The sums of at most TUNED_ROW channels, from weights on; returns where they end. */
static inline const uint8_t *dot_row(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                     uint32_t k, uint32_t n)
{
    uint32_t block = TUNED_BLOCK * k;

    while (n > TUNED_WIDE - TUNED_BLOCK) {
        tuned_dot_wide(sums, weights, x, k, block);
        sums += TUNED_WIDE;
        weights += TUNED_WIDE / TUNED_BLOCK * block;
        if (n <= TUNED_WIDE)
            return weights;
        n -= TUNED_WIDE;
    }
    for (; n > 1; sums += TUNED_BLOCK, weights += block) {
        tuned_dot_block(sums, weights, x, k);
        if (n <= TUNED_BLOCK)
            return weights + block;
        n -= TUNED_BLOCK;
    }
    if (n)
        *sums = (int32_t)tuned_dot_one(weights, x, k);
    return weights;
}

#if TUNED_ASM_ROW_WIDE
__attribute__((noinline)) /* its frame would lie below that of tuned_row_wide() */
#endif
static void
row_from(const struct tuned_rows *r, const int8_t *x, int8_t *out, int32_t *sums, uint32_t extra,
         uint32_t first)
{
    const uint8_t *weights = r->weights + first * r->k;
    const struct tuned_channel *channels = r->channels + first;

    out += first;
    for (uint32_t left = r->out_c - first; left > 0;) {
        uint32_t n = left < TUNED_ROW ? left : TUNED_ROW;
        weights = dot_row(sums, weights, x, r->k, n);
        r->finish(r, channels, sums, extra, n, out);
        left -= n;
        out += n;
        channels += n;
    }
}

void tuned_row(const struct tuned_rows *r, const int8_t *x, int8_t *out, int32_t *sums)
{
    uint32_t extra = (uint32_t)tuned_sum(x, r->k) * (uint32_t)r->x_factor, first = 0;

#if TUNED_ASM_ROW_WIDE
    if (r->out_c >= TUNED_WIDE && r->finish == tuned_finish_small) {
        tuned_row_wide(r, x, out, extra);
        first = r->out_c & ~(TUNED_WIDE - 1);
        if (first == r->out_c)
            return;
    }
#endif
    row_from(r, x, out, sums, extra, first);
}
