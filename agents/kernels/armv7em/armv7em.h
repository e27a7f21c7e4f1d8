/*
 * Kernels for cores with the DSP extension (Cortex-M4, M7, M33, M55). All read weights that the
 * host has laid out for them (harness/nn/pack_armv7em.c) and folded the input's zero point into the
 * biases; layouts stand with each kernel.
 */
#ifndef AGENTS_KERNELS_ARMV7EM_ARMV7EM_H
#define AGENTS_KERNELS_ARMV7EM_ARMV7EM_H

#include "agents/kernels/kernels.h"

kernel_fn armv7em_conv_s8;
kernel_fn armv7em_depthwise_s8;
kernel_fn armv7em_fully_connected_s8;
kernel_fn armv7em_add_s8;
kernel_fn armv7em_mul_s8;
kernel_fn armv7em_max_pool_s8;
kernel_fn armv7em_svdf;
kernel_fn armv7em_lstm_s8;

kernel_check_fn armv7em_conv_check;
kernel_check_fn armv7em_depthwise_check;
kernel_check_fn armv7em_fully_connected_check;
kernel_check_fn armv7em_binary_check;
kernel_check_fn armv7em_svdf_check;
kernel_check_fn armv7em_lstm_check;

/*
 * Four outputs of FULLY_CONNECTED over n inputs, biases included; returns the weights that follow.
 * The layout is described in fully_connected.c.
 */
const uint32_t *armv7em_dot_4(uint32_t sums[4], const int32_t *bias, const uint32_t *w,
                              const int8_t *in, uint32_t n);

/* Clamps n results that dsp_finish() has saturated; nothing to do for the range of int8. */
void armv7em_clamp(int8_t *out, uint32_t n, int32_t min, int32_t max);

#endif
