/* Arithmetic of two tensors, curves, joining, means and resizing. */
#include <math.h>
#include <string.h>

#include "harness/recipe/kinds.h"

/* ---- two sources of one shape ---- */

static void sub_forward(const struct graph *g, const struct layer *l, const double *const *in,
                        double *out)
{
    (void)g;
    for (int i = 0; i < l->size; i++)
        out[i] = in[0][i] - in[1][i];
}

static void mul_forward(const struct graph *g, const struct layer *l, const double *const *in,
                        double *out)
{
    (void)g;
    for (int i = 0; i < l->size; i++)
        out[i] = in[0][i] * in[1][i];
}

static void sub_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_SUB, 2);
    option_u8(op, 0, tfl_activation(l->options->activation));
    emit_output(e, op, l);
}

static void mul_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_MUL, 2);
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

const struct layer_kind kind_sub = {
    .name = "sub",
    .map = KIND_MAP("sub", "difference of two", binary_keys),
    .sources = 2,
    .shape = same_shape,
    .forward = sub_forward,
    .emit = sub_emit,
};

const struct layer_kind kind_mul = {
    .name = "mul",
    .map = KIND_MAP("mul", "product of two", binary_keys),
    .sources = 2,
    .shape = same_shape,
    .forward = mul_forward,
    .emit = mul_emit,
};

/* ---- curves ---- */

static double curve(const struct layer *l, double x)
{
    if (l->kind == &kind_logistic)
        return repro_logistic(x);
    if (l->kind == &kind_tanh)
        return repro_tanh(x);
    if (l->kind == &kind_leaky_relu)
        return x < 0 ? x * l->options->alpha : x;
    double gate = x + 3 < 0 ? 0 : x + 3; /* hard swish: x relu6(x + 3) / 6 */
    return x * (gate > 6 ? 6 : gate) / 6;
}

static void curve_forward(const struct graph *g, const struct layer *l, const double *const *in,
                          double *out)
{
    (void)g;
    for (int i = 0; i < l->size; i++)
        out[i] = curve(l, in[0][i]);
}

static void curve_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = NULL;
    if (l->kind == &kind_logistic)
        op = emit_op(e, l, TFL_LOGISTIC, 2);
    else if (l->kind == &kind_tanh)
        op = emit_op(e, l, TFL_TANH, 2);
    else if (l->kind == &kind_leaky_relu)
        op = emit_op(e, l, TFL_LEAKY_RELU, 2);
    else
        op = emit_op(e, l, TFL_HARD_SWISH, 1);
    if (l->kind == &kind_leaky_relu)
        option_f32(op, 0, (float)l->options->alpha);
    emit_output(e, op, l);
}

#define M layer_options
static const struct key leaky_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ONE("alpha", VALUE_SIGNED, alpha, "0.2", "slope below zero", DEFAULT("0.1")),
    {NULL},
};
#undef M

#define CURVE(kind_name, help_text, keys, rule)                                                    \
    {                                                                                              \
        .name = kind_name, .map = KIND_MAP(kind_name, help_text, keys), .sources = 1,              \
        .range = (rule), .shape = same_shape, .forward = curve_forward, .emit = curve_emit         \
    }

const struct layer_kind kind_logistic = CURVE("logistic", "1/(1+exp(-x))", plain_keys, RANGE_UNIT);
const struct layer_kind kind_tanh = CURVE("tanh", "hyperbolic tangent", plain_keys, RANGE_SIGNED);
const struct layer_kind kind_hard_swish =
    CURVE("hard_swish", "x relu6(x+3)/6", plain_keys, RANGE_OWN);
const struct layer_kind kind_leaky_relu =
    CURVE("leaky_relu", "a slope below zero", leaky_keys, RANGE_OWN);

/* ---- concat ---- */

static int concat_axis(const struct layer *l)
{
    int axis = l->options->axis;
    return axis < 0 ? axis + l->shape.rank : axis;
}

static int concat_shape(struct graph *g, struct layer *l, struct err *err)
{
    l->shape = layer_source(g, l, 0)->shape;
    int axis = concat_axis(l);
    if (axis < 1 || axis >= l->shape.rank)
        return layer_error(g, l, err, "axis must name a dimension after the first");
    for (int s = 1; s < l->from_count; s++) {
        struct shape other = layer_source(g, l, s)->shape;
        l->shape.dim[axis] += other.dim[axis];
        other.dim[axis] = l->shape.dim[axis];
        if (memcmp(&other, &l->shape, sizeof(other)) != 0)
            return layer_error(g, l, err, "source '%s' differs beside dimension %d",
                               layer_source(g, l, s)->name, axis);
    }
    return 0;
}

static void concat_forward(const struct graph *g, const struct layer *l, const double *const *in,
                           double *out)
{
    int blocks = 1;
    for (int d = 0; d < concat_axis(l); d++)
        blocks *= l->shape.dim[d];
    for (int b = 0; b < blocks; b++) {
        for (int s = 0; s < l->from_count; s++) {
            int n = layer_source(g, l, s)->size / blocks;
            memcpy(out, in[s] + (size_t)b * n, (size_t)n * sizeof(double));
            out += n;
        }
    }
}

static void concat_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_CONCATENATION, 2);
    option_i32(op, 0, concat_axis(l));
    option_u8(op, 1, TFL_ACT_NONE);
    emit_output(e, op, l);
}

