#include "agents/kernels/ref/ref.h"

const struct kernel kernels_ref[KERNEL_KIND_COUNT] = {
    [KERNEL_CONV_S8] = {ref_conv_s8, ref_conv_check, 4, 1u << 1},
    [KERNEL_DEPTHWISE_S8] = {ref_depthwise_s8, ref_depthwise_check, 4, 1u << 1},
    [KERNEL_FULLY_CONNECTED_S8] = {ref_fully_connected_s8, ref_fully_connected_check, 4, 1u << 1},
    [KERNEL_ADD_S8] = {ref_add_s8, ref_binary_s8_check, 3, 1u << 2},
    [KERNEL_AVERAGE_POOL_S8] = {ref_average_pool_s8, ref_pool_s8_check, 2, 1u << 1},
    [KERNEL_MAX_POOL_S8] = {ref_max_pool_s8, ref_pool_s8_check, 2, 1u << 1},
    [KERNEL_SOFTMAX_S8] = {ref_softmax_s8, ref_softmax_check, 3, 1u << 1},
    [KERNEL_LOOKUP] = {ref_lookup, ref_lookup_check, 3, 1u << 1},
    [KERNEL_REQUANTIZE] = {ref_requantize, ref_requantize_check, 2, 1u << 1},
    [KERNEL_DEQUANTIZE] = {ref_dequantize, ref_dequantize_check, 2, 1u << 1},
    [KERNEL_QUANTIZE] = {ref_quantize, ref_quantize_check, 2, 1u << 1},
    [KERNEL_FILL] = {ref_fill, ref_fill_check, 1, 1u << 0},
    [KERNEL_COPY] = {ref_copy, ref_copy_check, 2, 1u << 1},
};
