/* What the variants of pools share: their way over the output, whole pixels at a time. */
#ifndef AGENTS_KERNELS_POOL_H
#define AGENTS_KERNELS_POOL_H

#include "agents/kernels/kernels.h"

/* The part of a window that lies inside the input. */
struct pool_window {
    const int8_t *first; /* of channel 0 */
    uint32_t rows, columns;
};

/* All channels of one output pixel. */
typedef void pool_fn(const struct kernel_pool *p, const struct pool_window *w, int8_t *out);

/* Every pixel in order; spans as for ref. */
void pool_walk(const struct kernel_pool *p, void *const *at, pool_fn *reduce);

#endif
