/*
 * The operators of the engine: one C reference for each, faster variants beside it where an
 * instruction set does better.
 *
 * A kernel gets a plain parameter struct, which the host worked out and which lies in the model
 * image (so nothing is computed twice on the chip), and the addresses of its spans: tensors,
 * constants and scratch, in the order given with each struct below. It touches nothing else, keeps
 * no state and cannot fail. Before a kernel ever runs, its check has seen the parameters and the
 * sizes of the spans: whatever passes the check cannot make the kernel leave its spans.
 *
 * Numbers are exact: int8 and int16 kernels equal TensorFlow Lite's reference kernels bit for bit.
 * The reference variant takes constants in the order of the model file; every other variant may
 * define its own order, which the host's writer for that variant produces (harness/nn/pack.c).
 */
#ifndef AGENTS_KERNELS_KERNELS_H
#define AGENTS_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#endif

/*
 * kind, parameter struct. Kinds with variants come first, so that a variant's table is short.
 * The order is part of the model image: append, or raise IMAGE_VERSION.
 */
/* clang-format off */
#define KERNEL_KINDS(X) \
    X(CONV_S8, kernel_conv) \
    X(DEPTHWISE_S8, kernel_conv) \
    X(FULLY_CONNECTED_S8, kernel_fully_connected) \
    X(ADD_S8, kernel_binary) \
    X(MUL_S8, kernel_binary) \
    X(AVERAGE_POOL_S8, kernel_pool) \
    X(MAX_POOL_S8, kernel_pool) \
    X(SOFTMAX_S8, kernel_softmax) \
    X(LOOKUP, kernel_lookup) \
    X(SVDF, kernel_svdf) \
    X(LSTM_S8, kernel_lstm) \
    X(PRELU_S8, kernel_binary) \
    X(SELECT, kernel_binary) \
    X(TRANSPOSE_CONV_S8, kernel_conv) \
    X(BATCH_MATMUL_S8, kernel_batch_matmul) \
    X(MEAN, kernel_reduce) \
    X(REDUCE_MAX, kernel_reduce) \
    X(ARG_MAX, kernel_arg_max) \
    X(REQUANTIZE, kernel_requantize) \
    X(DEQUANTIZE, kernel_dequantize) \
    X(QUANTIZE, kernel_dequantize) \
    X(CAST, kernel_requantize) \
    X(FILL, kernel_fill) \
    X(COPY, kernel_copy) \
    X(GATHER, kernel_gather) \
    X(RESIZE_NEAREST, kernel_resize) \
    X(RESIZE_BILINEAR_S8, kernel_resize) \
    X(CURVE_S16, kernel_curve) \
    X(CONV_S16, kernel_conv) \
    X(DEPTHWISE_S16, kernel_conv) \
    X(FULLY_CONNECTED_S16, kernel_fully_connected) \
    X(ADD_S16, kernel_binary) \
    X(MUL_S16, kernel_binary) \
    X(CONV_F32, kernel_conv_f32) \
    X(DEPTHWISE_F32, kernel_conv_f32) \
    X(FULLY_CONNECTED_F32, kernel_fully_connected_f32) \
    X(BINARY_F32, kernel_binary_f32) \
    X(POOL_F32, kernel_pool_f32) \
    X(SOFTMAX_F32, kernel_softmax_f32) \
    X(UNARY_F32, kernel_unary_f32) \
    X(REDUCE_F32, kernel_reduce_f32) \
    X(CUSTOM, kernel_custom) \
    X(RESIZE_BILINEAR_F32, kernel_resize) \
    X(BATCH_MATMUL_F32, kernel_batch_matmul) \
    X(TRANSPOSE_CONV_F32, kernel_conv_f32) \
    X(SVDF_F32, kernel_svdf_f32) \
    X(LSTM_F32, kernel_lstm_f32)
/* clang-format on */

