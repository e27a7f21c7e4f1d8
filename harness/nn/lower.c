#include "harness/nn/lower.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/nn/quant.h"

/* More than any model for a microcontroller needs; a hostile file stops here. */
#define MAX_STEPS        8192
#define MAX_TENSOR_BYTES (256u << 20)
#define SPARE_BYTES      (16u << 20)

static const struct {
    int32_t code;
    lower_fn *lower;
} table[] = {
#define X(name, fn) {NN_OP_##name, lower_##fn},
    NN_LOWERINGS(X)
#undef X
};

/* ---- errors ---- */

static int add_operator(struct nn_lower *l)
{
    const char *name = nn_opcode_name(l->op->code);

    if (l->op->custom)
        return err_in(l->err, "operator %zu CUSTOM '%s' v%d", l->op_index, l->op->custom,
                      l->op->version);
    if (name)
        return err_in(l->err, "operator %zu %s v%d", l->op_index, name, l->op->version);
    return err_in(l->err, "operator %zu (number %d) v%d", l->op_index, l->op->code, l->op->version);
}

void lower_complain(struct nn_lower *l, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(l->err, ERR_UNSUPPORTED, "%s", text);
}

void lower_complain_tensor(struct nn_lower *l, int32_t tensor, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(l->err, ERR_UNSUPPORTED, "tensor %d '%s': %s", tensor, l->graph->tensors[tensor].name,
            text);
}

/* ---- tensors ---- */

int32_t lower_index(const struct nn_lower *l, const struct nn_tensor *t)
{
    return (int32_t)(t - l->graph->tensors);
}

int lower_arity(struct nn_lower *l, size_t min, size_t max, size_t outputs)
{
    if (l->op->input_count < min || l->op->input_count > max)
        return LOWER_FAIL(l, "has %zu inputs, %zu to %zu are expected", l->op->input_count, min,
                          max);
    if (l->op->output_count != outputs)
        return LOWER_FAIL(l, "has %zu outputs, %zu expected", l->op->output_count, outputs);
    return 0;
}

/* "INT8 or INT16" */
static void type_list(uint32_t types, char *text, size_t size)
{
    size_t n = 0;

    text[0] = '\0';
    for (int type = 0; type < 32; type++) {
        if ((types & TYPE_BIT(type)) && n < size)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " or " : "", nn_type_name(type));
    }
}

static bool is_quantised(enum nn_type type)
{
    return type == NN_INT8 || type == NN_UINT8 || type == NN_INT16;
}

static int check_tensor(struct nn_lower *l, const struct nn_tensor *t, uint32_t types)
{
    int32_t index = lower_index(l, t);
    char expected[128];

    if ((unsigned)t->type >= 32 || !(types & TYPE_BIT(t->type))) {
        type_list(types, expected, sizeof expected);
        return LOWER_FAIL_TENSOR(l, index, "type %s is not supported here (%s is)",
                                 nn_type_name((int)t->type), expected);
    }
    if (t->elements == 0)
        return LOWER_FAIL_TENSOR(l, index, "has no elements");
    if (!is_quantised(t->type))
        return 0;
    if (t->quant.count != 1)
        return LOWER_FAIL_TENSOR(l, index, "has %zu scales, one is expected", t->quant.count);
    if (!(t->quant.scale[0] > 0) || !isfinite(t->quant.scale[0]))
        return LOWER_FAIL_TENSOR(l, index, "scale %g is not a positive number",
                                 (double)t->quant.scale[0]);
    int32_t low = t->type == NN_UINT8 ? 0 : t->type == NN_INT8 ? INT8_MIN : INT16_MIN;
    int32_t high = t->type == NN_UINT8 ? UINT8_MAX : t->type == NN_INT8 ? INT8_MAX : INT16_MAX;
    if (t->quant.zero_point[0] < low || t->quant.zero_point[0] > high)
        return LOWER_FAIL_TENSOR(l, index, "zero point %d is outside its type",
                                 t->quant.zero_point[0]);
    return 0;
}

const struct nn_tensor *lower_optional(const struct nn_lower *l, size_t i)
{
    if (i >= l->op->input_count || l->op->inputs[i] == NN_NONE)
        return NULL;
    return &l->graph->tensors[l->op->inputs[i]];
}

const struct nn_tensor *lower_in(struct nn_lower *l, size_t i, uint32_t types)
{
    const struct nn_tensor *t = lower_optional(l, i);

    if (!t) {
        LOWER_FAIL(l, "input %zu is missing", i);
        return NULL;
    }
    return check_tensor(l, t, types) < 0 ? NULL : t;
}

