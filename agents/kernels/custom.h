/*
 * Custom operators: kernels for what a model file knows by name only. A build that has some defines
 * KERNELS_CUSTOM and links their list (suites/custom/README.md).
 */
#ifndef AGENTS_KERNELS_CUSTOM_H
#define AGENTS_KERNELS_CUSTOM_H

#include "agents/kernels/kernels.h"

/* One row of the list; the name is that of the file. The last row has no name. */
struct kernel_custom_op {
    const char *name;
    kernel_fn *run; /* params: struct kernel_custom */
    kernel_check_fn
        *check; /* as for every kernel: what it accepts cannot make run() leave its spans */
};

extern const struct kernel_custom_op kernel_customs[];

/* What a name is in an image: its FNV-1a hash. */
static inline uint32_t kernel_custom_id(const char *name)
{
    uint32_t hash = 2166136261u;

    while (*name)
        hash = (hash ^ (uint8_t)*name++) * 16777619u;
    return hash;
}

#endif
