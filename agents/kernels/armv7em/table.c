#include "agents/kernels/armv7em/armv7em.h"

extern const struct kernel kernels_armv7em[KERNEL_VARIED_COUNT];

const struct kernel kernels_armv7em[KERNEL_VARIED_COUNT] = {
    KERNEL_ROW(FULLY_CONNECTED_S8, armv7em_fully_connected_s8, armv7em_fully_connected_check, 5,
               1u << 1),
};