const struct nn_tensor *lower_out(struct nn_lower *l, size_t i, uint32_t types)
{
    const struct nn_tensor *t = &l->graph->tensors[l->op->outputs[i]];

    if (t->data || t->variable) {
        LOWER_FAIL_TENSOR(l, l->op->outputs[i], "is a constant or variable, but also an output");
        return NULL;
    }
    return check_tensor(l, t, types) < 0 ? NULL : t;
}

const struct nn_tensor *lower_const(struct nn_lower *l, size_t i, enum nn_type type)
{
    const struct nn_tensor *t = lower_optional(l, i);

    if (!t) {
        LOWER_FAIL(l, "input %zu is missing", i);
    } else if (!t->data) {
        LOWER_FAIL_TENSOR(l, l->op->inputs[i], "must be a constant");
    } else if (t->type != type) {
        LOWER_FAIL_TENSOR(l, l->op->inputs[i], "type %s is not supported here (%s is)",
                          nn_type_name((int)t->type), nn_type_name((int)type));
    } else {
        return t;
    }
    return NULL;
}

int64_t lower_const_int(const struct nn_tensor *t, size_t i)
{
    int32_t v32;
    int64_t v64;

    if (i >= t->elements || !t->data)
        return 0;
    if (t->type == NN_INT64) {
        memcpy(&v64, t->data + i * 8, sizeof v64);
        return v64;
    }
    memcpy(&v32, t->data + i * 4, sizeof v32);
    return v32;
}

int lower_axis(struct nn_lower *l, int64_t axis, unsigned rank, unsigned *ret)
{
    int64_t a = axis < 0 ? axis + rank : axis;

    if (a < 0 || a >= rank)
        return LOWER_FAIL(l, "there is no dimension %lld of %u", (long long)axis, rank);
    *ret = (unsigned)a;
    return 0;
}

uint32_t lower_extent(const struct nn_tensor *t, unsigned from, unsigned to)
{
    uint32_t n = 1;

    for (unsigned i = from; i < to; i++)
        n *= (uint32_t)t->dims[i];
    return n;
}

int lower_range(struct nn_lower *l, const struct nn_tensor *out, int32_t *low, int32_t *high)
{
    enum nn_activation activation = l->op->options.activation;

    *low = out->type == NN_INT16 ? INT16_MIN : INT8_MIN;
    *high = out->type == NN_INT16 ? INT16_MAX : INT8_MAX;
    if (quant_activation_range(activation, out->quant.scale[0], out->quant.zero_point[0], low,
                               high))
        return 0;
    return LOWER_FAIL(l, "fused activation %s is not supported", nn_activation_name(activation));
}

/* INT4 values lie two in a byte, the first in the low half. */
int lower_filter(struct nn_lower *l, size_t i, struct nn_tensor *ret)
{
    const struct nn_tensor *t = lower_optional(l, i);

    if (t && t->type == NN_INT4 && t->data) {
        int8_t *wide = arena_alloc(l->arena, t->elements + 1);
        for (size_t k = 0; k < t->elements; k++)
            wide[k] = (int8_t)((int8_t)(t->data[k / 2] << (k % 2 ? 0 : 4)) >> 4);
        *ret = *t;
        ret->type = NN_INT8;
        ret->size = t->elements;
        ret->data = (const uint8_t *)wide;
        return 0;
    }
    t = lower_const(l, i, NN_INT8);
    if (!t)
        return lower_failed(l);
    *ret = *t;
    return 0;
}

int lower_rank(struct nn_lower *l, const struct nn_tensor *t, unsigned rank)
{
    if (t->rank == rank)
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, t), "has %u dimensions, %u are expected", t->rank,
                             rank);
}

int lower_same_shape(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b)
{
    if (a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0)
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, b), "%s does not match %s of tensor %d '%s'",
                             nn_shape_text(l->arena, b), nn_shape_text(l->arena, a),
                             lower_index(l, a), a->name);
}

int lower_same_quant(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b)
{
    if (!is_quantised(a->type) || (a->quant.scale[0] == b->quant.scale[0] &&
                                   a->quant.zero_point[0] == b->quant.zero_point[0]))
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, b),
                             "scale %g and zero point %d differ from those of tensor %d '%s' "
                             "(%g, %d)",
                             (double)b->quant.scale[0], b->quant.zero_point[0], lower_index(l, a),
                             a->name, (double)a->quant.scale[0], a->quant.zero_point[0]);
}

