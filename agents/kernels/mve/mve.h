/*
 * Kernels for Helium. The host lays the constants out for them (harness/nn/pack_mve.c) and folds the
 * input's zero point into the biases.
 *
 * Weights of CONV_S8 and FULLY_CONNECTED_S8 are rows of k bytes, one for each output channel, filled
 * up with zeros to whole vectors of 16. Four rows make a block [vectors][4][16]; the last block is
 * filled up with rows of zeros.
 *
 * Weights of DEPTHWISE_S8 lie [blocks of 8 channels][filter_h][filter_w][8]; the last is filled up
 * too. Each block has two struct mve_channels, the even channels and the odd ones.
 */
#ifndef AGENTS_KERNELS_MVE_MVE_H
#define AGENTS_KERNELS_MVE_MVE_H

#include "agents/kernels/kernels.h"

/* Channels of a block, which are the lanes of a vector of sums. */
#define MVE_BLOCK           4u
#define MVE_VECTOR          16u
#define MVE_DEPTHWISE_BLOCK 8u

/*
 * What turns the sums of four channels into their values: TFLite's MultiplyByQuantizedMultiplier().
 * Where a channel of an operator shifts to the left, `wide` is set in its parameters; without it,
 * shifts are 0..31 to the right. VQRDMULH rounds as SaturatingRoundingDoublingHighMul() does (ties up;
 * the nudge that depends on the sign comes to the same). VRSHL rounds ties up, so one is taken off
 * negative numbers first, where it shifts at all, for ties to go away from zero.
 */
struct mve_channels {
    int32_t bias[MVE_BLOCK];
    int32_t multiplier[MVE_BLOCK];
    int32_t shift[MVE_BLOCK]; /* TFLite's: minus the right shift */
};

/* What FULLY_CONNECTED_S8 and CONV_S8 share: rows of inputs times the weights above. */
struct mve_rows {
    const int8_t *weights;
    const struct mve_channels *channels;
    uint32_t k, out_c;
    int32_t out_offset, act_min, act_max;
    uint32_t any_scale; /* see struct mve_channels */
};

/* One row of k inputs to out_c outputs; reads no byte beyond them. */
void mve_row(const struct mve_rows *r, const int8_t *x, int8_t *out);

extern const struct kernel kernels_mve[];

kernel_fn mve_conv_s8;
kernel_fn mve_depthwise_s8;
kernel_fn mve_fully_connected_s8;
kernel_fn mve_add_s8;
kernel_fn mve_average_pool_s8;
kernel_fn mve_max_pool_s8;
kernel_fn mve_svdf;
kernel_fn mve_lstm_s8;

kernel_check_fn mve_conv_check;
kernel_check_fn mve_depthwise_check;
kernel_check_fn mve_fully_connected_check;
kernel_check_fn mve_add_check;
kernel_check_fn mve_average_pool_check;
kernel_check_fn mve_svdf_check;
kernel_check_fn mve_lstm_check;

#endif
