/*
 * Numbers of the public .tflite schema (schema.fbs of TensorFlow Lite, schema version 3) that the
 * writer uses. Builtin operators, option tables and types keep the schema's own names.
 */
#ifndef HARNESS_TFLITE_SCHEMA_H
#define HARNESS_TFLITE_SCHEMA_H

enum tfl_type {
    TFL_FLOAT32 = 0,
    TFL_INT32 = 2,
    TFL_UINT8 = 3,
    TFL_INT64 = 4,
    TFL_BOOL = 6,
    TFL_INT16 = 7,
    TFL_INT8 = 9,
    TFL_RESOURCE = 13,
};

/* operator, number, number of its options table in the BuiltinOptions union (0: none) */
#define TFL_OPERATOR_LIST(X)                                                                       \
    X(ADD, 0, 11)                                                                                  \
    X(AVERAGE_POOL_2D, 1, 5)                                                                       \
    X(CONCATENATION, 2, 10)                                                                        \
    X(CONV_2D, 3, 1)                                                                               \
    X(DEPTHWISE_CONV_2D, 4, 2)                                                                     \
    X(DEQUANTIZE, 6, 38)                                                                           \
    X(FULLY_CONNECTED, 9, 8)                                                                       \
    X(LOGISTIC, 14, 0)                                                                             \
    X(MAX_POOL_2D, 17, 5)                                                                          \
    X(MUL, 18, 21)                                                                                 \
    X(RELU, 19, 0)                                                                                 \
    X(RELU6, 21, 0)                                                                                \
    X(RESHAPE, 22, 17)                                                                             \
    X(RESIZE_BILINEAR, 23, 15)                                                                     \
    X(SOFTMAX, 25, 9)                                                                              \
    X(SVDF, 27, 6)                                                                                 \
    X(TANH, 28, 0)                                                                                 \
    X(PAD, 34, 22)                                                                                 \
    X(TRANSPOSE, 39, 26)                                                                           \
    X(MEAN, 40, 27)                                                                                \
    X(SUB, 41, 28)                                                                                 \
    X(UNIDIRECTIONAL_SEQUENCE_LSTM, 44, 71)                                                        \
    X(STRIDED_SLICE, 45, 32)                                                                       \
    X(RESIZE_NEAREST_NEIGHBOR, 97, 74)                                                             \
    X(LEAKY_RELU, 98, 75)                                                                          \
    X(QUANTIZE, 114, 89)                                                                           \
    X(HARD_SWISH, 117, 91)                                                                         \
    X(VAR_HANDLE, 142, 111)                                                                        \
    X(READ_VARIABLE, 143, 112)                                                                     \
    X(ASSIGN_VARIABLE, 144, 113)

enum tfl_builtin {
#define X(name, code, options) TFL_##name = (code),
    TFL_OPERATOR_LIST(X)
#undef X
};

/* Padding and ActivationFunctionType */
enum {
    TFL_SAME = 0,
    TFL_VALID = 1
};
enum {
    TFL_ACT_NONE = 0,
    TFL_ACT_RELU = 1,
    TFL_ACT_RELU6 = 3,
    TFL_ACT_TANH = 4
};

#endif
