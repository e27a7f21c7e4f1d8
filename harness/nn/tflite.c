#include "harness/nn/tflite.h"

#include <stdlib.h>
#include <string.h>

#include "harness/nn/flat.h"
#include "harness/nn/tflite_options.h"

/* More than any model for a microcontroller needs; a hostile file stops here. */
#define MAX_GRAPHS   16
#define MAX_TENSORS  8192
#define MAX_OPS      8192
#define MAX_OP_LINKS 512
#define MAX_BUFFERS  65536
#define MAX_SCALES   65536
#define MAX_NAME     1024
#define MAX_ELEMENTS (1u << 28)

/* Field numbers of the schema's tables. */
enum {
    MODEL_VERSION = 0,
    MODEL_OPCODES = 1,
    MODEL_GRAPHS = 2,
    MODEL_DESCRIPTION = 3,
    MODEL_BUFFERS = 4,
    OPCODE_SHORT = 0,
    OPCODE_CUSTOM = 1,
    OPCODE_VERSION = 2,
    OPCODE_CODE = 3,
    GRAPH_TENSORS = 0,
    GRAPH_INPUTS = 1,
    GRAPH_OUTPUTS = 2,
    GRAPH_OPS = 3,
    TENSOR_SHAPE = 0,
    TENSOR_TYPE = 1,
    TENSOR_BUFFER = 2,
    TENSOR_NAME = 3,
    TENSOR_QUANT = 4,
    TENSOR_VARIABLE = 5,
    TENSOR_SPARSITY = 6,
    TENSOR_EXTERNAL = 10,
    QUANT_SCALE = 2,
    QUANT_ZERO = 3,
    QUANT_DETAILS = 4,
    QUANT_AXIS = 6,
    OP_CODE = 0,
    OP_INPUTS = 1,
    OP_OUTPUTS = 2,
    OP_OPTIONS = 4,
    OP_CUSTOM = 5,
    OP_INTERMEDIATES = 8,
    BUFFER_DATA = 0,
    BUFFER_OFFSET = 1,
    BUFFER_SIZE = 2,
};

struct reader {
    struct flat file;
    struct arena *arena;
    size_t budget; /* bytes that may still be copied out of the file */
    struct flat_vector buffers;
    struct flat_vector opcodes;
    struct err *err;
};

static int bad(struct reader *r, const char *what)
{
    return err_set(r->err, ERR_CONFIG, "not a model that can be read: %s", what);
}

/* Turns what the flat functions remembered into an error. */
static int settle(struct reader *r)
{
    if (!r->file.bad)
        return 0;
    return err_set(r->err, ERR_CONFIG, "damaged model: %s (byte %zu of %zu)", r->file.bad,
                   r->file.bad_at, r->file.size);
}

/* Room for a copy of n elements; shared vectors in the file must not multiply without end. */
static void *take(struct reader *r, size_t n, size_t element)
{
    if (n * element > r->budget) {
        flat_fail(&r->file, 0, "its tables refer to the same data too many times");
        return NULL;
    }
    r->budget -= n * element;
    return arena_alloc(r->arena, n * element + 1);
}

static const char *read_name(struct reader *r, struct flat_table t, unsigned field)
{
    struct flat_vector v = flat_string(t, field, 1u << 20);
    size_t n = v.count < MAX_NAME ? v.count : MAX_NAME;
    char *s = take(r, n + 1, 1);

    if (!s)
        return "";
    for (size_t i = 0; i < n; i++) {
        uint8_t c = v.file->data[v.pos + i];
        s[i] = (char)(c < 0x20 || c == 0x7f ? '?' : c); /* names end up on terminals */
    }
    s[n] = '\0';
    return s;
}

/* Indices below `count`, or NN_NONE. */
static const int32_t *read_indices(struct reader *r, struct flat_table t, unsigned field,
                                   size_t count, size_t *ret_n)
{
    struct flat_vector v = flat_vector(t, field, 4, MAX_OP_LINKS);
    int32_t *out = take(r, v.count, 4);

    *ret_n = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i < v.count; i++) {
        out[i] = flat_vector_i32(v, i);
        if (out[i] < NN_NONE || (out[i] >= 0 && (size_t)out[i] >= count)) {
            flat_fail(&r->file, v.pos + i * 4, "a tensor index is out of range");
            return NULL;
        }
    }
    *ret_n = v.count;
    return out;
}

