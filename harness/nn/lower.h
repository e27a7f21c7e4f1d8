/*
 * From operators to steps: each operator of the graph is checked and turned into kernel calls on
 * buffers. Private to harness/nn.
 *
 * One function per operator (lower_*.c, listed in lower.c) does both, so that what is accepted and
 * what is produced cannot drift apart; nn_check() runs the same functions and drops the steps.
 */
#ifndef HARNESS_NN_LOWER_H
#define HARNESS_NN_LOWER_H

#include "agents/kernels/kernels.h"
#include "harness/base/err.h"
#include "harness/nn/graph.h"
#include "harness/nn/nn.h"

/* A tensor, scratch or constant. Reshaped tensors share one. */
struct nn_buffer {
    const char *name;
    uint32_t size;
    uint32_t align;
    const void *data; /* of a constant; NULL: it lies in the arena */
    bool whole;       /* lives from start to end */
    bool variable;    /* keeps its value between inferences; `data` of the first value in init */
    const void *init; /* NULL: init_fill */
    uint8_t init_fill;
    uint32_t init_at; /* where the writer put init */
    bool used;        /* some step touches it */
    bool repeated;    /* a constant that another buffer holds too */
    uint64_t hash;    /* of a constant, for the writer */
    uint32_t first, last;
    uint32_t offset; /* in the arena (planner) or in the image (writer) */
};

struct nn_span {
    uint32_t buffer;
    uint32_t offset;
    uint32_t size;
};

/* The kernel may write span `out` over span `in` when out starts at most `slack` after in. */
struct nn_sharing {
    uint8_t out, in;
    int32_t slack;
};

#define NN_MAX_SHARINGS 4

struct nn_step {
    uint8_t kind, variant;
    bool plain;
    bool part; /* of an operator that runs in strips */
    uint16_t op;
    uint32_t rows; /* of the image it works on; 0: as the operator's output says */
    unsigned span_count;
    struct nn_span spans[KERNEL_MAX_SPANS];
    unsigned sharing_count;
    struct nn_sharing sharings[NN_MAX_SHARINGS];
    const void *params;
    uint32_t params_size;
};

/* Over all of a chain's steps: `out` may start at most `slack` after `in`, which it overwrites. */
struct nn_overlap {
    uint32_t out, in; /* buffers */
    int32_t slack;
};

/* A variable that operators reach through a handle. */
struct nn_resource {
    const char *name;
    uint64_t hash; /* of the name */
    uint32_t buffer;
    bool has_buffer;              /* READ or ASSIGN has said how large it is */
    const struct nn_tensor *init; /* CALL_ONCE's value; NULL: zero */
};

/* A tensor that is another one with its zero point around it: convolutions can do without it. */
struct nn_padded {
    const struct nn_tensor *in; /* NULL: it is no such tensor */
    int32_t top, bottom, left, right;
};

struct nn_lower {
    struct arena *arena;
    const struct nn_model *model;
    const struct nn_graph *graph; /* `own`: the model's, whose tensors may become constants */
    struct nn_graph own;
    struct nn_tensor *tensors;
    const struct nn_target *target;
    struct err *err;
    struct nn_buffer *buffers;
    size_t buffer_count, buffer_capacity;
    struct nn_step *steps;
    size_t step_count, step_capacity;
    struct nn_overlap *overlaps;
    size_t overlap_count, overlap_capacity;
    struct nn_span *span_of;       /* [tensor]: where it lies; size 0 until it has a place */
    uint32_t *handle_of;           /* [tensor]: of a handle, its place in resources plus 1 */
    uint64_t *macs;                /* [op] */
    struct nn_padded *padded;      /* [tensor] */
    struct nn_resource *resources; /* what VAR_HANDLE names */
    size_t resource_count, resource_capacity;
    uint64_t constant_bytes, tensor_bytes; /* of all buffers so far */
    uint64_t folded;                       /* what fold_op() has run so far, in multiplications */
    uint32_t called;                       /* graphs that CALL_ONCE has run: a mask */
    const struct nn_op *op;                /* the one being lowered */
    size_t op_index;
};

/* Lowers the whole graph; ERR_UNSUPPORTED or ERR_CONFIG naming the operator. */
int lower_graph(struct nn_lower *l);
/* Prepares l for a graph: tables, graph inputs. */
int lower_begin(struct nn_lower *l);
/* One operator. */
int lower_op(struct nn_lower *l, size_t index);
/* After an operator failed: pretend that it has written its outputs, to look at the next ones. */
void lower_assume_outputs(struct nn_lower *l, size_t index);

/* After an operator: its steps are run here when they need nothing but constants. */
void fold_op(struct nn_lower *l, size_t first_step);
/* After all operators: steps that can be done by the one before, or that nobody needs. */
void fuse_steps(struct nn_lower *l);

/* ---- for the operators ---- */

