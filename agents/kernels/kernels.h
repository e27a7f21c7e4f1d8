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

/*
 * kind, parameter struct. Kinds with variants come first, so that a variant's table is short.
 * The order is part of the model image: append, or raise IMAGE_VERSION.
 */
#define KERNEL_KINDS(X)                                                                            \
    X(CONV_S8, kernel_conv)                                                                        \
    X(DEPTHWISE_S8, kernel_conv)                                                                   \
    X(FULLY_CONNECTED_S8, kernel_fully_connected)                                                  \
    X(ADD_S8, kernel_binary)                                                                       \
    X(AVERAGE_POOL_S8, kernel_pool)                                                                \
    X(MAX_POOL_S8, kernel_pool)                                                                    \
    X(SOFTMAX_S8, kernel_softmax)                                                                  \
    X(LOOKUP, kernel_lookup)                                                                       \
    X(REQUANTIZE, kernel_requantize)                                                               \
    X(DEQUANTIZE, kernel_dequantize)                                                               \
    X(QUANTIZE, kernel_dequantize)                                                                 \
    X(FILL, kernel_fill)                                                                           \
    X(COPY, kernel_copy)

enum kernel_kind {
#define X(name, params) KERNEL_##name,
    KERNEL_KINDS(X)
#undef X
    KERNEL_KIND_COUNT
};

/* name, word; the order is part of the model image. */
#define KERNEL_VARIANTS(X)                                                                         \
    X(REF, "ref")         /* portable C, for reading */                                            \
    X(TUNED, "tuned")     /* portable C, for speed: ARMv6-M, ARMv7-M, RISC-V */                    \
    X(ARMV7EM, "armv7em") /* DSP extension: SMLAD and friends */                                   \
    X(MVE, "mve")         /* Helium */

enum kernel_variant {
#define X(name, word) KERNEL_##name,
    KERNEL_VARIANTS(X)
#undef X
    KERNEL_VARIANT_COUNT
};

#define KERNEL_MAX_SPANS 24
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

/* Element types of kernels that take more than one. */
enum kernel_type {
    KERNEL_S8,
    KERNEL_U8,
    KERNEL_S16,
    KERNEL_S32,
    KERNEL_F32
};

/*
 * Spans: in [batches][in_h][in_w][in_c], out [batches][out_h][out_w][out_c],
 *        weights (CONV: [out_c][filter_h][filter_w][filter_c]; DEPTHWISE: [filter_h][filter_w][out_c]),
 *        struct kernel_channel [out_c]; then the variant's own.
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
};

/*
 * Spans: in [batches][in_n], out [batches][out_n], weights [out_n][in_n],
 *        per_channel: struct kernel_channel [out_n], else int32_t bias[out_n].
 */
struct kernel_fully_connected {
    uint32_t batches, in_n, out_n;
    int32_t multiplier, shift; /* when not per_channel */
    int16_t in_offset, weights_offset, out_offset;
    int16_t act_min, act_max;
    uint16_t per_channel;
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
 */
struct kernel_binary {
    uint16_t rank, reserved;
    uint32_t dims[KERNEL_MAX_RANK];
    uint32_t a_strides[KERNEL_MAX_RANK];
    uint32_t b_strides[KERNEL_MAX_RANK];
    int32_t a_multiplier, a_shift;
    int32_t b_multiplier, b_shift;
    int32_t out_multiplier, out_shift;
    int32_t a_offset, b_offset, out_offset;
    int32_t act_min, act_max;
    uint32_t left_shift;
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

/* Spans: in [n], out [n]: out = clamp(requantize(in - in_zero) + out_zero). */
struct kernel_requantize {
    uint32_t n;
    uint8_t in_type, out_type; /* enum kernel_type, no F32 */
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

typedef void kernel_fn(const void *params, void *const *at);
/* True when run() with these parameters stays inside the spans. Parameters are 4-aligned. */
typedef bool kernel_check_fn(const void *params, const struct kernel_span *spans);

struct kernel {
    kernel_fn *run; /* NULL: not in this image */
    kernel_check_fn *check;
    uint32_t spans : 8;   /* how many it takes */
    uint32_t writes : 24; /* bit i: it writes span i, which then cannot be a constant */
};

/* A variant's kernel; NULL when this image does not hold it. */
const struct kernel *kernel_find(unsigned variant, unsigned kind);
/* Bytes of a kind's parameter struct; 0 when there is no such kind. */
uint32_t kernel_params_size(unsigned kind);

#endif
