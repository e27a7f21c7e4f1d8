#include "agents/kernels/ref/ref.h"
#include "agents/kernels/tuned/tuned.h"

const struct kernel kernels_tuned[KERNEL_VARIED_COUNT] = {
    KERNEL_ROW(CONV_S8, tuned_conv_s8, tuned_conv_check, 5, 1u << 1 | 1u << 4),
    KERNEL_ROW(DEPTHWISE_S8, tuned_depthwise_s8, tuned_depthwise_check, 5, 1u << 1 | 1u << 4),
    KERNEL_ROW(FULLY_CONNECTED_S8, tuned_fully_connected_s8, tuned_fully_connected_check, 4,
               1u << 1),
    KERNEL_ROW(ADD_S8, tuned_add_s8, tuned_add_check, 4, 1u << 2),
    KERNEL_ROW(AVERAGE_POOL_S8, tuned_average_pool_s8, ref_pool_s8_check, 2, 1u << 1),
    KERNEL_ROW(MAX_POOL_S8, tuned_max_pool_s8, ref_pool_s8_check, 2, 1u << 1),
    KERNEL_ROW(SVDF, tuned_svdf, tuned_svdf_check, 9, 1u << 1 | 1u << 5 | 1u << 8),
    KERNEL_ROW(LSTM_S8, tuned_lstm_s8, tuned_lstm_check, 18, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5),
    KERNEL_ROW(MEAN, tuned_mean, tuned_mean_check, 2, 1u << 1),
    KERNEL_ROW(REQUANTIZE, tuned_requantize, tuned_requantize_check, 3, 1u << 1),
    KERNEL_ROW(CONV_S16, tuned_conv_s16, tuned_conv_s16_check, 5, 1u << 1 | 1u << 4),
    KERNEL_ROW(DEPTHWISE_S16, tuned_depthwise_s16, tuned_depthwise_s16_check, 4, 1u << 1),
    KERNEL_ROW(FULLY_CONNECTED_S16, tuned_fully_connected_s16, tuned_fully_connected_s16_check, 4,
               1u << 1),
};
