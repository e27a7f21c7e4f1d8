#include "agents/kernels/wide.h"

#include "agents/kernels/arith.h"

int16_t wide_finish(const struct kernel_conv *p, int64_t sum, const void *channels, uint32_t c)
{
    int32_t v;

    if (p->wide) {
        const struct kernel_channel_wide *wide = (const struct kernel_channel_wide *)channels + c;
        v = arith_requantize_wide(arith_add_wide(sum, wide->bias), wide->multiplier, wide->shift);
    } else {
        const struct kernel_channel *narrow = (const struct kernel_channel *)channels + c;
        v = arith_requantize(arith_add((int32_t)sum, narrow->bias), narrow->multiplier,
                             narrow->shift);
    }
    return (int16_t)arith_clamp(arith_add(v, p->out_offset), p->act_min, p->act_max);
}
