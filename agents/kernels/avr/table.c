#include "agents/kernels/avr/avr.h"

extern const struct kernel kernels_avr[KERNEL_VARIED_COUNT];

const struct kernel kernels_avr[KERNEL_VARIED_COUNT] KERNEL_TABLE = {
    KERNEL_ROW(CONV_S8, avr_conv_s8, avr_conv_check, 6, 1u << 1 | 1u << 5),
    KERNEL_ROW(DEPTHWISE_S8, avr_depthwise_s8, avr_depthwise_check, 6, 1u << 1 | 1u << 5),
    KERNEL_ROW(FULLY_CONNECTED_S8, avr_fully_connected_s8, avr_fully_connected_check, 5, 1u << 1),
};
