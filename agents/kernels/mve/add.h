/* What the host prepares for ADD_S8: numbers in every lane. */
#ifndef AGENTS_KERNELS_MVE_ADD_H
#define AGENTS_KERNELS_MVE_ADD_H

#include "agents/kernels/mve/mve.h"

/* A factor, its shift 0 or less. */
struct mve_factor {
    int32_t multiplier, shift;
};

struct mve_add {
    struct mve_factor a, b, out;
};

#endif