static int read_shape(struct reader *r, struct flat_table t, struct nn_tensor *tensor)
{
    struct flat_vector v = flat_vector(t, TENSOR_SHAPE, 4, 4096);

    if (v.count > NN_MAX_RANK)
        return err_set(r->err, ERR_UNSUPPORTED, "has %zu dimensions, at most %d are supported",
                       v.count, NN_MAX_RANK);
    tensor->rank = (unsigned)v.count;
    tensor->elements = 1;
    for (size_t i = 0; i < v.count; i++) {
        int32_t d = flat_vector_i32(v, i);
        if (d < 0)
            return err_set(r->err, ERR_UNSUPPORTED,
                           "dimension %zu is %d: dynamic shapes are not supported", i, d);
        tensor->dims[i] = d;
        if (d && tensor->elements > MAX_ELEMENTS / (size_t)d)
            return err_set(r->err, ERR_CONFIG, "is larger than %u elements", MAX_ELEMENTS);
        tensor->elements *= (size_t)d;
    }
    tensor->size = (tensor->elements * nn_type_bits(tensor->type) + 7) / 8;
    return 0;
}

static int read_quant(struct reader *r, struct flat_table t, struct nn_tensor *tensor)
{
    struct flat_table q = flat_sub(t, TENSOR_QUANT);
    struct flat_vector scale = flat_vector(q, QUANT_SCALE, 4, MAX_SCALES);
    struct flat_vector zero = flat_vector(q, QUANT_ZERO, 8, MAX_SCALES);

    if (!q.pos || !scale.count)
        return 0;
    if (flat_u8(q, QUANT_DETAILS, 0))
        return err_set(r->err, ERR_UNSUPPORTED, "custom quantisation is not supported");
    int32_t axis = flat_i32(q, QUANT_AXIS, 0);
    if (scale.count > 1 &&
        (axis < 0 || (unsigned)axis >= tensor->rank || (size_t)tensor->dims[axis] != scale.count))
        return err_set(r->err, ERR_CONFIG, "has %zu scales, which fit no dimension %d", scale.count,
                       axis);
    if (zero.count && zero.count != scale.count)
        return err_set(r->err, ERR_CONFIG, "has %zu scales but %zu zero points", scale.count,
                       zero.count);
    float *scales = take(r, scale.count, sizeof *scales);
    int32_t *zeros = take(r, scale.count, sizeof *zeros);
    if (!scales || !zeros)
        return settle(r);
    for (size_t i = 0; i < scale.count; i++) {
        int64_t z = flat_vector_i64(zero, i);
        scales[i] = flat_vector_f32(scale, i);
        zeros[i] = (int32_t)z;
        if (z != zeros[i])
            return err_set(r->err, ERR_CONFIG, "zero point %lld is out of range", (long long)z);
    }
    tensor->quant = (struct nn_quant){scales, zeros, scale.count, (unsigned)axis};
    return 0;
}

/* Bytes of buffer `index`; NULL when it is empty. */
static const uint8_t *buffer_bytes(struct reader *r, uint32_t index, size_t *ret_size)
{
    struct flat_table b = flat_vector_table(r->buffers, index);
    struct flat_vector v = flat_vector(b, BUFFER_DATA, 1, r->file.size);
    uint64_t offset = flat_u64(b, BUFFER_OFFSET, 0), size = flat_u64(b, BUFFER_SIZE, 0);

    *ret_size = v.count;
    if (v.count)
        return r->file.data + v.pos;
    if (offset <= 1 || !size)
        return NULL;
    if (offset > r->file.size || size > r->file.size - offset) {
        flat_fail(&r->file, b.pos, "a buffer lies outside the file");
        return NULL;
    }
    *ret_size = size;
    return r->file.data + offset;
}

