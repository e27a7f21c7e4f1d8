#include "agents/kernels/kernels.h"

#include "agents/kernels/ref/ref.h"

static const uint8_t params_sizes[KERNEL_KIND_COUNT] KERNEL_TABLE = {
#define X(name, params) sizeof(struct params),
    KERNEL_KINDS(X)
#undef X
};

uint32_t kernel_params_size(unsigned kind)
{
    if (kind >= KERNEL_KIND_COUNT)
        return 0;
#ifdef __AVR__
    return pgm_read_byte(&params_sizes[kind]);
#else
    return params_sizes[kind];
#endif
}

#ifdef KERNELS_TUNED
extern const struct kernel kernels_tuned[KERNEL_VARIED_COUNT];
#endif
#ifdef KERNELS_ARMV7EM
extern const struct kernel kernels_armv7em[KERNEL_VARIED_COUNT];
#endif
#ifdef KERNELS_MVE
extern const struct kernel kernels_mve[KERNEL_VARIED_COUNT];
#endif
#ifdef KERNELS_AVR
extern const struct kernel kernels_avr[KERNEL_VARIED_COUNT];
#endif

const struct kernel *const kernel_tables[KERNEL_VARIANT_COUNT] = {
    [KERNEL_REF] = kernels_ref,
#ifdef KERNELS_TUNED
    [KERNEL_TUNED] = kernels_tuned,
#endif
#ifdef KERNELS_ARMV7EM
    [KERNEL_ARMV7EM] = kernels_armv7em,
#endif
#ifdef KERNELS_MVE
    [KERNEL_MVE] = kernels_mve,
#endif
#ifdef KERNELS_AVR
    [KERNEL_AVR] = kernels_avr,
#endif
};

const struct kernel *kernel_find(unsigned variant, unsigned kind)
{
    unsigned kinds = variant == KERNEL_REF ? KERNEL_KIND_COUNT : KERNEL_VARIED_COUNT;

    if (variant >= KERNEL_VARIANT_COUNT || !kernel_tables[variant] || kind >= kinds)
        return 0;
#ifdef __AVR__
    static struct kernel found;

    memcpy_P(&found, &kernel_tables[variant][kind], sizeof found);
    return found.run ? &found : 0;
#else
    return kernel_tables[variant][kind].run ? &kernel_tables[variant][kind] : 0;
#endif
}
