#include "agents/kernels/kernels.h"

#include "agents/kernels/ref/ref.h"

static const uint8_t params_sizes[KERNEL_KIND_COUNT] = {
#define X(name, params) sizeof(struct params),
    KERNEL_KINDS(X)
#undef X
};

uint32_t kernel_params_size(unsigned kind)
{
    return kind < KERNEL_KIND_COUNT ? params_sizes[kind] : 0;
}

const struct kernel *kernel_find(unsigned variant, unsigned kind)
{
    const struct kernel *k = 0;

    if (variant == KERNEL_REF && kind < KERNEL_KIND_COUNT)
        k = &kernels_ref[kind];
    return k && k->run ? k : 0;
}