int lower_no_zero_point(struct nn_lower *l, const struct nn_tensor *t)
{
    if (t->type != NN_INT16 || t->quant.zero_point[0] == 0)
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, t), "zero point %d: it must be 0 with 16 bits",
                             t->quant.zero_point[0]);
}

/* ---- buffers ---- */

static uint32_t new_buffer(struct nn_lower *l, struct nn_buffer b)
{
    *(b.data ? &l->constant_bytes : &l->tensor_bytes) += b.size;
    *ARENA_PUSH(l->arena, l->buffers, l->buffer_count, l->buffer_capacity) = b;
    return (uint32_t)l->buffer_count - 1;
}

static struct nn_span whole(const struct nn_lower *l, uint32_t buffer)
{
    return (struct nn_span){.buffer = buffer, .size = l->buffers[buffer].size};
}

struct nn_span lower_variable(struct nn_lower *l, const struct nn_tensor *t)
{
    struct nn_span *span = &l->span_of[lower_index(l, t)];
    struct nn_buffer b = {.name = t->name, .size = (uint32_t)t->size, .align = 4, .variable = true};

    if (t->type == NN_INT8 || t->type == NN_UINT8)
        b.init_fill = t->quant.count ? (uint8_t)t->quant.zero_point[0] : 0;
    if (span->size == 0)
        *span = whole(l, new_buffer(l, b));
    return *span;
}

int lower_read(struct nn_lower *l, const struct nn_tensor *t, struct nn_span *ret)
{
    struct nn_span *span = &l->span_of[lower_index(l, t)];

    if (span->size == 0 && t->data)
        *span = lower_constant(l, t->name, t->data, t->size);
    if (span->size == 0)
        return LOWER_FAIL_TENSOR(l, lower_index(l, t), "is read before anything has written it");
    *ret = *span;
    return 0;
}

int lower_write(struct nn_lower *l, const struct nn_tensor *t, struct nn_span *ret)
{
    struct nn_span *span = &l->span_of[lower_index(l, t)];

    if (span->size)
        return LOWER_FAIL_TENSOR(l, lower_index(l, t), "is written twice");
    *span = whole(l, new_buffer(l, (struct nn_buffer){
                                       .name = t->name, .size = (uint32_t)t->size, .align = 4}));
    *ret = *span;
    return 0;
}

struct nn_span lower_constant(struct nn_lower *l, const char *name, const void *data, size_t size)
{
    return whole(
        l, new_buffer(l, (struct nn_buffer){
                             .name = name, .size = (uint32_t)size, .align = 4, .data = data}));
}

struct nn_span lower_scratch(struct nn_lower *l, const char *name, uint32_t size, uint32_t align)
{
    return whole(l, new_buffer(l, (struct nn_buffer){.name = name, .size = size, .align = align}));
}

int lower_alias(struct nn_lower *l, const struct nn_tensor *out, const struct nn_tensor *in,
                uint32_t offset)
{
    struct nn_span *span = &l->span_of[lower_index(l, out)], source;

    if (span->size)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "is written twice");
    if (lower_read(l, in, &source) < 0)
        return lower_failed(l);
    if (offset > source.size || out->size > source.size - offset || out->size == 0)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s does not fit into %s",
                                 nn_shape_text(l->arena, out), nn_shape_text(l->arena, in));
    *span = (struct nn_span){source.buffer, source.offset + offset, (uint32_t)out->size};
    return 0;
}

/* ---- steps ---- */

struct nn_step *lower_step(struct nn_lower *l, enum kernel_kind kind, enum kernel_variant variant,
                           const void *params)
{
    struct nn_step *s = ARENA_PUSH(l->arena, l->steps, l->step_count, l->step_capacity);
    uint32_t size = kernel_params_size(kind);

    *s = (struct nn_step){.kind = (uint8_t)kind,
                          .variant = (uint8_t)variant,
                          .plain = variant == KERNEL_REF,
                          .op = (uint16_t)l->op_index,
                          .params = arena_dup(l->arena, params, size),
                          .params_size = size};
    return s;
}

void lower_span(struct nn_step *s, struct nn_span span)
{
    s->spans[s->span_count++] = span;
}

void lower_share(struct nn_step *s, unsigned out, unsigned in, int32_t slack)
{
    s->sharings[s->sharing_count++] = (struct nn_sharing){(uint8_t)out, (uint8_t)in, slack};
}

int lower_add_in(struct nn_lower *l, struct nn_step *s, const struct nn_tensor *t)
{
    struct nn_span span;

    if (lower_read(l, t, &span) < 0)
        return lower_failed(l);
    lower_span(s, span);
    return 0;
}