#define M layer_options
static const struct key concat_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ONE("axis", VALUE_INTEGER, axis, "-1", "the dimension that grows; negative: from the end",
        DEFAULT("-1")),
    {NULL},
};
#undef M

const struct layer_kind kind_concat = {
    .name = "concat",
    .map = KIND_MAP("concat", "one behind the other", concat_keys),
    .sources = -1,
    .range = RANGE_SHARED,
    .shape = concat_shape,
    .forward = concat_forward,
    .emit = concat_emit,
};

/* ---- mean over the image ---- */

static int image_needed(struct graph *g, struct layer *l, struct err *err)
{
    l->shape = layer_source(g, l, 0)->shape;
    if (l->shape.rank != 4)
        return layer_error(g, l, err, "needs an image of 4 dimensions, its source has %d",
                           l->shape.rank);
    return 0;
}

static int mean_shape(struct graph *g, struct layer *l, struct err *err)
{
    if (image_needed(g, l, err))
        return err->code;
    l->shape = (struct shape){{1, l->shape.dim[3]}, 2};
    return 0;
}

static void mean_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    int pixels = layer_source(g, l, 0)->size / l->size;
    for (int c = 0; c < l->size; c++) {
        double sum = 0;
        for (int i = 0; i < pixels; i++)
            sum += in[0][i * l->size + c];
        out[c] = sum / pixels;
    }
}

static void mean_emit(struct emitter *e, const struct layer *l)
{
    struct tfl_op *op = emit_op(e, l, TFL_MEAN, 2);
    emit_ints(e, op, "axes", (int32_t[]){1, 2}, 0, 2);
    option_u8(op, 0, 0);
    emit_output(e, op, l);
}

const struct layer_kind kind_mean = {
    .name = "mean",
    .map = KIND_MAP("mean", "mean over the image, which becomes one row", plain_keys),
    .sources = 1,
    .shape = mean_shape,
    .forward = mean_forward,
    .emit = mean_emit,
};

/* ---- resizing, half pixel centres ---- */

static int resize_shape(struct graph *g, struct layer *l, struct err *err)
{
    if (image_needed(g, l, err))
        return err->code;
    l->shape.dim[1] = l->options->size[0];
    l->shape.dim[2] = l->options->size[1];
    return 0;
}

static double clamped(double x, double high)
{
    if (x < 0)
        return 0;
    return x > high ? high : x;
}

/* Value at row y, column x between the pixels of channel c. */
static double sample_at(const double *in, const struct shape *s, double y, double x, int c)
{
    int top = (int)y;
    int left = (int)x;
    int bottom = top + 1 < s->dim[1] ? top + 1 : top;
    int right = left + 1 < s->dim[2] ? left + 1 : left;
    const int width = s->dim[2];
    const int depth = s->dim[3];
    double upper = in[(top * width + left) * depth + c] * (1 - (x - left)) +
                   in[(top * width + right) * depth + c] * (x - left);
    double lower = in[(bottom * width + left) * depth + c] * (1 - (x - left)) +
                   in[(bottom * width + right) * depth + c] * (x - left);
    return upper * (1 - (y - top)) + lower * (y - top);
}

static void resize_forward(const struct graph *g, const struct layer *l, const double *const *in,
                           double *out)
{
    const struct shape *s = &layer_source(g, l, 0)->shape;
    bool nearest = l->kind == &kind_resize_nearest;
    int depth = s->dim[3];
    for (int i = 0; i < l->size; i++) {
        int row = i / depth / l->shape.dim[2];
        int column = i / depth % l->shape.dim[2];
        double y = (row + 0.5) * s->dim[1] / l->shape.dim[1];
        double x = (column + 0.5) * s->dim[2] / l->shape.dim[2];
        y = nearest ? floor(y) : y - 0.5;
        x = nearest ? floor(x) : x - 0.5;
        out[i] =
            sample_at(in[0], s, clamped(y, s->dim[1] - 1), clamped(x, s->dim[2] - 1), i % depth);
    }
}

static void resize_emit(struct emitter *e, const struct layer *l)
{
    bool nearest = l->kind == &kind_resize_nearest;
    struct tfl_op *op =
        emit_op(e, l, nearest ? TFL_RESIZE_NEAREST_NEIGHBOR : TFL_RESIZE_BILINEAR, 3);
    emit_ints(e, op, "size", l->options->size, 0, 2);
    option_u8(op, nearest ? 0 : 2, 0); /* align_corners */
    option_u8(op, nearest ? 1 : 3, 1); /* half_pixel_centers */
    emit_output(e, op, l);
}

#define M layer_options
static const struct key resize_keys[] = {
    ROW_NAME,
    ROW_FROM,
    NUMBERS("size", size_given, "[12, 12]", "height and width of the output", REQUIRED,
            RANGE(1, 4096)),
    {NULL},
};
#undef M

#define RESIZE(kind_name, help_text)                                                               \
    {                                                                                              \
        .name = kind_name, .map = KIND_MAP(kind_name, help_text, resize_keys), .sources = 1,       \
        .range = RANGE_SHARED, .shape = resize_shape, .forward = resize_forward,                   \
        .emit = resize_emit                                                                        \
    }

const struct layer_kind kind_resize_nearest = RESIZE("resize_nearest", "pixels repeated");
const struct layer_kind kind_resize_bilinear = RESIZE("resize_bilinear", "pixels blended");
