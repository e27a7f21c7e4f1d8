/* Windows that slide, and weights that are multiplied. */
#include <math.h>

#include "tests/support/opgen_gen.h"

/* A window that fits: padding, strides and dilations with at least one output. */
struct window {
    int32_t in[2], out[2], filter[2], stride[2], dilation[2];
    int padding;
};

static struct window random_window(struct gen *g, bool dilated)
{
    struct window w = {.padding = gen_pick(g, 0, 1)};

    for (int i = 0; i < 2; i++) {
        w.filter[i] = gen_pick(g, 1, 5);
        w.stride[i] = gen_pick(g, 1, 3);
        w.dilation[i] = dilated && w.stride[i] == 1 ? gen_pick(g, 1, 3) : 1;
        int32_t extent = (w.filter[i] - 1) * w.dilation[i] + 1;
        w.in[i] = gen_pick(g, w.padding == TFL_VALID ? extent : 1, extent + 9);
        w.out[i] = w.padding == TFL_SAME ? (w.in[i] + w.stride[i] - 1) / w.stride[i]
                                         : (w.in[i] + w.stride[i] - extent) / w.stride[i];
    }
    return w;
}

/* Channel counts that kernels like, and ones that they do not. */
static int32_t random_channels(struct gen *g)
{
    return gen_pick(g, 0, 2) ? 4 * gen_pick(g, 1, 8) : gen_pick(g, 1, 23);
}

/* Strides and friends; `after` is the field of the activation. */
static void window_options(struct gen *g, struct tfl_op *op, const struct window *w, uint8_t after)
{
    gen_option(op, 0, TFL_OPT_U8, w->padding);
    gen_option(op, 1, TFL_OPT_I32, w->stride[1]);
    gen_option(op, 2, TFL_OPT_I32, w->stride[0]);
    gen_option(op, after, TFL_OPT_U8, gen_fused(g));
    gen_option(op, (uint8_t)(after + 1), TFL_OPT_I32, w->dilation[1]);
    gen_option(op, (uint8_t)(after + 2), TFL_OPT_I32, w->dilation[0]);
}

/* int16 activations have no zero point, finer scales, and mostly biases of 64 bits. */
static int32_t activation_of(struct gen *g, const char *name, enum tfl_type type,
                             const int32_t *shape, size_t rank, float scale)
{
    return gen_activation(g, name, type, shape, rank, type == TFL_INT8 ? scale : scale / 256);
}

static int32_t bias_of(struct gen *g, enum tfl_type type, int32_t channels, int32_t range)
{
    int32_t index = gen_bias(g, channels, range);
    struct tfl_tensor *t = &g->m.tensors[index];
    const int32_t *narrow = t->data;

    if (type == TFL_INT8)
        return index;
    int64_t *data = arena_alloc(&g->m.arena, (size_t)channels * sizeof *data);
    for (int32_t i = 0; i < channels; i++)
        data[i] = (int64_t)narrow[i] * gen_pick(g, 1, 400);
    t->type = TFL_INT64;
    t->data = data;
    t->size *= 2;
    return index;
}

/*
 * An output scale under which most values, but not all, stay off the limits; now and then one so
 * small that the factor shifts to the left.
 */
static float output_scale(struct gen *g, float in, float weight, int32_t terms)
{
    if (gen_pick(g, 0, 11) == 0)
        return in * weight * gen_factor(g, 3);
    return in * weight * 127.0f * sqrtf((float)terms) * 0.7f * gen_factor(g, 4);
}

static void conv_of(struct gen *g, enum tfl_type type)
{
    struct window w = random_window(g, true);
    int32_t groups = gen_pick(g, 0, 9) ? 1 : gen_pick(g, 1, 3);
    int32_t filter_c = random_channels(g), in_c = filter_c * groups;
    int32_t out_c = groups * (groups > 1 ? gen_pick(g, 1, 4) : random_channels(g));
    int32_t batches = gen_pick(g, 0, 7) ? 1 : 2;
    float scale = 0.02f * gen_factor(g, 4);
    int32_t in_shape[] = {batches, w.in[0], w.in[1], in_c};
    int32_t out_shape[] = {batches, w.out[0], w.out[1], out_c};
    int32_t filter_shape[] = {out_c, w.filter[0], w.filter[1], filter_c};
    int32_t in = activation_of(g, "in", type, in_shape, 4, scale);
    int32_t f = gen_weights(g, filter_shape, 4, gen_pick(g, 0, 5) ? 0 : -1, 0.01f);
    bool narrow = type == TFL_INT16 && gen_pick(g, 0, 2) == 0; /* sums of 32 bits */
    int32_t b = bias_of(g, narrow ? TFL_INT8 : type, out_c, 2000 * w.filter[0]);
    int32_t out =
        activation_of(g, "out", type, out_shape, 4,
                      output_scale(g, scale, 0.01f, w.filter[0] * w.filter[1] * filter_c));
    struct tfl_op *op = gen_op(g, TFL_CONV_2D, 3);

    tfl_op_input(op, in);
    tfl_op_input(op, f);
    if (gen_pick(g, 0, 7))
        tfl_op_input(op, b);
    tfl_op_output(op, out);
    window_options(g, op, &w, 3);
    gen_finish(g, in, out);
}

