/*
 * A neural network as its file describes it: plain structs, no behaviour. Filled by tflite.c,
 * read by the lowering code, by `tinyrig model` and by the tests.
 *
 * Everything lives in the arena of the model, except the bytes of constants, which stay where the
 * file is. Indices between the structs were checked when the file was read: a tensor index is
 * NN_NONE (an optional input left out) or below tensor_count.
 */
#ifndef HARNESS_NN_GRAPH_H
#define HARNESS_NN_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"

#define NN_MAX_RANK 6
#define NN_NONE     (-1)

/* name, number in the file format, bits of one element (0: this program cannot hold it) */
#define NN_TYPES(X)                                                                                \
    X(FLOAT32, 0, 32)                                                                              \
    X(FLOAT16, 1, 16)                                                                              \
    X(INT32, 2, 32)                                                                                \
    X(UINT8, 3, 8)                                                                                 \
    X(INT64, 4, 64)                                                                                \
    X(STRING, 5, 0)                                                                                \
    X(BOOL, 6, 8)                                                                                  \
    X(INT16, 7, 16)                                                                                \
    X(COMPLEX64, 8, 64)                                                                            \
    X(INT8, 9, 8)                                                                                  \
    X(FLOAT64, 10, 64)                                                                             \
    X(COMPLEX128, 11, 128)                                                                         \
    X(UINT64, 12, 64)                                                                              \
    X(RESOURCE, 13, 0)                                                                             \
    X(VARIANT, 14, 0)                                                                              \
    X(UINT32, 15, 32)                                                                              \
    X(UINT16, 16, 16)                                                                              \
    X(INT4, 17, 4)                                                                                 \
    X(BFLOAT16, 18, 16)                                                                            \
    X(INT2, 19, 2)                                                                                 \
    X(UINT4, 20, 4)

enum nn_type {
#define X(name, number, bits) NN_##name = (number),
    NN_TYPES(X)
#undef X
};

/*
 * Operators this program knows: name, number in the file format, highest version whose meaning is
 * known, kind of options. An operator outside the list is kept with its number and refused by name.
 */
#define NN_OPERATORS(X)                                                                            \
    X(ADD, 0, 5, ELEMENTWISE)                                                                      \
    X(AVERAGE_POOL_2D, 1, 3, POOL)                                                                 \
    X(CONCATENATION, 2, 4, CONCAT)                                                                 \
    X(CONV_2D, 3, 8, CONV)                                                                         \
    X(DEPTHWISE_CONV_2D, 4, 7, DEPTHWISE)                                                          \
    X(DEQUANTIZE, 6, 6, NONE)                                                                      \
    X(FULLY_CONNECTED, 9, 13, FULLY_CONNECTED)                                                     \
    X(LOGISTIC, 14, 3, NONE)                                                                       \
    X(MAX_POOL_2D, 17, 3, POOL)                                                                    \
    X(MUL, 18, 7, ELEMENTWISE)                                                                     \
    X(RELU, 19, 3, NONE)                                                                           \
    X(RELU6, 21, 3, NONE)                                                                          \
    X(RESHAPE, 22, 2, RESHAPE)                                                                     \
    X(RESIZE_BILINEAR, 23, 4, RESIZE_BILINEAR)                                                     \
    X(SOFTMAX, 25, 3, SOFTMAX)                                                                     \
    X(SVDF, 27, 4, SVDF)                                                                           \
    X(TANH, 28, 3, NONE)                                                                           \
    X(PAD, 34, 4, NONE)                                                                            \
    X(GATHER, 36, 7, GATHER)                                                                       \
    X(TRANSPOSE, 39, 6, NONE)                                                                      \
    X(MEAN, 40, 3, REDUCE)                                                                         \
    X(SUB, 41, 5, ELEMENTWISE)                                                                     \
    X(SQUEEZE, 43, 2, NONE)                                                                        \
    X(UNIDIRECTIONAL_SEQUENCE_LSTM, 44, 4, LSTM)                                                   \
    X(STRIDED_SLICE, 45, 8, STRIDED_SLICE)                                                         \
    X(SPLIT, 49, 4, NONE)                                                                          \
    X(CAST, 53, 7, NONE)                                                                           \
    X(PRELU, 54, 1, NONE)                                                                          \
    X(MAXIMUM, 55, 4, NONE)                                                                        \
    X(ARG_MAX, 56, 3, NONE)                                                                        \
    X(MINIMUM, 57, 4, NONE)                                                                        \
    X(PADV2, 60, 4, NONE)                                                                          \
    X(SLICE, 65, 6, NONE)                                                                          \
    X(TRANSPOSE_CONV, 67, 5, TRANSPOSE_CONV)                                                       \
    X(EXPAND_DIMS, 70, 1, NONE)                                                                    \
    X(REDUCE_MAX, 82, 3, REDUCE)                                                                   \
    X(PACK, 83, 4, PACK)                                                                           \
    X(UNPACK, 88, 4, PACK)                                                                         \
    X(RESIZE_NEAREST_NEIGHBOR, 97, 4, RESIZE_NEAREST)                                              \
    X(LEAKY_RELU, 98, 2, LEAKY_RELU)                                                               \
    X(MIRROR_PAD, 100, 3, MIRROR_PAD)                                                              \
    X(SPLIT_V, 102, 2, NONE)                                                                       \
    X(ELU, 111, 1, NONE)                                                                           \
    X(QUANTIZE, 114, 3, NONE)                                                                      \
    X(HARD_SWISH, 117, 1, NONE)                                                                    \
    X(BATCH_MATMUL, 126, 4, BATCH_MATMUL)                                                          \
    X(CALL_ONCE, 129, 1, CALL_ONCE)                                                                \
    X(VAR_HANDLE, 142, 1, VAR_HANDLE)                                                              \
    X(READ_VARIABLE, 143, 1, NONE)                                                                 \
    X(ASSIGN_VARIABLE, 144, 1, NONE)                                                               \
    X(CUSTOM, 32, 1000000, NONE)