static int read_data(struct reader *r, struct flat_table t, struct nn_tensor *tensor)
{
    uint32_t index = (uint32_t)flat_i32(t, TENSOR_BUFFER, 0);
    size_t size = 0;

    if (flat_has(t, TENSOR_SPARSITY))
        return err_set(r->err, ERR_UNSUPPORTED, "sparse constants are not supported");
    if (flat_i32(t, TENSOR_EXTERNAL, 0))
        return err_set(r->err, ERR_UNSUPPORTED, "constants in another file are not supported");
    if (index >= r->buffers.count)
        return err_set(r->err, ERR_CONFIG, "refers to buffer %u of %zu", index, r->buffers.count);
    tensor->data = buffer_bytes(r, index, &size);
    /* Types without a fixed size (resources, strings) carry nothing that is used. */
    if (!nn_type_bits(tensor->type))
        tensor->data = NULL;
    if (tensor->data && size != tensor->size)
        return err_set(r->err, ERR_CONFIG, "holds %zu bytes, its shape needs %zu", size,
                       tensor->size);
    return 0;
}

static int read_tensor(struct reader *r, struct flat_table t, size_t index, struct nn_tensor *ret)
{
    ret->name = read_name(r, t, TENSOR_NAME);
    ret->type = (enum nn_type)flat_u8(t, TENSOR_TYPE, 0);
    ret->variable = flat_u8(t, TENSOR_VARIABLE, 0) != 0;
    int status = read_shape(r, t, ret);
    if (status == 0)
        status = read_quant(r, t, ret);
    if (status == 0)
        status = read_data(r, t, ret);
    if (status < 0)
        return err_in(r->err, "tensor %zu '%s'", index, ret->name);
    return settle(r);
}

static int read_tensors(struct reader *r, struct flat_table g, struct nn_graph *graph)
{
    struct flat_vector v = flat_vector(g, GRAPH_TENSORS, 4, MAX_TENSORS);
    struct nn_tensor *tensors = arena_alloc(r->arena, v.count * sizeof *tensors + 1);

    for (size_t i = 0; i < v.count; i++) {
        if (read_tensor(r, flat_vector_table(v, i), i, &tensors[i]) < 0)
            return r->err->code;
    }
    graph->tensors = tensors;
    graph->tensor_count = v.count;
    return settle(r);
}

static int read_opcode(struct reader *r, uint32_t index, struct nn_op *op)
{
    struct flat_table t = flat_vector_table(r->opcodes, index);

    if (index >= r->opcodes.count || !t.pos)
        return err_set(r->err, ERR_CONFIG, "refers to operator code %u of %zu", index,
                       r->opcodes.count);
    /* The old field is one byte; files write the larger of the two. */
    int32_t narrow = flat_u8(t, OPCODE_SHORT, 0);
    int32_t wide = flat_i32(t, OPCODE_CODE, 0);
    op->code = wide > narrow ? wide : narrow;
    op->version = flat_i32(t, OPCODE_VERSION, 1);
    if (op->code == NN_OP_CUSTOM)
        op->custom = read_name(r, t, OPCODE_CUSTOM);
    return 0;
}

static int read_op(struct reader *r, struct flat_table t, size_t tensors, struct nn_op *op)
{
    if (read_opcode(r, (uint32_t)flat_i32(t, OP_CODE, 0), op) < 0)
        return r->err->code;
    op->inputs = read_indices(r, t, OP_INPUTS, tensors, &op->input_count);
    op->outputs = read_indices(r, t, OP_OUTPUTS, tensors, &op->output_count);
    op->intermediates = read_indices(r, t, OP_INTERMEDIATES, tensors, &op->intermediate_count);
    struct flat_vector custom = flat_vector(t, OP_CUSTOM, 1, 1u << 20);
    op->custom_data = custom.count ? r->file.data + custom.pos : NULL;
    op->custom_size = custom.count;
    tflite_read_options(op->code, flat_sub(t, OP_OPTIONS), &op->options);
    if (op->code == NN_OP_VAR_HANDLE)
        op->options.shared_name = read_name(r, flat_sub(t, OP_OPTIONS), 1);
    for (size_t i = 0; i < op->output_count; i++) {
        if (op->outputs[i] == NN_NONE)
            flat_fail(&r->file, t.pos, "an operator's output is missing");
    }
    return settle(r);
}

