/*
 * A .tflite model as plain structs, and the writer that turns it into a file.
 *
 * One subgraph. The writer trusts its caller: it is fed by our own generator, never by a file.
 * The reader of files that people bring is harness/nn.
 */
#ifndef HARNESS_TFLITE_MODEL_H
#define HARNESS_TFLITE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/tflite/schema.h"

enum {
    TFL_RANK_MAX = 5,
    TFL_INPUTS_MAX = 24,
    TFL_OUTPUTS_MAX = 4,
    TFL_OPTIONS_MAX = 8
};

struct tfl_tensor {
    const char *name;
    enum tfl_type type;
    int32_t shape[TFL_RANK_MAX];
    size_t rank;
    const float *scales; /* scale_count of them; 0: not quantised */
    const int64_t *zero_points;
    size_t scale_count;
    int32_t axis;     /* quantised dimension, when scale_count > 1 */
    const void *data; /* constant, little-endian; NULL: computed */
    size_t size;
    bool is_variable; /* keeps its value between inferences */
};

enum tfl_option_kind {
    TFL_OPT_U8,
    TFL_OPT_I32,
    TFL_OPT_F32,
    TFL_OPT_INTS,
    TFL_OPT_STRING
};

struct tfl_option {
    uint8_t id; /* in the operator's options table */
    enum tfl_option_kind kind;
    int32_t i;
    float f;
    const int32_t *ints; /* i of them */
    const char *string;
};

struct tfl_op {
    enum tfl_builtin code;
    int32_t version;
    int32_t inputs[TFL_INPUTS_MAX]; /* -1: optional input left out */
    size_t input_count;
    int32_t outputs[TFL_OUTPUTS_MAX];
    size_t output_count;
    int32_t intermediates[8];
    size_t intermediate_count;
    struct tfl_option options[TFL_OPTIONS_MAX];
    size_t option_count;
};

struct tfl_model {
    struct arena arena; /* owns everything below */
    const char *description;
    struct tfl_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    struct tfl_op *ops;
    size_t op_count, op_capacity;
    int32_t inputs[TFL_INPUTS_MAX];
    size_t input_count;
    int32_t outputs[TFL_INPUTS_MAX];
    size_t output_count;
};

/* Append a zeroed one; the pointer is good until the next call. */
struct tfl_tensor *tfl_add_tensor(struct tfl_model *m);
struct tfl_op *tfl_add_op(struct tfl_model *m, enum tfl_builtin code, int32_t version);
void tfl_op_input(struct tfl_op *op, int32_t tensor);
void tfl_op_output(struct tfl_op *op, int32_t tensor);
struct tfl_option *tfl_op_option(struct tfl_op *op, uint8_t id, enum tfl_option_kind kind);

/* The file's bytes, appended to ret. The same model gives the same bytes on every machine. */
void tfl_write(const struct tfl_model *m, struct buf *ret);

void tfl_model_release(struct tfl_model *m);

#endif