enum nn_opcode {
#define X(name, number, version, options) NN_OP_##name = (number),
    NN_OPERATORS(X)
#undef X
};

enum nn_padding {
    NN_SAME = 0,
    NN_VALID = 1
};

enum nn_activation {
    NN_ACT_NONE = 0,
    NN_ACT_RELU = 1,
    NN_ACT_RELU_N1_TO_1 = 2,
    NN_ACT_RELU6 = 3,
    NN_ACT_TANH = 4,
    NN_ACT_SIGN_BIT = 5
};

/* real = scale * (q - zero_point). count is 0 (none), 1 (per tensor) or dims[axis] (per channel). */
struct nn_quant {
    const float *scale;
    const int32_t *zero_point;
    size_t count;
    unsigned axis;
};

struct nn_tensor {
    const char *name; /* never NULL */
    enum nn_type type;
    unsigned rank;
    int32_t dims[NN_MAX_RANK]; /* each >= 0 */
    size_t elements;
    size_t size;         /* bytes */
    const uint8_t *data; /* of a constant: size bytes, little-endian, any alignment; else NULL */
    bool variable;       /* keeps its value from one inference to the next */
    struct nn_quant quant;
};

/* The options of every operator, by the kind in the list above. */
struct nn_window { /* CONV, DEPTHWISE, TRANSPOSE_CONV, POOL */
    enum nn_padding padding;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t filter_h, filter_w; /* POOL only */
    int32_t depth_multiplier;   /* DEPTHWISE only */
};

struct nn_options {
    enum nn_activation activation;
    struct nn_window window;
    int32_t axis;       /* CONCAT, GATHER, PACK */
    int32_t batch_dims; /* GATHER */
    bool keep_dims;     /* REDUCE, FULLY_CONNECTED */
    bool pot_scale;     /* ELEMENTWISE: 16-bit scales are powers of two */
    int32_t weights_format;
    float beta;  /* SOFTMAX */
    float alpha; /* LEAKY_RELU */
    int32_t rank;
    bool asymmetric_inputs;
    float cell_clip, projection_clip; /* LSTM */
    bool time_major;
    bool diagonal_recurrent;
    bool align_corners, half_pixel_centers; /* RESIZE_* */
    bool symmetric;                         /* MIRROR_PAD */
    bool adjoint_x, adjoint_y;              /* BATCH_MATMUL */
    int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
    bool end_is_offset;
    int32_t init_graph;      /* CALL_ONCE */
    const char *shared_name; /* VAR_HANDLE */
};

struct nn_op {
    int32_t code; /* enum nn_opcode, or a number of the file format that is not in the list */
    int32_t version;
    const char *custom; /* name of a CUSTOM operator, else NULL */
    const int32_t *inputs;
    size_t input_count;
    const int32_t *outputs;
    size_t output_count;
    const int32_t *intermediates; /* LSTM */
    size_t intermediate_count;
    const uint8_t *custom_data;
    size_t custom_size;
    struct nn_options options;
};

struct nn_graph {
    const struct nn_tensor *tensors;
    size_t tensor_count;
    const struct nn_op *ops;
    size_t op_count;
    const int32_t *inputs;
    size_t input_count;
    const int32_t *outputs;
    size_t output_count;
};

/* graphs[0] is the one to run. The model owns its arena and keeps a copy of the file's bytes. */
struct nn_model {
    struct arena arena;
    const struct nn_graph *graphs;
    size_t graph_count;
    const char *description;
    size_t size; /* of the file */
};

const char *nn_type_name(int type);          /* "INT8"; "type 99" has no name: "?" */
unsigned nn_type_bits(int type);             /* 0 when it cannot be held */
const char *nn_opcode_name(int32_t code);    /* "CONV_2D"; NULL when not in the list */
int32_t nn_opcode_max_version(int32_t code); /* 0 when not in the list */
const char *nn_activation_name(enum nn_activation activation);

#endif
