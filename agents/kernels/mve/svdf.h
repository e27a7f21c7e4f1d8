/* What the host prepares for the outputs of SVDF. */
#ifndef AGENTS_KERNELS_MVE_SVDF_H
#define AGENTS_KERNELS_MVE_SVDF_H

#include "agents/kernels/mve/mve.h"

struct mve_svdf {
    int32_t multiplier, shift; /* of the outputs; to the left when positive */
    uint32_t any_scale;        /* of the features: see struct mve_channels */
};

#endif
