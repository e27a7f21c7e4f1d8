#include "agents/kernels/arith.h"
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"

void armv7em_clamp(int8_t *out, uint32_t n, int32_t min, int32_t max)
{
    if (min <= INT8_MIN && max >= INT8_MAX)
        return;
    for (; n; n--, out++)
        *out = (int8_t)arith_clamp(*out, min, max);
}

int32_t armv7em_finish(uint32_t sum, int32_t multiplier, int32_t power, int32_t offset)
{
    if (power >= 0)
        return dsp_finish_fast(sum, multiplier, power, offset);
    sum = (uint32_t)arith_requantize((int32_t)sum, multiplier, DSP_ANY_SHIFT - power);
    return dsp_saturate8(arith_add((int32_t)sum, offset));
}