enum kernel_kind {
#define X(name, params) KERNEL_##name,
    KERNEL_KINDS(X)
#undef X
    KERNEL_KIND_COUNT,
    KERNEL_VARIED_COUNT =
        KERNEL_FULLY_CONNECTED_S16 + 1 /* kinds that may have variants beside ref */
};

/* name, word; the order is part of the model image. */
#define KERNEL_VARIANTS(X)                                                                         \
    X(REF, "ref")         /* portable C, for reading */                                            \
    X(TUNED, "tuned")     /* portable C, for speed: ARMv6-M, ARMv7-M, RISC-V */                    \
    X(ARMV7EM, "armv7em") /* DSP extension: SMLAD and friends */                                   \
    X(MVE, "mve")         /* Helium */                                                             \
    X(AVR, "avr")         /* 8 x 8 bits, sums of 24 bits, little RAM */

enum kernel_variant {
#define X(name, word) KERNEL_##name,
    KERNEL_VARIANTS(X)
#undef X
    KERNEL_VARIANT_COUNT
};

#define KERNEL_MAX_SPANS 18
#define KERNEL_MAX_RANK  6

/* A piece of the arena or of the image. The check may use the low bits of `where` (alignment). */
struct kernel_span {
    uint32_t where; /* offset; KERNEL_SPAN_CONST set: in the image, else in the arena */
    uint32_t size;
};
#define KERNEL_SPAN_CONST 0x80000000u

/* What turns the sum of an output channel into its value: TFLite's QuantizeMultiplier(). */
struct kernel_channel {
    int32_t bias;
    int32_t multiplier; /* Q0.31 */
    int32_t shift;      /* -31..30; positive shifts left */
};

struct kernel_channel_wide {
    int64_t bias;
    int32_t multiplier; /* as above, but used with 16 bits: MultiplyByQuantizedMultiplier(int64) */
    int32_t shift;      /* -31..7 */
};

/* Element types of kernels that take more than one. */
enum kernel_type {
    KERNEL_S8,
    KERNEL_U8,
    KERNEL_S16,
    KERNEL_S32,
    KERNEL_F32,
    KERNEL_BOOL
};

/*
 * Spans: in [batches][in_h][in_w][in_c], out [batches][out_h][out_w][out_c],
 *        weights (CONV: [out_c][filter_h][filter_w][filter_c]; DEPTHWISE: [filter_h][filter_w][out_c]),
 *        struct kernel_channel [out_c]; then the variant's own.
 * *_S16: in and out int16_t; biases are int64_t and sums have 64 bits when `wide`, see below.
 * TRANSPOSE_CONV: weights as for CONV; pads are those cut off the output.
 * CONV: output channel c reads the group of input channels c / (out_c / groups).
 * DEPTHWISE: out_c is a multiple of in_c (the depth multiplier).
 */
struct kernel_conv {
    uint16_t batches, in_h, in_w, in_c;
    uint16_t out_h, out_w, out_c;
    uint16_t filter_h, filter_w;
    uint16_t stride_h, stride_w;
    uint16_t dilation_h, dilation_w;
    int16_t pad_top, pad_left; /* rows and columns of zeros before the input */
    int16_t in_offset;         /* minus the input's zero point */
    int16_t out_offset;        /* the output's zero point */
    int16_t act_min, act_max;
    uint16_t filter_c; /* CONV: input channels of one group: in_c / groups */
    uint16_t wide; /* *_S16: struct kernel_channel_wide; variants of *_S8: their kind of scales */
    uint16_t reserved;
};

/*
 * Spans: in [batches][in_n], out [batches][out_n], weights [out_n][in_n],
 *        per_channel: struct kernel_channel [out_n], else int32_t bias[out_n].
 * FULLY_CONNECTED_S16: in and out int16_t, always per_channel. `wide` as for CONV_*.
 */
