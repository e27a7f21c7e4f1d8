/* Dense, element-wise and shape layers. */
#include <string.h>

#include "harness/recipe/kinds.h"

/* ---- dense: weights[out][in] over the flattened source ---- */

static int dense_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer *in = layer_source(g, l, 0);
    int inputs = in->size;
    (void)err;
    l->shape = (struct shape){{1, l->options->units}, 2};
    l->channels = l->options->units;
    l->macs = l->weight_count = (int64_t)l->channels * inputs;
    return 0;
}

static void dense_forward(const struct graph *g, const struct layer *l, const double *const *in,
                          double *out)
{
    int n = layer_source(g, l, 0)->size;
    for (int c = 0; c < l->channels; c++) {
        double sum = l->bias[c];
        for (int i = 0; i < n; i++)
            sum += l->weights[c * n + i] * in[0][i];
        out[c] = sum;
    }
}

static void dense_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    int n = layer_source(g, l, 0)->size;
    for (int c = 0; c < l->channels; c++) {
        b->bias_grad[c] += b->out_grad[c];
        for (int i = 0; i < n; i++)
            b->weights_grad[c * n + i] += b->out_grad[c] * b->in[0][i];
        for (int i = 0; b->in_grad[0] && i < n; i++)
            b->in_grad[0][i] += b->out_grad[c] * l->weights[c * n + i];
    }
}

static void dense_emit(struct emitter *e, const struct layer *l)
{
    struct shape weights = {{l->channels, layer_source(e->graph, l, 0)->size}, 2};
    struct tfl_op *op = emit_op(e, l, TFL_FULLY_CONNECTED, 4);
    emit_weights(e, op, l, &weights, l->options->per_channel ? 0 : -1);
    option_u8(op, 0, tfl_activation(l->options->activation));
    emit_output(e, op, l);
}

#define M layer_options
static const struct key dense_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_UNITS,
    ROW_ACTIVATION,
    ROW_GAIN,
    ONE("per_channel", VALUE_BOOL, per_channel, "true", "a weight scale for each output",
        DEFAULT("false")),
    {NULL},
};
#undef M

const struct layer_kind kind_dense = {
    .name = "dense",
    .map = KIND_MAP("dense", "fully connected", dense_keys),
    .sources = 1,
    .shape = dense_shape,
    .forward = dense_forward,
    .backward = dense_backward,
    .emit = dense_emit,
};

/* ---- element-wise ---- */

int same_shape(struct graph *g, struct layer *l, struct err *err)
{
    l->shape = layer_source(g, l, 0)->shape;
    for (int i = 1; i < l->from_count; i++) {
        const struct shape *other = &layer_source(g, l, i)->shape;
        if (memcmp(other, &l->shape, sizeof(*other)) != 0)
            return layer_error(g, l, err, "sources '%s' and '%s' differ in shape",
                               layer_source(g, l, 0)->name, layer_source(g, l, i)->name);
    }
    return 0;
}

static void add_forward(const struct graph *g, const struct layer *l, const double *const *in,
                        double *out)
{
    (void)g;
    for (int i = 0; i < l->size; i++)
        out[i] = in[0][i] + in[1][i];
}

static void add_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    (void)g;
    for (int s = 0; s < 2; s++)
        for (int i = 0; b->in_grad[s] && i < l->size; i++)
            b->in_grad[s][i] += b->out_grad[i];
}

static void add_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_ADD, 2);
    option_u8(op, 0, tfl_activation(l->options->activation));
    emit_output(e, op, l);
}

#define M layer_options
static const struct key binary_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_ACTIVATION,
    {NULL},
};
#undef M

const struct layer_kind kind_add = {
    .name = "add",
    .map = KIND_MAP("add", "sum of two", binary_keys),
    .sources = 2,
    .shape = same_shape,
    .forward = add_forward,
    .backward = add_backward,
    .emit = add_emit,
};

static void copy_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    (void)g;
    memcpy(out, in[0], (size_t)l->size * sizeof(double));
}

