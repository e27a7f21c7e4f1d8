/* The reference kernels and their checks, for the tables of variants. */
#ifndef AGENTS_KERNELS_REF_REF_H
#define AGENTS_KERNELS_REF_REF_H

#include "agents/kernels/kernels.h"

kernel_fn ref_conv_s8;
kernel_fn ref_depthwise_s8;
kernel_fn ref_fully_connected_s8;
kernel_fn ref_add_s8;
kernel_fn ref_mul_s8;
kernel_fn ref_average_pool_s8;
kernel_fn ref_max_pool_s8;
kernel_fn ref_softmax_s8;
kernel_fn ref_lookup;
kernel_fn ref_prelu_s8;
kernel_fn ref_select;
kernel_fn ref_transpose_conv_s8;
kernel_fn ref_batch_matmul_s8;
kernel_fn ref_batch_matmul_f32;
kernel_fn ref_mean;
kernel_fn ref_reduce_max;
kernel_fn ref_arg_max;
kernel_fn ref_requantize;
kernel_fn ref_dequantize;
kernel_fn ref_quantize;
kernel_fn ref_cast;
kernel_fn ref_fill;
kernel_fn ref_copy;
kernel_fn ref_gather;
kernel_fn ref_resize_nearest;
kernel_fn ref_resize_bilinear_s8;
kernel_fn ref_resize_bilinear_f32;
kernel_fn ref_curve_s16;
kernel_fn ref_svdf;
kernel_fn ref_lstm_s8;
kernel_fn ref_conv_s16;
kernel_fn ref_depthwise_s16;
kernel_fn ref_fully_connected_s16;
kernel_fn ref_add_s16;
kernel_fn ref_mul_s16;
kernel_fn ref_custom;
kernel_fn ref_conv_f32;
kernel_fn ref_depthwise_f32;
kernel_fn ref_fully_connected_f32;
kernel_fn ref_binary_f32;
kernel_fn ref_pool_f32;
kernel_fn ref_softmax_f32;
kernel_fn ref_unary_f32;
kernel_fn ref_reduce_f32;
kernel_fn ref_transpose_conv_f32;
kernel_fn ref_svdf_f32;
kernel_fn ref_lstm_f32;

kernel_check_fn ref_conv_check;
kernel_check_fn ref_depthwise_check;
kernel_check_fn ref_fully_connected_check;
kernel_check_fn ref_binary_s8_check;
kernel_check_fn ref_pool_s8_check;
kernel_check_fn ref_softmax_check;
kernel_check_fn ref_lookup_check;
kernel_check_fn ref_select_check;
kernel_check_fn ref_transpose_conv_check;
kernel_check_fn ref_batch_matmul_check;
kernel_check_fn ref_batch_matmul_f32_check;
kernel_check_fn ref_reduce_check;
kernel_check_fn ref_arg_max_check;
kernel_check_fn ref_requantize_check;
kernel_check_fn ref_dequantize_check;
kernel_check_fn ref_quantize_check;
kernel_check_fn ref_cast_check;
kernel_check_fn ref_fill_check;
kernel_check_fn ref_copy_check;
kernel_check_fn ref_gather_check;
kernel_check_fn ref_resize_nearest_check;
kernel_check_fn ref_resize_bilinear_check;
kernel_check_fn ref_resize_bilinear_f32_check;
kernel_check_fn ref_curve_check;
kernel_check_fn ref_svdf_check;
kernel_check_fn ref_lstm_check;
kernel_check_fn ref_conv_s16_check;
kernel_check_fn ref_depthwise_s16_check;
kernel_check_fn ref_fully_connected_s16_check;
kernel_check_fn ref_binary_s16_check;
kernel_check_fn ref_custom_check;
kernel_check_fn ref_conv_f32_check;
kernel_check_fn ref_depthwise_f32_check;
kernel_check_fn ref_fully_connected_f32_check;
kernel_check_fn ref_binary_f32_check;
kernel_check_fn ref_pool_f32_check;
kernel_check_fn ref_softmax_f32_check;
kernel_check_fn ref_unary_f32_check;
kernel_check_fn ref_reduce_f32_check;
kernel_check_fn ref_transpose_conv_f32_check;
kernel_check_fn ref_svdf_f32_check;
kernel_check_fn ref_lstm_f32_check;

/* The walk of an element-wise operator on elements of that size; see struct kernel_binary. */
bool binary_fits(const struct kernel_binary *p, const struct kernel_span *spans, uint32_t element);

extern const struct kernel kernels_ref[KERNEL_KIND_COUNT];

#endif
