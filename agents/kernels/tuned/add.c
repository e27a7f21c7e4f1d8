/*
 * ADD_S8 of two tensors of one shape, with TFLite's left shift of 20.
 *
 * An input has 9 bits with its offset, so its first rounding, (v << 20) * m / 2^31 rounded, needs
 * no long product: with m = high * 2^11 + low it is v * high + ((v * low + 2^10) >> 11), exactly.
 *
 * Spans: a, b, out, struct tuned_add. Parameters: one dimension, strides of 1.
 */
#include "agents/kernels/tuned/add.h"

#include "agents/kernels/check.h"
#include "agents/kernels/tuned/scale.h"

static inline uint32_t widen(int32_t v, const struct tuned_operand *o)
{
    uint32_t u = (uint32_t)v + (uint32_t)o->offset;
    uint32_t low = (uint32_t)((int32_t)(u * (uint32_t)o->low + (1 << 10)) >> 11);
    uint32_t x = u * (uint32_t)o->high + low;
    uint32_t tie = (uint32_t)((int32_t)x >> 31) & (uint32_t)o->ties;

    return (uint32_t)((int32_t)(x + tie + (uint32_t)o->half) >> (o->shift & 31));
}

void tuned_add_s8(const void *params, void *const *at)
{
    const struct kernel_binary *p = params;
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];
    const struct tuned_add *t = at[3];
    int32_t min = p->act_min, max = p->act_max;

    for (uint32_t n = p->dims[0]; n > 0; n--) {
        uint32_t sum = widen(*a++, &t->a) + widen(*b++, &t->b);
        *out++ = (int8_t)arith_clamp(tuned_scale((int32_t)sum, &t->out), min, max);
    }
}

bool tuned_add_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_binary *p = params;

    return p->rank == 1 && p->a_strides[0] == 1 && p->b_strides[0] == 1 &&
           check_holds(&spans[0], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[1], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[2], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[3], 1, 1, sizeof(struct tuned_add) / 4, 4);
}
