#include "harness/recipe/emit.h"

#include <math.h>
#include <string.h>

#include "harness/recipe/calibrate.h"
#include "harness/recipe/kinds.h"

static const enum tfl_type types[] = {
    [TYPE_INT8] = TFL_INT8,
    [TYPE_INT16] = TFL_INT16,
    [TYPE_FLOAT32] = TFL_FLOAT32,
};

static int32_t add_tensor(struct emitter *e, const char *name, enum tfl_type type,
                          const struct shape *shape)
{
    struct tfl_tensor *t = tfl_add_tensor(&e->model);
    t->name = name;
    t->type = type;
    t->rank = (size_t)shape->rank;
    for (int i = 0; i < shape->rank; i++)
        t->shape[i] = shape->dim[i];
    return (int32_t)e->model.tensor_count - 1;
}

static void set_scales(struct emitter *e, int32_t tensor, const float *scales, int count, int axis)
{
    struct tfl_tensor *t = &e->model.tensors[tensor];
    t->scales = arena_dup(&e->model.arena, scales, (size_t)count * sizeof(*scales));
    t->zero_points = arena_alloc(&e->model.arena, (size_t)count * sizeof(*t->zero_points));
    t->scale_count = (size_t)count;
    t->axis = axis < 0 ? 0 : axis;
}

static int32_t add_output_tensor(struct emitter *e, const struct layer *l)
{
    int32_t tensor = add_tensor(e, l->name, types[l->type], &l->shape);
    if (l->type == TYPE_FLOAT32)
        return tensor;
    struct tfl_tensor *t = &e->model.tensors[tensor];
    int64_t zero = l->quant.zero_point;
    t->scales = arena_dup(&e->model.arena, &l->quant.scale, sizeof(float));
    t->zero_points = arena_dup(&e->model.arena, &zero, sizeof(zero));
    t->scale_count = 1;
    return tensor;
}

struct tfl_op *emit_op(struct emitter *e, const struct layer *l, enum tfl_builtin code,
                       int32_t version)
{
    struct tfl_op *op = tfl_add_op(&e->model, code, version);
    for (int i = 0; i < l->from_count; i++)
        tfl_op_input(op, e->tensor_of[l->from[i]]);
    return op;
}

void emit_output(struct emitter *e, struct tfl_op *op, const struct layer *l)
{
    int32_t tensor = add_output_tensor(e, l);
    e->tensor_of[l - e->graph->layers] = tensor;
    tfl_op_output(op, tensor);
}

static const char *constant_name(struct emitter *e, const struct layer *l, const char *what)
{
    return arena_printf(&e->model.arena, "%s/%s", l->name, what);
}

static void set_data(struct emitter *e, int32_t tensor, const void *data, size_t size)
{
    e->model.tensors[tensor].data = data;
    e->model.tensors[tensor].size = size;
}

/* Largest magnitude of each channel over 127; one for the whole tensor when axis is -1. */
static void weight_scales(const struct layer *l, int axis, float *scales)
{
    int count = axis < 0 ? 1 : l->channels;
    for (int i = 0; i < l->weight_count; i++) {
        int c = axis < 0 ? 0 : layer_weight_channel(l, i);
        double magnitude = l->weights[i] < 0 ? -l->weights[i] : l->weights[i];
        scales[c] = (float)magnitude > scales[c] ? (float)magnitude : scales[c];
    }
    for (int c = 0; c < count; c++)
        scales[c] = scales[c] > 0 ? (float)((double)scales[c] / 127) : 1.0F;
}

static void emit_int8_weights(struct emitter *e, const struct layer *l, int32_t tensor, int axis,
                              const float *scales)
{
    int8_t *data = arena_alloc(&e->model.arena, (size_t)l->weight_count);
    for (int i = 0; i < l->weight_count; i++) {
        float scale = scales[axis < 0 ? 0 : layer_weight_channel(l, i)];
        data[i] = (int8_t)round_clamped(l->weights[i] / (double)scale, -127, 127);
    }
    set_scales(e, tensor, scales, axis < 0 ? 1 : l->channels, axis);
    set_data(e, tensor, data, (size_t)l->weight_count);
}

/*
 * TFLite: bias scale = input scale * weight scale, zero point 0, added to the raw accumulator; with
 * int16 activations that accumulator and the bias have 64 bits.
 */
static void emit_integer_bias(struct emitter *e, const struct layer *l, int32_t tensor, int axis,
                              const float *weight_scales)
{
    bool wide = l->type == TYPE_INT16;
    float input = layer_source(e->graph, l, 0)->quant.scale;
    size_t size = (size_t)l->channels * (wide ? sizeof(int64_t) : sizeof(int32_t));
    float *scales = arena_alloc(&e->model.arena, (size_t)l->channels * sizeof(*scales));
    void *data = arena_alloc(&e->model.arena, size);
    for (int c = 0; c < l->channels; c++) {
        scales[c] = (float)((double)input * (double)weight_scales[axis < 0 ? 0 : c]);
        int64_t v = round_clamped(l->bias[c] / (double)scales[c], INT32_MIN, INT32_MAX);
        if (wide)
            ((int64_t *)data)[c] = v;
        else
            ((int32_t *)data)[c] = (int32_t)v;
    }
    set_scales(e, tensor, scales, axis < 0 ? 1 : l->channels, 0);
    set_data(e, tensor, data, size);
}

static const float *emit_floats(struct emitter *e, const double *values, int count)
{
    float *data = arena_alloc(&e->model.arena, (size_t)count * sizeof(*data));
    for (int i = 0; i < count; i++)
        data[i] = (float)values[i];
    return data;
}