static void copy_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    (void)g;
    for (int i = 0; b->in_grad[0] && i < l->size; i++)
        b->in_grad[0][i] += b->out_grad[i];
}

static void relu_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    double high = l->kind == &kind_relu6 ? 6 : 1e300;
    (void)g;
    for (int i = 0; i < l->size; i++) {
        double v = in[0][i] < 0 ? 0 : in[0][i];
        out[i] = v > high ? high : v;
    }
}

static void relu_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    double high = l->kind == &kind_relu6 ? 6 : 1e300;
    (void)g;
    for (int i = 0; b->in_grad[0] && i < l->size; i++)
        if (b->in[0][i] > 0 && b->in[0][i] < high)
            b->in_grad[0][i] += b->out_grad[i];
}

static void relu_emit(struct emitter *e, const struct layer *l)
{
    emit_output(e, emit_op(e, l, l->kind == &kind_relu6 ? TFL_RELU6 : TFL_RELU, 2), l);
}

const struct layer_kind kind_relu = {
    .name = "relu",
    .map = KIND_MAP("relu", "as an operator of its own", plain_keys),
    .sources = 1,
    .shape = same_shape,
    .forward = relu_forward,
    .backward = relu_backward,
    .emit = relu_emit,
};

const struct layer_kind kind_relu6 = {
    .name = "relu6",
    .map = KIND_MAP("relu6", "as an operator of its own", plain_keys),
    .sources = 1,
    .shape = same_shape,
    .forward = relu_forward,
    .backward = relu_backward,
    .emit = relu_emit,
};

/* Over the last dimension; the largest value is subtracted first so that exp cannot overflow. */
static void softmax_forward(const struct graph *g, const struct layer *l, const double *const *in,
                            double *out)
{
    int n = l->shape.dim[l->shape.rank - 1];
    (void)g;
    for (int row = 0; row < l->size; row += n) {
        double largest = in[0][row];
        double sum = 0;
        for (int i = 1; i < n; i++)
            largest = in[0][row + i] > largest ? in[0][row + i] : largest;
        for (int i = 0; i < n; i++)
            sum += out[row + i] = repro_exp(in[0][row + i] - largest);
        for (int i = 0; i < n; i++)
            out[row + i] /= sum;
    }
}

static void softmax_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_SOFTMAX, 2);
    option_f32(op, 0, 1);
    emit_output(e, op, l);
}

const struct layer_kind kind_softmax = {
    .name = "softmax",
    .map = KIND_MAP("softmax", "over the last dimension", plain_keys),
    .sources = 1,
    .range = RANGE_UNIT,
    .shape = same_shape,
    .forward = softmax_forward,
    .emit = softmax_emit,
};

/* ---- shape ---- */

static int reshape_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer_options *o = l->options;
    int64_t n = 1;
    l->shape = (struct shape){{1, layer_source(g, l, 0)->size}, 2};
    if (l->kind == &kind_flatten)
        return 0;
    if ((int)o->list.count < 1 || (int)o->list.count > SHAPE_RANK_MAX)
        return layer_error(g, l, err, "shape must have 1 to %d dimensions", SHAPE_RANK_MAX);
    l->shape.rank = (int)o->list.count;
    for (int i = 0; i < l->shape.rank && n <= ELEMENTS_MAX; i++)
        n *= l->shape.dim[i] = o->list.values[i];
    if (n != layer_source(g, l, 0)->size)
        return layer_error(g, l, err, "shape has %lld elements, the source has %d", (long long)n,
                           layer_source(g, l, 0)->size);
    return 0;
}

static void reshape_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_RESHAPE, 1);
    int32_t *dims = arena_dup(&e->model.arena, l->shape.dim, sizeof(int32_t) * SHAPE_RANK_MAX);
    struct tfl_option *o = tfl_op_option(op, 0, TFL_OPT_INTS);
    emit_ints(e, op, "shape", dims, 0, l->shape.rank);
    o->ints = dims;
    o->i = l->shape.rank;
    emit_output(e, op, l);
}

