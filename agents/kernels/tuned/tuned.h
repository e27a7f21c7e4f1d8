/*
 * Kernels in portable C for speed, with the innermost loops in assembly where the core is one of
 * ARMv6-M, ARMv7-M (and later) or RV32IM; the same loops in C elsewhere, so that all of it runs and
 * is checked on the host. The host lays the constants out for them (harness/nn/pack_tuned.c):
 *
 * Weights of CONV_S8 and FULLY_CONNECTED_S8 are rows of k bytes, one for each output channel, each
 * weight plus 128 (a byte with an unsigned value is what ARMv6-M can load with an offset). Four
 * rows make a block [k][4]; the last block is filled up with zeros. As inputs x are used as
 * they are and a weight is 128 too large, sum(x) * 128 is taken off once for each pixel.
 *
 * Weights of DEPTHWISE_S8 lie [out_c][filter_h * filter_w], as they are.
 */
#ifndef AGENTS_KERNELS_TUNED_TUNED_H
#define AGENTS_KERNELS_TUNED_TUNED_H

#include "agents/kernels/kernels.h"

/*
 * What turns the sum of an output channel into its value, for sums below 2^29 and right shifts n
 * of 1..20. With h = floor(sum * multiplier / 2^30), both roundings of TFLite's
 * MultiplyByQuantizedMultiplier() and the output's zero point are
 *     (h - 2 * (h < 0) + 2^n + 1 + zero point * 2^(n + 1)) >> (n + 1).
 * (The first rounding is x = (h + 1) >> 1; then (x - (x < 0) + 2^(n - 1)) >> n. Nested floors
 * merge, and h = -1, where x is 0, comes to 0 either way.)
 */
struct tuned_channel {
    int32_t bias; /* and the input's offset times the sum of the weights */
    int32_t multiplier;
    int32_t rounding; /* 2^n + 1 + zero point * 2^(n + 1) */
    int32_t shift;    /* n + 1 in the low byte; above it the sum of the weights */
};
/*
 * Where that does not hold for every channel of an operator, its `wide` says so. In both other
 * kinds `rounding` is the zero point and the low byte of `shift` TFLite's own.
 */
enum tuned_scales {
    TUNED_SMALL, /* as above */
    TUNED_RIGHT, /* any sum, shifts of -31..-1 */
    TUNED_ANY    /* any sum, any shift, by the definition */
};

#define TUNED_SUM_LIMIT (1 << 29)
#define TUNED_MAX_SHIFT 20

/* Channels of a block of weights. */
#define TUNED_BLOCK 4u

/* Bytes of scratch that CONV_S8 needs for windows of k elements: sums of two pixels, and both. */
#define TUNED_CONV_SUMS       64u
#define TUNED_CONV_SCRATCH(k) (TUNED_CONV_SUMS + 4 * (((k) + 3) & ~3u))
/* Bytes of scratch that LSTM_S8 needs: four gates of 16 bits, and sums. (units <= 65535) */
#define TUNED_LSTM_SCRATCH(units) (8 * (units) + 64u)

struct tuned_rows;
/* Outputs of the n > 0 channels from c on, from their sums; `extra` is added to each. */
typedef void tuned_finish_fn(const struct tuned_rows *r, const struct tuned_channel *c,
                             const int32_t *sums, uint32_t extra, uint32_t n, int8_t *out);

/* What FULLY_CONNECTED_S8 and CONV_S8 share: rows of inputs times the weights above. */
struct tuned_rows {
    const uint8_t *weights;
    const struct tuned_channel *channels;
    uint32_t k, out_c;
    int32_t x_factor; /* of the sum of a row's inputs */
    int32_t act_min, act_max;
    tuned_finish_fn *finish; /* tuned_finish() of its scales */
};

tuned_finish_fn tuned_finish_small, tuned_finish_right, tuned_finish_any;

static inline tuned_finish_fn *tuned_finish(uint32_t scales)
{
    return scales == TUNED_SMALL   ? tuned_finish_small
           : scales == TUNED_RIGHT ? tuned_finish_right
                                   : tuned_finish_any;
}

/* The same for two pixels: sums [2][TUNED_PAIR], the second's outputs out_c after the first's. */
void tuned_finish_pair(const struct tuned_rows *r, const struct tuned_channel *c,
                       const int32_t *sums, const uint32_t extra[2], uint32_t n, int8_t *out);
/* The sum of n inputs. */
int32_t tuned_sum(const int8_t *x, uint32_t n);
/* One row of k inputs to out_c outputs, with room for TUNED_ROW sums. */
#define TUNED_ROW 16u
void tuned_row(const struct tuned_rows *r, const int8_t *x, int8_t *out, int32_t *sums);
/* The same to as many of out_c >= 16 outputs as come in sixteens, TUNED_SMALL ones (asm.h). */
void tuned_row_wide(const struct tuned_rows *r, const int8_t *x, int8_t *out, uint32_t extra);

extern const struct kernel kernels_tuned[];

kernel_fn tuned_conv_s8;
kernel_fn tuned_depthwise_s8;
kernel_fn tuned_fully_connected_s8;
kernel_fn tuned_add_s8;
kernel_fn tuned_average_pool_s8;
kernel_fn tuned_max_pool_s8;
kernel_fn tuned_svdf;
kernel_fn tuned_lstm_s8;
kernel_fn tuned_mean;
kernel_fn tuned_requantize;
kernel_fn tuned_conv_s16;
kernel_fn tuned_depthwise_s16;
kernel_fn tuned_fully_connected_s16;

kernel_check_fn tuned_conv_check;
kernel_check_fn tuned_depthwise_check;
kernel_check_fn tuned_fully_connected_check;
kernel_check_fn tuned_add_check;
kernel_check_fn tuned_svdf_check;
kernel_check_fn tuned_lstm_check;
kernel_check_fn tuned_mean_check;
kernel_check_fn tuned_requantize_check;
kernel_check_fn tuned_conv_s16_check;
kernel_check_fn tuned_depthwise_s16_check;
kernel_check_fn tuned_fully_connected_s16_check;

#endif