int lower_add_out(struct nn_lower *l, struct nn_step *s, const struct nn_tensor *t)
{
    struct nn_span span;

    if (lower_write(l, t, &span) < 0)
        return lower_failed(l);
    lower_span(s, span);
    return 0;
}

/* After k elements, k * out_bytes written must not pass the k * in_bytes that are read. */
int32_t lower_slack_elements(size_t n, uint32_t out_bytes, uint32_t in_bytes)
{
    int64_t gain = (int64_t)in_bytes - out_bytes;
    int64_t slack = n <= 1 ? INT32_MAX / 2 : gain >= 0 ? gain : gain * (int64_t)(n - 1);

    return (int32_t)(slack < INT32_MIN / 2 ? INT32_MIN / 2 : slack);
}

/* ---- the graph ---- */

static lower_fn *find(int32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].code == code)
            return table[i].lower;
    }
    return NULL;
}

/*
 * What the operators so far have come to. A small file can name the same constants, and sizes of
 * tensors, many times over: what is made of them has to stay in proportion.
 */
static int check_proportion(struct nn_lower *l)
{
    const uint64_t most = 4 * (uint64_t)l->model->size + SPARE_BYTES;

    if (l->step_count > MAX_STEPS)
        return LOWER_FAIL(l, "those before it make more than %d kernel calls", MAX_STEPS);
    if (l->tensor_bytes > MAX_TENSOR_BYTES)
        return LOWER_FAIL(l, "those before it have tensors of more than %u bytes",
                          MAX_TENSOR_BYTES);
    if (l->constant_bytes > most)
        return LOWER_FAIL(l, "those before it make constants of more than %llu bytes",
                          (unsigned long long)most);
    return 0;
}

int lower_op(struct nn_lower *l, size_t index)
{
    l->op = &l->graph->ops[index];
    l->op_index = index;
    lower_fn *fn = find(l->op->code);
    size_t first_step = l->step_count;
    int status = 0;

    if (check_proportion(l) < 0)
        status = lower_failed(l);
    else if (!fn)
        status = LOWER_FAIL(l, "this operator is not supported");
    else if (l->op->version < 1 || l->op->version > nn_opcode_max_version(l->op->code))
        status = LOWER_FAIL(l, "this version is not supported (1 to %d are)",
                            nn_opcode_max_version(l->op->code));
    else
        status = fn(l);
    if (status < 0)
        return add_operator(l);
    fold_op(l, first_step);
    return 0;
}

void lower_assume_outputs(struct nn_lower *l, size_t index)
{
    const struct nn_op *op = &l->graph->ops[index];

    for (size_t i = 0; i < op->output_count; i++) {
        const struct nn_tensor *t = &l->graph->tensors[op->outputs[i]];
        if (l->span_of[op->outputs[i]].size == 0)
            l->span_of[op->outputs[i]] = lower_scratch(l, t->name, (uint32_t)t->size + 1, 4);
    }
}

int lower_begin(struct nn_lower *l)
{
    l->tensors = arena_alloc(l->arena, l->graph->tensor_count * sizeof *l->tensors + 1);
    if (l->graph->tensor_count)
        memcpy(l->tensors, l->graph->tensors, l->graph->tensor_count * sizeof *l->tensors);
    l->own = *l->graph;
    l->own.tensors = l->tensors;
    l->graph = &l->own;
    l->padded = arena_alloc(l->arena, l->graph->tensor_count * sizeof *l->padded + 1);
    l->span_of = arena_alloc(l->arena, l->graph->tensor_count * sizeof *l->span_of + 1);
    l->handle_of = arena_alloc(l->arena, l->graph->tensor_count * sizeof *l->handle_of + 1);
    l->macs = arena_alloc(l->arena, l->graph->op_count * sizeof *l->macs + 1);
    for (size_t i = 0; i < l->graph->input_count; i++) {
        int32_t index = l->graph->inputs[i];
        const struct nn_tensor *t = &l->graph->tensors[index];
        if (t->data || l->span_of[index].size || t->size == 0)
            return err_set(l->err, ERR_CONFIG, "input %zu of the model (tensor %d '%s') %s", i,
                           index, t->name,
                           t->data   ? "is a constant"
                           : t->size ? "is listed twice"
                                     : "is empty");
        l->span_of[index] = lower_scratch(l, t->name, (uint32_t)t->size, 4);
    }
    return 0;
}

int lower_graph(struct nn_lower *l)
{
    if (lower_begin(l) < 0)
        return lower_failed(l);
    for (size_t i = 0; i < l->graph->op_count; i++) {
        if (lower_op(l, i) < 0)
            return lower_failed(l);
    }
    return 0;
}