#define M layer_options
static const struct key reshape_keys[] = {
    ROW_NAME,
    ROW_FROM,
    NUMBERS("shape", list, "[1, 8, 8, 1]", "of the output", REQUIRED, RANGE(1, 1 << 20)),
    {NULL},
};
#undef M

const struct layer_kind kind_reshape = {
    .name = "reshape",
    .map = KIND_MAP("reshape", "the same values in another shape", reshape_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = reshape_shape,
    .forward = copy_forward,
    .backward = copy_backward,
    .emit = reshape_emit,
};

const struct layer_kind kind_flatten = {
    .name = "flatten",
    .map = KIND_MAP("flatten", "to one row", plain_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = reshape_shape,
    .forward = copy_forward,
    .backward = copy_backward,
    .emit = reshape_emit,
};

/* pads: before and after for each dimension, in order. */
static int pad_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer_options *o = l->options;
    l->shape = layer_source(g, l, 0)->shape;
    if ((int)o->list.count != 2 * l->shape.rank)
        return layer_error(g, l, err, "pads needs %d numbers, before and after each dimension",
                           2 * l->shape.rank);
    for (int i = 0; i < l->shape.rank; i++)
        l->shape.dim[i] += o->list.values[2 * i] + o->list.values[2 * i + 1];
    return 0;
}

static void pad_forward(const struct graph *g, const struct layer *l, const double *const *in,
                        double *out)
{
    const struct layer *source = layer_source(g, l, 0);
    memset(out, 0, (size_t)l->size * sizeof(double));
    for (int i = 0; i < source->size; i++) {
        int rest = i;
        int at = 0;
        int step = 1;
        for (int d = l->shape.rank - 1; d >= 0; d--) {
            at += (rest % source->shape.dim[d] + l->options->list.values[2 * d]) * step;
            rest /= source->shape.dim[d];
            step *= l->shape.dim[d];
        }
        out[at] = in[0][i];
    }
}

static void pad_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_PAD, 2);
    emit_ints(e, op, "paddings", l->options->list.values, l->shape.rank, 2);
    emit_output(e, op, l);
}

#define M layer_options
static const struct key pad_keys[] = {
    ROW_NAME,
    ROW_FROM,
    NUMBERS("pads", list, "[0, 0, 1, 1, 1, 1, 0, 0]", "before and after each dimension", REQUIRED,
            RANGE(0, 1 << 20)),
    {NULL},
};
#undef M

const struct layer_kind kind_pad = {
    .name = "pad",
    .map = KIND_MAP("pad", "zeros around", pad_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = pad_shape,
    .forward = pad_forward,
    .emit = pad_emit,
};

/* ---- number formats ---- */

static int convert_shape(struct graph *g, struct layer *l, struct err *err)
{
    (void)err;
    l->shape = layer_source(g, l, 0)->shape;
    l->type = l->kind == &kind_dequantize ? TYPE_FLOAT32 : l->options->type;
    return 0;
}

static void convert_emit(struct emitter *e, const struct layer *l)
{
    bool out = l->kind == &kind_dequantize;
    emit_output(e, emit_op(e, l, out ? TFL_DEQUANTIZE : TFL_QUANTIZE, out ? 2 : 1), l);
}

#define M layer_options
static const struct key quantize_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ONE("type", VALUE_WORD, type, "int8", "of the output", DEFAULT("int8"), WORDS(type_words)),
    {NULL},
};
#undef M

const struct layer_kind kind_quantize = {
    .name = "quantize",
    .map = KIND_MAP("quantize", "to integers, or to another scale", quantize_keys),
    .sources = 1,
    .shape = convert_shape,
    .forward = copy_forward,
    .backward = copy_backward,
    .emit = convert_emit,
};

const struct layer_kind kind_dequantize = {
    .name = "dequantize",
    .map = KIND_MAP("dequantize", "to float32", plain_keys),
    .sources = 1,
    .shape = convert_shape,
    .forward = copy_forward,
    .backward = copy_backward,
    .emit = convert_emit,
};