void emit_weights(struct emitter *e, struct tfl_op *op, const struct layer *l,
                  const struct shape *shape, int axis)
{
    bool real = l->type == TYPE_FLOAT32;
    struct shape bias_shape = {{l->channels}, 1};
    int32_t weights =
        add_tensor(e, constant_name(e, l, "weights"), real ? TFL_FLOAT32 : TFL_INT8, shape);
    static const enum tfl_type bias_types[] = {
        [TYPE_INT8] = TFL_INT32, [TYPE_INT16] = TFL_INT64, [TYPE_FLOAT32] = TFL_FLOAT32};
    int32_t bias = add_tensor(e, constant_name(e, l, "bias"), bias_types[l->type], &bias_shape);
    tfl_op_input(op, weights);
    tfl_op_input(op, bias);
    if (real) {
        set_data(e, weights, emit_floats(e, l->weights, (int)l->weight_count),
                 (size_t)l->weight_count * sizeof(float));
        set_data(e, bias, emit_floats(e, l->bias, l->channels),
                 (size_t)l->channels * sizeof(float));
        return;
    }
    float *scales = arena_alloc(&e->model.arena, (size_t)l->channels * sizeof(*scales));
    weight_scales(l, axis, scales);
    emit_int8_weights(e, l, weights, axis, scales);
    emit_integer_bias(e, l, bias, axis, scales);
}

void emit_ints(struct emitter *e, struct tfl_op *op, const char *name, const int32_t *values,
               int rows, int columns)
{
    struct shape shape = {{rows ? rows : columns, columns}, rows ? 2 : 1};
    size_t size = (size_t)(rows ? rows * columns : columns) * sizeof(*values);
    int32_t tensor = add_tensor(e, name, TFL_INT32, &shape);
    set_data(e, tensor, arena_dup(&e->model.arena, values, size), size);
    tfl_op_input(op, tensor);
}

int32_t emit_tensor(struct emitter *e, const struct layer *l, const char *what, enum tfl_type type,
                    const struct shape *shape)
{
    return add_tensor(e, constant_name(e, l, what), type, shape);
}

void emit_scale(struct emitter *e, int32_t tensor, float scale, int32_t zero_point)
{
    int64_t zero = zero_point;
    set_scales(e, tensor, &scale, 1, -1);
    e->model.tensors[tensor].zero_points = arena_dup(&e->model.arena, &zero, sizeof(zero));
}

float emit_matrix(struct emitter *e, struct tfl_op *op, const struct layer *l, const char *what,
                  const struct shape *shape, const double *weights)
{
    int count = 1;
    double peak = 0;
    for (int i = 0; i < shape->rank; i++)
        count *= shape->dim[i];
    for (int i = 0; i < count; i++)
        peak = fabs(weights[i]) > peak ? fabs(weights[i]) : peak;
    float scale = peak > 0 ? (float)(peak / 127) : 1.0F;
    int8_t *data = arena_alloc(&e->model.arena, (size_t)count);
    for (int i = 0; i < count; i++)
        data[i] = (int8_t)round_clamped(weights[i] / (double)scale, -127, 127);
    int32_t tensor = emit_tensor(e, l, what, TFL_INT8, shape);
    set_data(e, tensor, data, (size_t)count);
    emit_scale(e, tensor, scale, 0);
    tfl_op_input(op, tensor);
    return scale;
}

void emit_bias(struct emitter *e, struct tfl_op *op, const struct layer *l, const char *what,
               const double *bias, int count, float scale)
{
    int32_t *data = arena_alloc(&e->model.arena, (size_t)count * sizeof(*data));
    for (int i = 0; i < count; i++)
        data[i] = (int32_t)round_clamped(bias[i] / (double)scale, INT32_MIN, INT32_MAX);
    int32_t tensor = emit_tensor(e, l, what, TFL_INT32, &(struct shape){{count}, 1});
    set_data(e, tensor, data, (size_t)count * sizeof(*data));
    emit_scale(e, tensor, scale, 0);
    tfl_op_input(op, tensor);
}

void option_u8(struct tfl_op *op, uint8_t id, int v)
{
    tfl_op_option(op, id, TFL_OPT_U8)->i = v;
}

void option_i32(struct tfl_op *op, uint8_t id, int32_t v)
{
    tfl_op_option(op, id, TFL_OPT_I32)->i = v;
}

void option_f32(struct tfl_op *op, uint8_t id, float v)
{
    tfl_op_option(op, id, TFL_OPT_F32)->f = v;
}

int tfl_activation(enum activation a)
{
    static const int codes[] = {
        [ACT_NONE] = TFL_ACT_NONE, [ACT_RELU] = TFL_ACT_RELU, [ACT_RELU6] = TFL_ACT_RELU6};
    return codes[a];
}

/* Layers that no other one reads are the model's outputs. */
static bool is_output(const struct graph *g, int index)
{
    for (int i = 1; i < g->count; i++)
        for (int s = 0; s < g->layers[i].from_count; s++)
            if (g->layers[i].from[s] == index)
                return false;
    return true;
}

void emit_model(const struct graph *g, struct buf *ret)
{
    struct emitter e = {.graph = g};
    e.model.description = g->recipe->description;
    e.tensor_of = arena_alloc(&e.model.arena, (size_t)g->count * sizeof(*e.tensor_of));
    e.tensor_of[0] = add_output_tensor(&e, &g->layers[0]);
    e.model.inputs[e.model.input_count++] = e.tensor_of[0];
    for (int i = 1; i < g->count; i++)
        g->layers[i].kind->emit(&e, &g->layers[i]);
    for (int i = 1; i < g->count; i++)
        if (is_output(g, i) && e.model.output_count < TFL_INPUTS_MAX)
            e.model.outputs[e.model.output_count++] = e.tensor_of[i];
    tfl_write(&e.model, ret);
    tfl_model_release(&e.model);
}