/* The code of a failure that l->err already holds. */
static inline int lower_failed(const struct nn_lower *l)
{
    return l->err->code < 0 ? (int)l->err->code : (int)ERR_BUG;
}

/* "operator 3 CONV_2D v3: ..."; "... tensor 17 'conv/w': ..." The macros return the code. */
void lower_complain(struct nn_lower *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void lower_complain_tensor(struct nn_lower *l, int32_t tensor, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
#define LOWER_FAIL(l, ...) (lower_complain((l), __VA_ARGS__), lower_failed(l))
#define LOWER_FAIL_TENSOR(l, tensor, ...)                                                          \
    (lower_complain_tensor((l), (tensor), __VA_ARGS__), lower_failed(l))

/* Between min and max inputs (missing optional ones at the end count as given) and n outputs. */
int lower_arity(struct nn_lower *l, size_t min, size_t max, size_t outputs);

#define TYPE_BIT(type) (1u << (type))
/*
 * Input or output i, of one of `types` (a mask of TYPE_BIT), with at least one element, and with
 * one scale and zero point when its type is INT8, UINT8 or INT16. NULL: failed, l->err says why.
 */
const struct nn_tensor *lower_in(struct nn_lower *l, size_t i, uint32_t types);
const struct nn_tensor *lower_out(struct nn_lower *l, size_t i, uint32_t types);
/* Input i, or NULL when it was left out. No checks. */
const struct nn_tensor *lower_optional(const struct nn_lower *l, size_t i);
/* Input i must be a constant of `type`. NULL: failed. */
const struct nn_tensor *lower_const(struct nn_lower *l, size_t i, enum nn_type type);
/* Element i of a constant INT32 (or INT64) tensor. */
int64_t lower_const_int(const struct nn_tensor *t, size_t i);

/* Constant weights as INT8; INT4 ones are unpacked. */
int lower_filter(struct nn_lower *l, size_t i, struct nn_tensor *ret);

int lower_same_shape(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b);
int lower_rank(struct nn_lower *l, const struct nn_tensor *t, unsigned rank);
/* Same scale and zero point. */
int lower_same_quant(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b);

/* 16-bit operands whose kernels know no zero point: it must be 0. */
int lower_no_zero_point(struct nn_lower *l, const struct nn_tensor *t);

/* Index of a tensor of this graph, from its address. */
int32_t lower_index(const struct nn_lower *l, const struct nn_tensor *t);

/* A variable's own buffer, made at its first mention; it starts out as its zero point. */
struct nn_span lower_variable(struct nn_lower *l, const struct nn_tensor *t);

/* Buffers. lower_read fails (-1) when nothing has written the tensor; the others cannot fail. */
int lower_read(struct nn_lower *l, const struct nn_tensor *t, struct nn_span *ret);
int lower_write(struct nn_lower *l, const struct nn_tensor *t, struct nn_span *ret);
struct nn_span lower_constant(struct nn_lower *l, const char *name, const void *data, size_t size);
struct nn_span lower_scratch(struct nn_lower *l, const char *name, uint32_t size, uint32_t align);
/* The output is the input under another shape, or (at byte `offset`) a piece of it. */
int lower_alias(struct nn_lower *l, const struct nn_tensor *out, const struct nn_tensor *in,
                uint32_t offset);

/* A new step of the operator; params are copied. Its spans are then filled in order. */
struct nn_step *lower_step(struct nn_lower *l, enum kernel_kind kind, enum kernel_variant variant,
                           const void *params);
void lower_span(struct nn_step *s, struct nn_span span);
void lower_share(struct nn_step *s, unsigned out, unsigned in, int32_t slack);
/* lower_read + lower_span, lower_write + lower_span. */
int lower_add_in(struct nn_lower *l, struct nn_step *s, const struct nn_tensor *t);
int lower_add_out(struct nn_lower *l, struct nn_step *s, const struct nn_tensor *t);

/* Slack of a kernel that handles n elements in order, each read before it is written. */
int32_t lower_slack_elements(size_t n, uint32_t out_bytes, uint32_t in_bytes);

/* ---- shared by several operators ---- */

#define INTEGER_TYPES                                                                              \
    (TYPE_BIT(NN_INT8) | TYPE_BIT(NN_UINT8) | TYPE_BIT(NN_INT16) | TYPE_BIT(NN_INT32))

enum kernel_type lower_kernel_type(enum nn_type type);
uint32_t lower_element_size(const struct nn_tensor *t);
/* A step that maps each 8-bit element through a table of 256; entry i is for the bits i. */
int lower_lookup(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                 const void *table);
/* The table that 16-bit curves and LSTM interpolate in. */
struct nn_span lower_sigmoid_table(struct nn_lower *l);
/* Smallest and largest value of the fused activation within the type of `out`. */
int lower_range(struct nn_lower *l, const struct nn_tensor *out, int32_t *low, int32_t *high);
/* An axis counted from the end when negative; fails when there is no such one. */
int lower_axis(struct nn_lower *l, int64_t axis, unsigned rank, unsigned *ret);
/* Product of the dimensions [from, to). */
uint32_t lower_extent(const struct nn_tensor *t, unsigned from, unsigned to);

/* ---- float32 (lower_float.c) ---- */

/* Input 0 is float32. */
bool lower_is_float(const struct nn_lower *l);
/* Fails when the target cannot run float32. */
int lower_needs_fpu(struct nn_lower *l);
/* The fused activation's limits. */
int lower_float_range(struct nn_lower *l, float *low, float *high);
/* Input i, a constant with elements. NULL: failed. */
const struct nn_tensor *lower_float_const(struct nn_lower *l, size_t i);
/* Input i as biases; zeros when it was left out. */
int lower_float_bias(struct nn_lower *l, size_t i, uint32_t channels, struct nn_span *ret);
int lower_float_unary(struct nn_lower *l, enum kernel_unary_op op, float low, float high);
int lower_float_softmax(struct nn_lower *l);
int lower_float_dense(struct nn_lower *l);

/* A block of elements to move; strides and starts in elements. */
struct nn_block {
    unsigned rank;
    uint32_t dims[NN_MAX_RANK];
    int64_t in_strides[NN_MAX_RANK], out_strides[NN_MAX_RANK];
    int64_t in_start, out_start;
};
/* Neighbouring runs are merged; nothing happens when a dimension is 0. */
int lower_copy(struct nn_lower *l, const struct nn_block *b, uint32_t element, struct nn_span in,
               struct nn_span out);
/* Strides of a tensor in elements, innermost 1. */
void lower_strides(const struct nn_tensor *t, int64_t strides[NN_MAX_RANK]);

/* One row for each operator: how it is lowered. */
typedef int lower_fn(struct nn_lower *l);
#define NN_LOWERINGS(X)                                                                            \
    X(CONV_2D, conv_2d)                                                                            \
    X(DEPTHWISE_CONV_2D, depthwise_conv_2d)                                                        \
    X(TRANSPOSE_CONV, transpose_conv)                                                              \
    X(FULLY_CONNECTED, fully_connected)                                                            \
    X(BATCH_MATMUL, batch_matmul)                                                                  \
    X(AVERAGE_POOL_2D, average_pool)                                                               \
    X(MAX_POOL_2D, max_pool)                                                                       \
    X(ADD, add)                                                                                    \
    X(SUB, sub)                                                                                    \
    X(MUL, mul)                                                                                    \
    X(MAXIMUM, maximum)                                                                            \
    X(MINIMUM, minimum)                                                                            \
    X(PRELU, prelu)                                                                                \
    X(SOFTMAX, softmax)                                                                            \
    X(LOGISTIC, logistic)                                                                          \
    X(TANH, tanh)                                                                                  \
    X(RELU, relu)                                                                                  \
    X(RELU6, relu6)                                                                                \
    X(LEAKY_RELU, leaky_relu)                                                                      \
    X(HARD_SWISH, hard_swish)                                                                      \
    X(ELU, elu)                                                                                    \
    X(MEAN, mean)                                                                                  \
    X(REDUCE_MAX, reduce_max)                                                                      \
    X(ARG_MAX, arg_max)                                                                            \
    X(RESHAPE, reshape)                                                                            \
    X(SQUEEZE, reshape)                                                                            \
    X(EXPAND_DIMS, reshape)                                                                        \
    X(TRANSPOSE, transpose)                                                                        \
    X(CONCATENATION, concatenation)                                                                \
    X(PACK, pack)                                                                                  \
    X(UNPACK, unpack)                                                                              \
    X(SPLIT, split)                                                                                \
    X(SPLIT_V, split_v)                                                                            \
    X(SLICE, slice)                                                                                \
    X(STRIDED_SLICE, strided_slice)                                                                \
    X(PAD, pad)                                                                                    \
    X(PADV2, pad)                                                                                  \
    X(MIRROR_PAD, mirror_pad)                                                                      \
    X(GATHER, gather)                                                                              \
    X(RESIZE_NEAREST_NEIGHBOR, resize_nearest)                                                     \
    X(RESIZE_BILINEAR, resize_bilinear)                                                            \
    X(QUANTIZE, quantize)                                                                          \
    X(DEQUANTIZE, dequantize)                                                                      \
    X(CAST, cast)                                                                                  \
    X(SVDF, svdf)                                                                                  \
    X(UNIDIRECTIONAL_SEQUENCE_LSTM, lstm)                                                          \
    X(VAR_HANDLE, var_handle)                                                                      \
    X(READ_VARIABLE, read_variable)                                                                \
    X(ASSIGN_VARIABLE, assign_variable)                                                            \
    X(CALL_ONCE, call_once)                                                                        \
    X(CUSTOM, custom)

#define X(name, fn) lower_fn lower_##fn;
NN_LOWERINGS(X)
#undef X

#endif
