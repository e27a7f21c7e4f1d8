/* What the host prepares for SVDF. */
#ifndef AGENTS_KERNELS_TUNED_SVDF_H
#define AGENTS_KERNELS_TUNED_SVDF_H

#include "agents/kernels/tuned/tuned.h"

struct tuned_svdf {
    uint32_t features, outputs; /* enum tuned_scales */
};

#endif
