/* What the host prepares for ADD_S8. */
#ifndef AGENTS_KERNELS_TUNED_ADD_H
#define AGENTS_KERNELS_TUNED_ADD_H

#include "agents/kernels/tuned/tuned.h"

/* requantize((v + offset) << 20), right shift n: see add.c. */
struct tuned_operand {
    int32_t offset;
    int32_t high, low; /* of the multiplier: high * 2^11 + low */
    int32_t half;      /* 2^(n - 1); 0 for n = 0 */
    int32_t ties;      /* -1: they go away from zero; 0 for n = 0 */
    int32_t shift;     /* n */
};

struct tuned_add {
    struct tuned_operand a, b;
    struct tuned_channel out; /* no bias */
};

#endif