static int read_ops(struct reader *r, struct flat_table g, struct nn_graph *graph)
{
    struct flat_vector v = flat_vector(g, GRAPH_OPS, 4, MAX_OPS);
    struct nn_op *ops = arena_alloc(r->arena, v.count * sizeof *ops + 1);

    for (size_t i = 0; i < v.count; i++) {
        if (read_op(r, flat_vector_table(v, i), graph->tensor_count, &ops[i]) < 0)
            return err_in(r->err, "operator %zu", i);
    }
    graph->ops = ops;
    graph->op_count = v.count;
    return settle(r);
}

static int read_graph(struct reader *r, struct flat_table t, struct nn_graph *graph)
{
    if (read_tensors(r, t, graph) < 0)
        return r->err->code;
    graph->inputs = read_indices(r, t, GRAPH_INPUTS, graph->tensor_count, &graph->input_count);
    graph->outputs = read_indices(r, t, GRAPH_OUTPUTS, graph->tensor_count, &graph->output_count);
    for (size_t i = 0; i < graph->input_count; i++) {
        if (graph->inputs[i] == NN_NONE)
            return bad(r, "an input of the graph is missing");
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        if (graph->outputs[i] == NN_NONE)
            return bad(r, "an output of the graph is missing");
    }
    return read_ops(r, t, graph);
}

static int read_model(struct reader *r, struct nn_model *model)
{
    struct flat_table root = flat_root(&r->file);
    int32_t version = flat_i32(root, MODEL_VERSION, 0);

    if (root.pos && version != 3)
        return err_set(r->err, ERR_UNSUPPORTED, "schema version %d is not supported (3 is)",
                       version);
    r->buffers = flat_vector(root, MODEL_BUFFERS, 4, MAX_BUFFERS);
    r->opcodes = flat_vector(root, MODEL_OPCODES, 4, MAX_OPS);
    model->description = read_name(r, root, MODEL_DESCRIPTION);
    struct flat_vector v = flat_vector(root, MODEL_GRAPHS, 4, MAX_GRAPHS);
    struct nn_graph *graphs = arena_alloc(r->arena, v.count * sizeof *graphs + 1);
    for (size_t i = 0; i < v.count; i++) {
        if (read_graph(r, flat_vector_table(v, i), &graphs[i]) < 0)
            return i ? err_in(r->err, "subgraph %zu", i) : r->err->code;
    }
    model->graphs = graphs;
    model->graph_count = v.count;
    if (settle(r) < 0)
        return r->err->code;
    return v.count ? 0 : bad(r, "it holds no graph");
}

int tflite_read(const void *data, size_t size, struct nn_model **ret_model, struct err *err)
{
    if (size > TFLITE_MAX_FILE)
        return err_set(err, ERR_CONFIG, "the model has %zu bytes, at most %u are read", size,
                       TFLITE_MAX_FILE);
    if (size < 8 || memcmp((const char *)data + 4, "TFL3", 4) != 0) {
        err_set(err, ERR_CONFIG, "not a TensorFlow Lite model: no 'TFL3' at byte 4");
        return err_hint(err, "convert the model with TFLiteConverter to a .tflite file");
    }
    struct nn_model *model = calloc(1, sizeof *model);
    if (!model)
        abort();
    model->size = size;
    struct reader r = {.arena = &model->arena, .budget = 4 * size + (1u << 20), .err = err};
    r.file = (struct flat){.data = arena_dup(&model->arena, data, size), .size = size};
    int status = read_model(&r, model);
    if (status < 0) {
        nn_model_free(model);
        return status;
    }
    *ret_model = model;
    return 0;
}

void nn_model_free(struct nn_model *model)
{
    if (!model)
        return;
    arena_release(&model->arena);
    free(model);
}