struct kernel_fully_connected {
    uint32_t batches, in_n, out_n;
    int32_t multiplier, shift; /* when not per_channel */
    int16_t in_offset, weights_offset, out_offset;
    int16_t act_min, act_max;
    uint8_t per_channel, wide;
};

/* Spans: in [batches][in_h][in_w][c], out [batches][out_h][out_w][c]. */
struct kernel_pool {
    uint16_t batches, in_h, in_w, c;
    uint16_t out_h, out_w;
    uint16_t filter_h, filter_w;
    uint16_t stride_h, stride_w;
    int16_t pad_top, pad_left;
    int16_t act_min, act_max;
};

/*
 * Spans: a, b, out. The output is walked in order, rank dimensions with the last one innermost; a
 * and b move by their strides (in elements; 0 where they are broadcast).
 * ADD: out = requantize(requantize(a << left_shift) +- requantize(b << left_shift));
 * MUL: out = requantize(a * b); PRELU: b is the slope where a < 0 (b_multiplier), a's own factor is
 * a_multiplier; SELECT: the larger or smaller of a and b, on raw values of `type`.
 * Offsets are added to a and b first, and to the result; then it is clamped.
 */
struct kernel_binary {
    uint8_t rank;
    uint8_t type;     /* SELECT: enum kernel_type, no F32 */
    uint8_t negative; /* ADD: subtract b; SELECT: the smaller */
    uint8_t left_shift;
    uint32_t dims[KERNEL_MAX_RANK];
    uint32_t a_strides[KERNEL_MAX_RANK];
    uint32_t b_strides[KERNEL_MAX_RANK];
    int32_t a_multiplier, a_shift;
    int32_t b_multiplier, b_shift;
    int32_t out_multiplier, out_shift;
    int32_t a_offset, b_offset, out_offset;
    int32_t act_min, act_max;
};

/*
 * Spans: in int8 [rows][depth], out [rows][depth] (out_type), int32_t exp[entries]: exp() of an
 * input that lies 0, 1, 2... below the largest of its row, Q0.31; what lies further below is 0.
 */
struct kernel_softmax {
    uint32_t rows, depth, entries;
    uint32_t out_type; /* KERNEL_S8 or KERNEL_S16 */
};

/* Spans: in 8-bit [n], out [n] elements of `width` bytes, table [256] by the input's bits. */
struct kernel_lookup {
    uint32_t n;
    uint32_t width; /* 1, 2 or 4 */
};

/*
 * Spans: in [n], out [n].
 * REQUANTIZE: out = clamp(requantize(in - in_zero) + out_zero). CAST: C's conversion, and only n
 * and the types count, which may be F32.
 */
struct kernel_requantize {
    uint32_t n;
    uint8_t in_type, out_type; /* enum kernel_type */
    uint16_t reserved;
    int32_t multiplier, shift;
    int32_t in_zero, out_zero;
};

/*
 * DEQUANTIZE spans: in [n] of `type`, out float [n]: out = scale * (in - zero).
 * QUANTIZE spans: in float [n], out [n] of `type`: out = clamp(round(in / scale) + zero).
 */
struct kernel_dequantize {
    uint32_t n;
    uint32_t type;
    int32_t zero;
    float scale;
};

/* Spans: out. */
struct kernel_fill {
    uint32_t n;     /* elements */
    uint32_t width; /* 1, 2 or 4 bytes */
    uint32_t value; /* its low bytes */
};

/*
 * Spans: in, out. Moves dims[0] x dims[1] x ... runs of `run` bytes each; strides are in bytes and
 * may be negative or 0. in_start and out_start are the first run's place in its span.
 */
struct kernel_copy {
    uint32_t rank; /* 0: one run */
    uint32_t run;
    uint32_t in_start, out_start;
    uint32_t dims[KERNEL_MAX_RANK];
    int32_t in_strides[KERNEL_MAX_RANK];
    int32_t out_strides[KERNEL_MAX_RANK];
};