void make_conv(struct gen *g)
{
    conv_of(g, TFL_INT8);
}

void make_conv16(struct gen *g)
{
    conv_of(g, TFL_INT16);
}

static void depthwise_of(struct gen *g, enum tfl_type type)
{
    struct window w = random_window(g, true);
    int32_t multiplier = gen_pick(g, 0, 2) ? 1 : gen_pick(g, 2, 8);
    int32_t in_c = multiplier > 1 && gen_pick(g, 0, 1) ? 1 : random_channels(g);
    int32_t out_c = in_c * multiplier;
    float scale = 0.02f * gen_factor(g, 4);
    int32_t in_shape[] = {1, w.in[0], w.in[1], in_c};
    int32_t out_shape[] = {1, w.out[0], w.out[1], out_c};
    int32_t filter_shape[] = {1, w.filter[0], w.filter[1], out_c};
    int32_t in = activation_of(g, "in", type, in_shape, 4, scale);
    int32_t f = gen_weights(g, filter_shape, 4, 3, 0.01f);
    int32_t b = bias_of(g, type, out_c, 3000);
    int32_t out = activation_of(g, "out", type, out_shape, 4,
                                output_scale(g, scale, 0.01f, w.filter[0] * w.filter[1]));
    struct tfl_op *op = gen_op(g, TFL_DEPTHWISE_CONV_2D, 3);

    tfl_op_input(op, in);
    tfl_op_input(op, f);
    tfl_op_input(op, b);
    tfl_op_output(op, out);
    window_options(g, op, &w, 4);
    gen_option(op, 3, TFL_OPT_I32, multiplier);
    gen_finish(g, in, out);
}

void make_depthwise(struct gen *g)
{
    depthwise_of(g, TFL_INT8);
}

void make_depthwise16(struct gen *g)
{
    depthwise_of(g, TFL_INT16);
}

static void fully_connected_of(struct gen *g, enum tfl_type type)
{
    int32_t batches = gen_pick(g, 0, 3) ? 1 : gen_pick(g, 2, 5);
    int32_t in_n = gen_pick(g, 0, 1) ? 4 * gen_pick(g, 1, 40) : gen_pick(g, 1, 130);
    int32_t out_n = gen_pick(g, 0, 1) ? 4 * gen_pick(g, 1, 12) : gen_pick(g, 1, 30);
    float scale = 0.02f * gen_factor(g, 4);
    int32_t in_shape[] = {batches, in_n}, out_shape[] = {batches, out_n};
    int32_t filter_shape[] = {out_n, in_n};
    int32_t in = activation_of(g, "in", type, in_shape, 2, scale);
    int32_t f = gen_weights(g, filter_shape, 2, gen_pick(g, 0, 2) ? -1 : 0, 0.01f);
    int32_t b = bias_of(g, type, out_n, 5000);
    int32_t out = activation_of(g, "out", type, out_shape, 2, output_scale(g, scale, 0.01f, in_n));
    struct tfl_op *op = gen_op(g, TFL_FULLY_CONNECTED, 4);

    tfl_op_input(op, in);
    tfl_op_input(op, f);
    tfl_op_input(op, gen_pick(g, 0, 7) ? b : -1);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_U8, gen_fused(g));
    gen_finish(g, in, out);
}

void make_fully_connected(struct gen *g)
{
    fully_connected_of(g, TFL_INT8);
}

void make_fully_connected16(struct gen *g)
{
    fully_connected_of(g, TFL_INT16);
}

static void make_pool(struct gen *g, enum tfl_builtin code)
{
    struct window w = random_window(g, false);
    int32_t c = random_channels(g);
    int32_t in_shape[] = {1, w.in[0], w.in[1], c}, out_shape[] = {1, w.out[0], w.out[1], c};
    int32_t in = gen_activation(g, "in", TFL_INT8, in_shape, 4, 0.05f * gen_factor(g, 3));
    int32_t out = gen_tensor(g, "out", TFL_INT8, out_shape, 4);
    struct tfl_op *op = gen_op(g, code, 2);

    gen_quant(g, out, g->m.tensors[in].scales[0], g->m.tensors[in].zero_points[0]);
    tfl_op_input(op, in);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_U8, w.padding);
    gen_option(op, 1, TFL_OPT_I32, w.stride[1]);
    gen_option(op, 2, TFL_OPT_I32, w.stride[0]);
    gen_option(op, 3, TFL_OPT_I32, w.filter[1]);
    gen_option(op, 4, TFL_OPT_I32, w.filter[0]);
    gen_option(op, 5, TFL_OPT_U8, gen_fused(g));
    gen_finish(g, in, out);
}

void make_average_pool(struct gen *g)
{
    make_pool(g, TFL_AVERAGE_POOL_2D);
}

void make_max_pool(struct gen *g)
{
    make_pool(g, TFL_MAX_POOL_2D);
}
