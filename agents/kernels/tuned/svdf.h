/* What the host prepares for SVDF. */
#ifndef AGENTS_KERNELS_TUNED_SVDF_H
#define AGENTS_KERNELS_TUNED_SVDF_H

#include "agents/kernels/tuned/tuned.h"

struct tuned_svdf {
    uint32_t features, outputs; /* enum tuned_scales */
};

/*
 * State and time weights lie in blocks [memory][4], one for each four filters, as far as those of
 * the rest of a batch leave every batch's state aligned; the other filters' lie [filters][memory].
 */
static inline uint32_t tuned_svdf_blocks(const struct kernel_svdf *p)
{
    return p->batches == 1 || p->filters * p->memory % TUNED_BLOCK == 0 ? p->filters / TUNED_BLOCK
                                                                        : 0;
}

#endif
