/* FULLY_CONNECTED, int8: reference_integer_ops::FullyConnected, ...PerChannel. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

void ref_fully_connected_s8(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const int32_t *biases = at[3];
    const struct kernel_channel *channels = at[3];
    int32_t in_offset = p->in_offset, weights_offset = p->weights_offset;

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n) {
        const int8_t *w = at[2];
        for (uint32_t c = 0; c < p->out_n; c++) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < p->in_n; i++)
                sum = arith_add(sum, (in[i] + in_offset) * (*w++ + weights_offset));
            if (p->per_channel)
                sum = arith_requantize(arith_add(sum, channels[c].bias), channels[c].multiplier,
                                       channels[c].shift);
            else
                sum = arith_requantize(arith_add(sum, biases[c]), p->multiplier, p->shift);
            *out++ = (int8_t)arith_clamp(arith_add(sum, p->out_offset), p->act_min, p->act_max);
        }
    }
}

bool ref_fully_connected_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;
    uint32_t channel = p->per_channel ? sizeof(struct kernel_channel) : sizeof(int32_t);

    return check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 1) &&
           check_holds(&spans[2], p->out_n, p->in_n, 1, 1) &&
           check_holds(&spans[3], p->out_n, 1, 1, channel);
}