/*
 * Spans: a [batches...][rows][depth], b [batches...][depth][columns], out.
 * Batches broadcast by their strides (in elements of a whole matrix); transposed operands are
 * stored the other way round.
 */
struct kernel_batch_matmul {
    uint32_t batch_dims[4]; /* outermost first, 1 where there are fewer */
    uint32_t a_strides[4], b_strides[4];
    uint32_t rows, columns, depth;
    uint8_t a_transposed, b_transposed;
    uint16_t reserved;
    int32_t a_offset, b_offset, out_offset;
    int32_t multiplier, shift;
    int32_t act_min, act_max;
};

/*
 * Spans: in, out. For every element of the outer dimensions, in order, the inner ones are reduced.
 * MEAN: out = requantize(sum - in_zero_sum) + out_zero. REDUCE_MAX: the largest. Strides are in
 * elements of `type` (S8 or S16).
 */
struct kernel_reduce {
    uint8_t outer_rank, inner_rank, type, reserved;
    uint32_t outer_dims[KERNEL_MAX_RANK], outer_strides[KERNEL_MAX_RANK];
    uint32_t inner_dims[KERNEL_MAX_RANK], inner_strides[KERNEL_MAX_RANK];
    int32_t in_zero_sum, out_zero;
    int32_t multiplier, shift;
};

/* Spans: in [before][n][after] of `type`, out int32_t [before][after]: place of the first largest. */
struct kernel_arg_max {
    uint32_t before, n, after;
    uint32_t type; /* S8, S16, S32 or F32 */
};

/*
 * Spans: in [batches][before][n][run bytes], indices int32_t [batches][count],
 *        out [batches][before][count][run bytes]. An index out of range reads the nearest one.
 */
struct kernel_gather {
    uint32_t batches, before, n, run, count;
};

/*
 * Spans: in [batches][in_h][in_w][run], out [batches][out_h][out_w][run], rows [out_h], cols [out_w].
 * NEAREST: rows and cols are uint16_t places in the input, run is in bytes.
 * BILINEAR: they are struct kernel_place (F32: kernel_place_f32), run counts channels.
 */
struct kernel_resize {
    uint16_t batches, in_h, in_w, out_h, out_w, reserved;
    uint32_t run;
};

struct kernel_place {
    uint16_t first, second; /* neighbours */
    int32_t fraction;       /* of the second, 1/1024; may lie outside 0..1024 at the borders */
};

struct kernel_place_f32 {
    uint16_t first, second;
    float fraction; /* of the second; may lie outside 0..1 at the borders */
};

/*
 * Spans: in int16_t [n], out int16_t [n], table uint16_t [256]: sigmoid of i/24 in 0.16.
 * The input times multiplier / 2^shift counts in 1/(3 * 4096).
 */
struct kernel_curve {
    uint32_t n;
    int32_t multiplier, shift;
    uint32_t tanh; /* else logistic */
};

/*
 * Spans: in int8 [batches][in_n], out int8 [batches][units], feature weights int8 [filters][in_n],
 *        time weights [filters][memory] (state's type), bias int32_t [units],
 *        state [batches][filters][memory] (state_type S8 or S16).
 */
struct kernel_svdf {
    uint32_t batches, in_n, filters, memory, rank; /* units = filters / rank */
    int32_t in_offset, state_zero, out_zero;
    int32_t state_multiplier, state_shift;
    int32_t out_multiplier, out_shift;
    uint32_t state_type;
};

/*
 * Spans: in int8 [..][in_n], out int8 [..][units], hidden int8 [batches][units] (state),
 *        cell int16_t [batches][units] (state), sigmoid table (see kernel_curve),
 *        gates int16_t [4][units] (scratch), then for each gate (input, forget, cell, output):
 *        input weights int8 [units][in_n], recurrent weights int8 [units][units], and
 *        bias int32_t [2][units] for both.
 * Zero points are folded into the biases.
 */
