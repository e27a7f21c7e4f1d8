#include "agents/kernels/mve/mve.h"
#include "agents/kernels/ref/ref.h"

const struct kernel kernels_mve[KERNEL_VARIED_COUNT] = {
    KERNEL_ROW(CONV_S8, mve_conv_s8, mve_conv_check, 5, 1u << 1 | 1u << 4),
    KERNEL_ROW(DEPTHWISE_S8, mve_depthwise_s8, mve_depthwise_check, 5, 1u << 1 | 1u << 4),
    KERNEL_ROW(FULLY_CONNECTED_S8, mve_fully_connected_s8, mve_fully_connected_check, 4, 1u << 1),
    KERNEL_ROW(ADD_S8, mve_add_s8, mve_add_check, 4, 1u << 2),
    KERNEL_ROW(AVERAGE_POOL_S8, mve_average_pool_s8, mve_average_pool_check, 2, 1u << 1),
    KERNEL_ROW(MAX_POOL_S8, mve_max_pool_s8, ref_pool_s8_check, 2, 1u << 1),
    KERNEL_ROW(SVDF, mve_svdf, mve_svdf_check, 9, 1u << 1 | 1u << 5 | 1u << 8),
    KERNEL_ROW(LSTM_S8, mve_lstm_s8, mve_lstm_check, 18, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5),
};
