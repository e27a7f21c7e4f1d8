/*
 * SOFTMAX, int8 in, int8 or int16 out: reference_ops::Softmax on gemmlowp fixed point.
 * The host has put every value exp() can take into a table, so what is left is the reciprocal.
 */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* The sum has 12 integer bits: room for 4095 ones. */
#define SUM_INTEGER_BITS 12

static int32_t leading_zeros(uint32_t v)
{
    int32_t n = 0;

    for (uint32_t bit = 0x80000000u; bit && !(v & bit); bit >>= 1)
        n++;
    return n;
}

/* one_over_one_plus_x_for_x_in_0_1(x) */
static int32_t one_over_one_plus(int32_t x)
{
    return arith_shift_left_saturate(arith_reciprocal_of_half_sum(x), 1);
}

/* The row's sum of exponentials, Q12.19. */
static int32_t sum_row(const struct kernel_softmax *p, const int8_t *in, int32_t max,
                       const int32_t *exp)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < p->depth; i++) {
        uint32_t below = (uint32_t)(max - in[i]);
        if (below < p->entries)
            sum = arith_add(sum, arith_shift_right(exp[below], SUM_INTEGER_BITS));
    }
    return sum;
}

void ref_softmax_s8(const void *params, void *const *at)
{
    const struct kernel_softmax *p = params;
    const int8_t *in = at[0];
    int8_t *out8 = at[1];
    int16_t *out16 = at[1];
    const int32_t *exp = at[2];
    int32_t bits = p->out_type == KERNEL_S16 ? 16 : 8;
    int32_t low = -((int32_t)1 << (bits - 1)), high = -low - 1;

    for (uint32_t row = 0; row < p->rows; row++, in += p->depth) {
        int32_t max = INT8_MIN;
        for (uint32_t i = 0; i < p->depth; i++)
            max = in[i] > max ? in[i] : max;
        int32_t sum = sum_row(p, in, max, exp);
        int32_t headroom = leading_zeros((uint32_t)sum);
        int32_t scale =
            one_over_one_plus((int32_t)(((uint32_t)sum << (headroom & 31)) - 0x80000000u));
        int32_t exponent = (SUM_INTEGER_BITS - headroom + 31 - bits) & 31;
        for (uint32_t i = 0; i < p->depth; i++) {
            uint32_t below = (uint32_t)(max - in[i]);
            int32_t v = low;
            if (below < p->entries)
                v = arith_add(arith_shift_right(arith_high_mul(scale, exp[below]), exponent), low);
            v = arith_clamp(v, low, high);
            if (bits == 8)
                *out8++ = (int8_t)v;
            else
                *out16++ = (int16_t)v;
        }
    }
}

bool ref_softmax_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_softmax *p = params;

    return (p->out_type == KERNEL_S8 || p->out_type == KERNEL_S16) &&
           check_holds(&spans[0], p->rows, p->depth, 1, 1) &&
           check_holds(&spans[1], p->rows, p->depth, 1, check_type_size(p->out_type)) &&
           check_holds(&spans[2], p->entries, 1, 1, sizeof(int32_t));
}
