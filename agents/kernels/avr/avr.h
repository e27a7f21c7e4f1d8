/*
 * Kernels for 8-bit AVR with a multiplier: 8 x 8 bits in two cycles, sums of 24 bits, inner loops and
 * rescaling in assembly (dot.c, scale.c), with exact C in their place elsewhere, so that all of it
 * runs and is checked on the host. RAM is what these chips lack, so constants take no more of it than
 * the reference's. The host lays them out (harness/nn/pack_avr.c), and sees to it that no sum of
 * products reaches 2^23:
 *
 * Weights of CONV_S8 and FULLY_CONNECTED_S8 are blocks [k][4] of four output channels, then a row [k]
 * for each channel that is left over. Those of DEPTHWISE_S8 lie [out_c][filter_h * filter_w].
 * The input's zero point is folded into the biases.
 */
#ifndef AGENTS_KERNELS_AVR_AVR_H
#define AGENTS_KERNELS_AVR_AVR_H

#include "agents/kernels/kernels.h"

/* An operator's kind of scales, in its `wide`. */
enum avr_scales {
    AVR_ANY = 1,    /* any sum with its bias, any scale: by the definition, from 32-bit words */
    AVR_UNIFORM = 2 /* all channels have the first one's scale */
};

/*
 * For sums below 2^23 (bias included), shifts n of 1..22 to the right and results below 2^15:
 *     x = (sum * multiplier + 2^31) >> 32
 *     (x - (x < 0) + 2^(n - 1)) >> n
 * are both roundings of TFLite's MultiplyByQuantizedMultiplier(). The shift is done as a product
 * with 2^e and a choice of bytes: n = 8 * drop - e. A channel's bias has e beside it:
 * bias << 8 | 2^e. AVR_ANY: all 32 bits are the bias, and the words below TFLite's own.
 */
struct avr_scale {
    uint32_t multiplier; /* doubled: Q0.32 */
    uint32_t rounding;   /* 2^(n - 1) << 8 | drop */
};

#define AVR_SUM_LIMIT  (1l << 23)
#define AVR_MAX_SHIFT  22
#define AVR_MAX_RESULT 32000

/* Rows of k inputs times the weights above. */
struct avr_rows {
    const int8_t *weights;
    const int32_t *biases;
    const struct avr_scale *scales;
    uint16_t k, out_c;
    int16_t out_offset, act_min, act_max;
    uint8_t scales_kind;
};

/* k > 0 products for each of four channels, and of one; sums of 24 bits. Returns what follows. */
const int8_t *avr_dot_4(int32_t *sums, const int8_t *weights, const int8_t *x, uint16_t k);
int32_t avr_dot_1(const int8_t *weights, const int8_t *x, uint16_t k);

/* A window of one channel: rows and columns > 0, and how far it is to the next. */
struct avr_window {
    uint8_t rows, columns;
    uint16_t column_step, row_step; /* row_step: from behind a row to the next one's first */
};
int32_t avr_dot_window(const int8_t *x, const int8_t *weights, const struct avr_window *w);

/* The next output, on its way from its sum: pointers move on with each. */
struct avr_cursor {
    const int32_t *bias;
    const struct avr_scale *scale;
    int8_t *out;
    int16_t out_offset, act_min, act_max;
    uint8_t scale_step; /* bytes: 0 when all have the same */
    uint8_t any;        /* AVR_ANY, or 0 */
};
struct avr_cursor avr_cursor_at(const struct avr_rows *r, int8_t *out);
/* Bias, scale, zero point and clamping of n > 0 sums. */
void avr_finish(struct avr_cursor *c, const int32_t *sums, uint8_t n);
/* All outputs of one row of inputs. */
void avr_row(const struct avr_rows *r, const int8_t *x, int8_t *out);

/* The window at (y, x) of the input into `to`, with the zero point for what lies outside. */
void avr_collect(const struct kernel_conv *p, const int8_t *in, int32_t y, int32_t x, int8_t *to);
/* True when all of that window lies inside. */
bool avr_inside(const struct kernel_conv *p, int32_t y, int32_t x);
/* Every place of a window is less than 2^16 from its first, and its size is, too. */
bool avr_window_fits(const struct kernel_conv *p);
/* What both kinds of convolution have in common; spans 3 to 5 are biases, scales, scratch. */
bool avr_conv_fits(const struct kernel_conv *p, const struct kernel_span *spans);

kernel_fn avr_conv_s8;
kernel_fn avr_depthwise_s8;
kernel_fn avr_fully_connected_s8;

kernel_check_fn avr_conv_check;
kernel_check_fn avr_depthwise_check;
kernel_check_fn avr_fully_connected_check;

#endif
