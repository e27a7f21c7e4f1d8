#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/ref/ref.h"

extern const struct kernel kernels_armv7em[KERNEL_VARIED_COUNT];

const struct kernel kernels_armv7em[KERNEL_VARIED_COUNT] = {
    KERNEL_ROW(CONV_S8, armv7em_conv_s8, armv7em_conv_check, 6, 1u << 1 | 1u << 5),
    KERNEL_ROW(DEPTHWISE_S8, armv7em_depthwise_s8, armv7em_depthwise_check, 6, 1u << 1 | 1u << 5),
    KERNEL_ROW(FULLY_CONNECTED_S8, armv7em_fully_connected_s8, armv7em_fully_connected_check, 5,
               1u << 1),
    KERNEL_ROW(ADD_S8, armv7em_add_s8, armv7em_binary_check, 3, 1u << 2),
    KERNEL_ROW(MUL_S8, armv7em_mul_s8, armv7em_binary_check, 3, 1u << 2),
    KERNEL_ROW(MAX_POOL_S8, armv7em_max_pool_s8, ref_pool_s8_check, 2, 1u << 1),
    KERNEL_ROW(SVDF, armv7em_svdf, armv7em_svdf_check, 8, 1u << 1 | 1u << 5),
    KERNEL_ROW(LSTM_S8, armv7em_lstm_s8, armv7em_lstm_check, 18,
               1u << 1 | 1u << 2 | 1u << 3 | 1u << 5),
};