struct kernel_lstm {
    uint32_t steps, batches, in_n, units;
    uint32_t step_stride, batch_stride; /* rows of in and out */
    int32_t in_multiplier[4], in_shift[4];
    int32_t hidden_multiplier[4], hidden_shift[4];
    int32_t forget_multiplier, forget_shift;
    int32_t input_multiplier, input_shift;
    int32_t out_multiplier, out_shift, hidden_zero;
    int32_t cell_clip; /* 0: none */
    int32_t tanh_multiplier, tanh_shift;
};

/*
 * *_F32: real arithmetic, in images for cores that have an FPU (KERNEL_CAP_FLOAT). Sums go over the
 * same elements in the same order on every core, without fused multiply-adds, so that results are
 * the same on all of them; those of other implementations differ by rounding.
 * Tensors are float. Shapes and spans are those of the int8 kind, unless said otherwise.
 * BATCH_MATMUL: of the parameters only geometry counts.
 */

/* Spans: in, out, weights, bias float[out_c]. Of the shape only geometry counts. */
struct kernel_conv_f32 {
    struct kernel_conv shape;
    float act_min, act_max;
};

/* Spans: in [batches][in_n], out [batches][out_n], weights [out_n][in_n], bias float[out_n]. */
struct kernel_fully_connected_f32 {
    uint32_t batches, in_n, out_n;
    float act_min, act_max;
};

enum kernel_binary_op {
    KERNEL_F32_ADD,
    KERNEL_F32_SUB,
    KERNEL_F32_MUL,
    KERNEL_F32_MAXIMUM,
    KERNEL_F32_MINIMUM,
    KERNEL_F32_PRELU
};

/* Of the walk only rank, dims and strides count. */
struct kernel_binary_f32 {
    struct kernel_binary walk;
    uint32_t op; /* enum kernel_binary_op */
    float act_min, act_max;
};

struct kernel_pool_f32 {
    struct kernel_pool shape;
    uint32_t max; /* else the average */
    float act_min, act_max;
};

/* Spans: in [rows][depth], out [rows][depth]: exp(beta * x) over its sum. */
struct kernel_softmax_f32 {
    uint32_t rows, depth;
    float beta;
};

enum kernel_unary_op {
    KERNEL_F32_CLAMP, /* to low .. high */
    KERNEL_F32_LEAKY, /* low is the slope below 0 */
    KERNEL_F32_LOGISTIC,
    KERNEL_F32_TANH,
    KERNEL_F32_HARD_SWISH,
    KERNEL_F32_ELU
};

/* Spans: in [n], out [n]. */
struct kernel_unary_f32 {
    uint32_t n;
    uint32_t op; /* enum kernel_unary_op */
    float low, high;
};

/* Of the shape only dims and strides count. MEAN: the sum times `factor`. */
struct kernel_reduce_f32 {
    struct kernel_reduce shape;
    uint32_t max; /* else the mean */
    float factor;
};

/* Spans: those of kernel_svdf, all of them float; the bias is float[units]. */
struct kernel_svdf_f32 {
    uint32_t batches, in_n, filters, memory, rank; /* units = filters / rank */
    float act_min, act_max;
};

/*
 * Spans: in [..][in_n], out [..][units], hidden [batches][units] (state), cell [batches][units]
 *        (state), gates [4][units] (scratch), then for each gate (input, forget, cell, output):
 *        input weights [units][in_n], recurrent weights [units][units], bias [units].
 */
struct kernel_lstm_f32 {
    uint32_t steps, batches, in_n, units;
    uint32_t step_stride, batch_stride; /* rows of in and out */
    float cell_clip;                    /* 0: none */
};

/*
 * An operator that model files know by name only (custom.h). Spans: three inputs, of size 0 where
 * there are fewer, and the output. What the values mean is the operator's own affair.
 */
struct kernel_custom {
    uint32_t id; /* kernel_custom_id() of its name */
    uint32_t values[12];
};

