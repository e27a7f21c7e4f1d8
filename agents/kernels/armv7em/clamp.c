#include "agents/kernels/arith.h"
#include "agents/kernels/armv7em/armv7em.h"

void armv7em_clamp(int8_t *out, uint32_t n, int32_t min, int32_t max)
{
    if (min <= INT8_MIN && max >= INT8_MAX)
        return;
    for (; n; n--, out++)
        *out = (int8_t)arith_clamp(*out, min, max);
}
