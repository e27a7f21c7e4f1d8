/* A few operators in a row, with a branch: what plans, strips and fusions are made of. */
#include <math.h>

#include "harness/base/base.h"
#include "tests/support/opgen_gen.h"

/* Where the chain has come to: an int8 image. */
struct chain {
    struct gen *g;
    int32_t tensor, h, w, c;
    float scale;
};

static void move_to(struct chain *k, int32_t h, int32_t w, int32_t c, float scale)
{
    const int32_t shape[] = {1, h, w, c};

    k->tensor = gen_activation(k->g, "chain", TFL_INT8, shape, 4, scale);
    k->h = h;
    k->w = w;
    k->c = c;
    k->scale = scale;
}

static float sum_scale(struct gen *g, float in, int32_t terms)
{
    return in * 0.01f * 127.0f * sqrtf((float)terms) * 0.7f * gen_factor(g, 2);
}

/* SAME padding; `multiplier` 0: CONV_2D. */
static void convolve(struct chain *k, int32_t filter, int32_t stride, int32_t multiplier)
{
    struct gen *g = k->g;
    bool depthwise = multiplier > 0;
    int32_t in = k->tensor, out_c = depthwise ? k->c * multiplier : gen_pick(g, 1, 12);
    int32_t shape[] = {depthwise ? 1 : out_c, filter, filter, depthwise ? out_c : k->c};
    int32_t weights = gen_weights(g, shape, 4, depthwise ? 3 : 0, 0.01f);
    int32_t bias = gen_bias(g, out_c, 2000);
    uint8_t after = depthwise ? 4 : 3;

    move_to(k, (k->h + stride - 1) / stride, (k->w + stride - 1) / stride, out_c,
            sum_scale(g, k->scale, filter * filter * (depthwise ? 1 : k->c)));
    struct tfl_op *op = gen_op(g, depthwise ? TFL_DEPTHWISE_CONV_2D : TFL_CONV_2D, 3);
    tfl_op_input(op, in);
    tfl_op_input(op, weights);
    tfl_op_input(op, bias);
    tfl_op_output(op, k->tensor);
    gen_option(op, 0, TFL_OPT_U8, TFL_SAME);
    gen_option(op, 1, TFL_OPT_I32, stride);
    gen_option(op, 2, TFL_OPT_I32, stride);
    if (depthwise)
        gen_option(op, 3, TFL_OPT_I32, multiplier);
    gen_option(op, after, TFL_OPT_U8, gen_pick(g, 0, 1) ? TFL_ACT_RELU : TFL_ACT_NONE);
    gen_option(op, (uint8_t)(after + 1), TFL_OPT_I32, 1);
    gen_option(op, (uint8_t)(after + 2), TFL_OPT_I32, 1);
}

/* 2x2, SAME. */
static void pool(struct chain *k)
{
    const struct tfl_tensor *from = &k->g->m.tensors[k->tensor];
    int32_t in = k->tensor, shape[] = {1, (k->h + 1) / 2, (k->w + 1) / 2, k->c};
    float scale = from->scales[0];
    int64_t zero = from->zero_points[0];

    k->tensor = gen_tensor(k->g, "chain", TFL_INT8, shape, 4);
    gen_quant(k->g, k->tensor, scale, zero);
    k->h = shape[1];
    k->w = shape[2];
    struct tfl_op *op =
        gen_op(k->g, gen_pick(k->g, 0, 1) ? TFL_MAX_POOL_2D : TFL_AVERAGE_POOL_2D, 2);
    tfl_op_input(op, in);
    tfl_op_output(op, k->tensor);
    gen_option(op, 0, TFL_OPT_U8, TFL_SAME);
    for (uint8_t field = 1; field <= 4; field++)
        gen_option(op, field, TFL_OPT_I32, 2);
}

/* A depthwise convolution, and ADD or MUL of what went into it. */
static void branch(struct chain *k)
{
    int32_t left = k->tensor;
    bool product = gen_pick(k->g, 0, 2) == 0;
    float scale = k->scale;

    convolve(k, 3, 1, 1);
    int32_t right = k->tensor;
    move_to(k, k->h, k->w, k->c, product ? scale * k->scale * 60 : scale + k->scale);
    struct tfl_op *op = gen_op(k->g, product ? TFL_MUL : TFL_ADD, 2);
    tfl_op_input(op, left);
    tfl_op_input(op, right);
    tfl_op_output(op, k->tensor);
}

static void classify(struct chain *k)
{
    struct gen *g = k->g;
    int32_t in = k->tensor, n = k->h * k->w * k->c, units = gen_pick(g, 2, 9);
    int32_t filter_shape[] = {units, n}, out_shape[] = {1, units};
    int32_t weights = gen_weights(g, filter_shape, 2, -1, 0.01f), bias = gen_bias(g, units, 2000);
    int32_t out = gen_activation(g, "scores", TFL_INT8, out_shape, 2, sum_scale(g, k->scale, n));
    struct tfl_op *op = gen_op(g, TFL_FULLY_CONNECTED, 4);

    tfl_op_input(op, in);
    tfl_op_input(op, weights);
    tfl_op_input(op, bias);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_U8, TFL_ACT_NONE);
    k->tensor = out;
}

void make_chain(struct gen *g)
{
    struct chain k = {.g = g};
    int32_t layers = gen_pick(g, 2, 5);

    move_to(&k, gen_pick(g, 3, 12), gen_pick(g, 3, 12), gen_pick(g, 1, 6), 0.03f);
    int32_t in = k.tensor;
    convolve(&k, gen_pick(g, 0, 1) ? 3 : 1, gen_pick(g, 1, 2), 0);
    for (int32_t i = 0; i < layers; i++) {
        switch (gen_pick(g, 0, 4)) {
        case 0:
            pool(&k);
            break;
        case 1:
            branch(&k);
            break;
        case 2:
            convolve(&k, 3, 1, gen_pick(g, 1, 2));
            break;
        default:
            convolve(&k, gen_pick(g, 0, 1) ? 3 : 1, gen_pick(g, 1, 2), 0);
            break;
        }
    }
    classify(&k);
    gen_finish(g, in, k.tensor);
}