enum {
    KERNEL_CUSTOM_IN = 0,
    KERNEL_CUSTOM_OUT = 3
};

typedef void kernel_fn(const void *params, void *const *at);
/* True when run() with these parameters stays inside the spans. Parameters are 4-aligned. */
typedef bool kernel_check_fn(const void *params, const struct kernel_span *spans);

struct kernel {
    kernel_fn *run; /* NULL: not in this image */
    kernel_check_fn *check;
    uint32_t spans : 8;   /* how many it takes */
    uint32_t writes : 24; /* bit i: it writes span i, which then cannot be a constant */
};

/* A variant's kernel, until the next call; NULL when this image does not hold it. */
const struct kernel *kernel_find(unsigned variant, unsigned kind);
/* By variant, then kind. */
extern const struct kernel *const kernel_tables[KERNEL_VARIANT_COUNT];
/* Tables of AVR lie in flash, which pointers do not reach, for want of RAM. */
#ifdef __AVR__
#define KERNEL_TABLE __attribute__((progmem))
#else
#define KERNEL_TABLE
#endif
/* How to run what kernel_find() has found before. */
static inline kernel_fn *kernel_run_of(unsigned variant, unsigned kind)
{
#ifdef __AVR__
    return (kernel_fn *)pgm_read_ptr(&kernel_tables[variant][kind].run);
#else
    return kernel_tables[variant][kind].run;
#endif
}
/*
 * The build names the variants it links (KERNELS_TUNED=1 and so on, from agents/kernels/meson.build)
 * and may name the kinds of an image for one model: KERNELS_KINDS, a mask of KERNEL_KIND_BIT().
 */
#define KERNEL_KIND_BIT(name) (1ull << KERNEL_##name)
#ifdef KERNELS_KINDS
#define KERNEL_IN_IMAGE(kind) (((KERNELS_KINDS) >> (kind)&1) != 0)
#else
#define KERNEL_IN_IMAGE(kind) 1
#endif
/* A row of a variant's table: .run stays NULL when the image leaves the kind out. */
#define KERNEL_ROW(kind, function, checker, span_count, written)                                   \
    [KERNEL_##kind] = {KERNEL_IN_IMAGE(KERNEL_##kind) ? (function) : 0,                            \
                       KERNEL_IN_IMAGE(KERNEL_##kind) ? (checker) : 0, (span_count), (written)}
/* Real arithmetic needs an FPU; without one the *_F32 kernels are left out. The host has one. */
#if defined(__AVR__) || (defined(__arm__) && !defined(__ARM_FP)) ||                                \
    (defined(__riscv) && !defined(__riscv_flen))
#define KERNELS_FLOAT 0
#else
#define KERNELS_FLOAT 1
#endif
/* In the mask below: the *_F32 kernels are here. */
#define KERNEL_CAP_FLOAT 0x40000000u
/*
 * Mask of 1 << enum kernel_variant: those linked here that this core runs with its own
 * instructions. (On the host, variants for other cores are emulated: exact, but not to be chosen.)
 */
enum {
    KERNELS_NATIVE = 1 << KERNEL_REF | (KERNELS_FLOAT ? (int)KERNEL_CAP_FLOAT : 0)
#ifdef KERNELS_TUNED
                     | 1 << KERNEL_TUNED
#endif
#if defined(KERNELS_ARMV7EM) && defined(__ARM_FEATURE_DSP)
                     | 1 << KERNEL_ARMV7EM
#endif
#if defined(KERNELS_MVE) && defined(__ARM_FEATURE_MVE)
                     | 1 << KERNEL_MVE
#endif
#if defined(KERNELS_AVR) && defined(__AVR__)
                     | 1 << KERNEL_AVR
#endif
};
/* Bytes of a kind's parameter struct; 0 when there is no such kind. */
uint32_t kernel_params_size(unsigned kind);

#endif
