/*
 * MEAN of int8. Spans as for ref; of the parameters both ranks are 2, so that what ref walks is two
 * plain loops in two others.
 */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"
#include "agents/kernels/tuned/tuned.h"

static inline uint32_t add_up(const struct kernel_reduce *p, const int8_t *in)
{
    uint32_t n = p->inner_dims[1], stride = p->inner_strides[1], sum = 0;

    for (uint32_t i = p->inner_dims[0]; i > 0; i--, in += p->inner_strides[0]) {
        const int8_t *v = in;
        for (uint32_t left = n; left > 0; left--, v += stride)
            sum += (uint32_t)*v;
    }
    return sum;
}

void tuned_mean(const void *params, void *const *at)
{
    const struct kernel_reduce *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];

    for (uint32_t i = 0; i < p->outer_dims[0]; i++, in += p->outer_strides[0]) {
        const int8_t *first = in;
        for (uint32_t n = p->outer_dims[1]; n > 0; n--, first += p->outer_strides[1]) {
            int32_t sum = (int32_t)(add_up(p, first) - (uint32_t)p->in_zero_sum);
            sum = arith_requantize(sum, p->multiplier, p->shift);
            *out++ = arith_saturate8(arith_add(sum, p->out_zero));
        }
    }
}

bool tuned_mean_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_reduce *p = params;

    return p->type == KERNEL_S8 && p->outer_rank == 2 && p->inner_rank == 2 &&
           ref_reduce_check(params, spans);
}
