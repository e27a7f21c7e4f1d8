#include "tests/support/opgen.h"

#include <math.h>
#include <string.h>

#include "harness/base/base.h"
#include "tests/support/opgen_gen.h"

uint32_t opgen_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

int32_t gen_pick(struct gen *g, int32_t low, int32_t high)
{
    return low + (int32_t)(opgen_random(&g->state) % (uint32_t)(high - low + 1));
}

float gen_factor(struct gen *g, float spread)
{
    return powf(spread, (float)gen_pick(g, -1000, 1000) / 1000.0f);
}

static size_t type_size(enum tfl_type type)
{
    return type == TFL_INT8 || type == TFL_UINT8 ? 1
           : type == TFL_INT16                   ? 2
           : type == TFL_INT64                   ? 8
                                                 : 4;
}

/* ---- tensors; each returns its index ---- */

int32_t gen_tensor(struct gen *g, const char *name, enum tfl_type type, const int32_t *shape,
                   size_t rank)
{
    struct tfl_tensor *t = tfl_add_tensor(&g->m);

    t->name = name;
    t->type = type;
    t->rank = rank;
    t->size = type_size(type);
    for (size_t i = 0; i < rank; i++) {
        t->shape[i] = shape[i];
        t->size *= (size_t)shape[i];
    }
    return (int32_t)g->m.tensor_count - 1;
}

void gen_quant(struct gen *g, int32_t tensor, float scale, int64_t zero_point)
{
    struct tfl_tensor *t = &g->m.tensors[tensor];

    t->scales = arena_dup(&g->m.arena, &scale, sizeof scale);
    t->zero_points = arena_dup(&g->m.arena, &zero_point, sizeof zero_point);
    t->scale_count = 1;
}

static int64_t random_zero(struct gen *g, enum tfl_type type)
{
    switch (type) {
    case TFL_INT8:
        return gen_pick(g, 0, 3) ? gen_pick(g, -128, 127) : -128;
    case TFL_UINT8:
        return gen_pick(g, 0, 255);
    default:
        return 0;
    }
}

int32_t gen_activation(struct gen *g, const char *name, enum tfl_type type, const int32_t *shape,
                       size_t rank, float scale)
{
    int32_t index = gen_tensor(g, name, type, shape, rank);

    gen_quant(g, index, scale, random_zero(g, type));
    return index;
}

void *gen_bytes(struct gen *g, size_t n)
{
    uint8_t *data = arena_alloc(&g->m.arena, n + 1);

    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(opgen_random(&g->state) >> 24);
    return data;
}

int32_t gen_weights(struct gen *g, const int32_t *shape, size_t rank, int axis, float scale)
{
    int32_t index = gen_tensor(g, "weights", TFL_INT8, shape, rank);
    struct tfl_tensor *t = &g->m.tensors[index];
    int8_t *data = gen_bytes(g, t->size);
    size_t channels = axis < 0 ? 1 : (size_t)shape[axis];
    float *scales = arena_alloc(&g->m.arena, channels * sizeof *scales);

    for (size_t i = 0; i < t->size; i++)
        data[i] = (int8_t)(data[i] == INT8_MIN ? -127 : data[i]);
    for (size_t i = 0; i < channels; i++)
        scales[i] = scale * gen_factor(g, 3);
    t = &g->m.tensors[index];
    t->data = data;
    t->scales = scales;
    t->zero_points = arena_alloc(&g->m.arena, channels * sizeof *t->zero_points);
    t->scale_count = channels;
    t->axis = axis < 0 ? 0 : axis;
    return index;
}

int32_t gen_bias(struct gen *g, int32_t channels, int32_t range)
{
    int32_t index = gen_tensor(g, "bias", TFL_INT32, &channels, 1);
    int32_t *data = arena_alloc(&g->m.arena, (size_t)channels * sizeof *data);

    for (int32_t i = 0; i < channels; i++)
        data[i] = gen_pick(g, -range, range);
    for (int32_t i = gen_pick(g, 0, 5) ? channels : 0; i < channels; i++) {
        if (gen_pick(g, 0, 3)) /* no inputs outweigh most of these */
            data[i] = gen_pick(g, -2000000000, 2000000000);
    }
    g->m.tensors[index].data = data;
    return index;
}

static int32_t constant_ints(struct gen *g, const char *name, const int32_t *shape, size_t rank,
                             const int32_t *values)
{
    int32_t index = gen_tensor(g, name, TFL_INT32, shape, rank);

    g->m.tensors[index].data = arena_dup(&g->m.arena, values, g->m.tensors[index].size);
    return index;
}

/* ---- operators ---- */

struct tfl_op *gen_op(struct gen *g, enum tfl_builtin code, int32_t version)
{
    return tfl_add_op(&g->m, code, version);
}

void gen_option(struct tfl_op *op, uint8_t id, enum tfl_option_kind kind, int32_t value)
{
    tfl_op_option(op, id, kind)->i = value;
}

int gen_fused(struct gen *g)
{
    static const int some[] = {TFL_ACT_NONE, TFL_ACT_NONE, TFL_ACT_RELU, TFL_ACT_RELU6, 2};

    return some[gen_pick(g, 0, 4)];
}

void gen_finish(struct gen *g, int32_t in, int32_t out)
{
    g->m.inputs[g->m.input_count++] = in;
    g->m.outputs[g->m.output_count++] = out;
}

/* Two shapes that broadcast to the third. */
static size_t random_broadcast(struct gen *g, int32_t a[4], int32_t b[4], int32_t out[4],
                               size_t *a_rank, size_t *b_rank)
{
    size_t rank = (size_t)gen_pick(g, 1, 4);
    int kind = gen_pick(g, 0, 3); /* 0, 1: the same shape; 2: a vector or scalar; 3: any */

    *a_rank = *b_rank = rank;
    for (size_t i = 0; i < rank; i++) {
        out[i] = gen_pick(g, 1, 7);
        a[i] = kind == 3 && gen_pick(g, 0, 3) == 0 ? 1 : out[i];
        b[i] = kind == 3 && a[i] != 1 && gen_pick(g, 0, 2) == 0 ? 1 : out[i];
    }
    if (kind == 2) {
        *b_rank = 1;
        b[0] = gen_pick(g, 0, 1) ? out[rank - 1] : 1;
    }
    return rank;
}

static void make_elementwise(struct gen *g, enum tfl_builtin code, bool has_activation)
{
    int32_t a_shape[4], b_shape[4], out_shape[4];
    size_t a_rank, b_rank;
    size_t rank = random_broadcast(g, a_shape, b_shape, out_shape, &a_rank, &b_rank);
    float scale = 0.05f * gen_factor(g, 3);
    int32_t a = gen_activation(g, "a", TFL_INT8, a_shape, a_rank, scale * gen_factor(g, 5));
    int32_t b = gen_activation(g, "b", TFL_INT8, b_shape, b_rank, scale * gen_factor(g, 5));
    int32_t out =
        gen_activation(g, "out", TFL_INT8, out_shape, rank, scale * 1.4f * gen_factor(g, 3));
    bool constant = gen_pick(g, 0, 3) == 0;
    struct tfl_op *op = gen_op(g, code, 2);

    if (constant)
        g->m.tensors[b].data = gen_bytes(g, g->m.tensors[b].size);
    else
        g->m.inputs[g->m.input_count++] = b;
    tfl_op_input(op, a);
    tfl_op_input(op, b);
    tfl_op_output(op, out);
    if (has_activation)
        gen_option(op, 0, TFL_OPT_U8, gen_fused(g));
    gen_finish(g, a, out);
}

static void make_add(struct gen *g)
{
    make_elementwise(g, TFL_ADD, true);
}

static void make_mul(struct gen *g)
{
    make_elementwise(g, TFL_MUL, true);
}

static void make_softmax(struct gen *g)
{
    int32_t shape[] = {gen_pick(g, 1, 3), gen_pick(g, 1, 40)};
    bool wide = gen_pick(g, 0, 2) == 0;
    int32_t in = gen_activation(g, "in", TFL_INT8, shape, 2, 0.06f * gen_factor(g, 20));
    int32_t out = gen_tensor(g, "out", wide ? TFL_INT16 : TFL_INT8, shape, 2);
    struct tfl_op *op = gen_op(g, TFL_SOFTMAX, 2);

    gen_quant(g, out, wide ? 1.0f / 65536 : 1.0f / 256, wide ? INT16_MIN : INT8_MIN);
    tfl_op_input(op, in);
    tfl_op_output(op, out);
    tfl_op_option(op, 0, TFL_OPT_F32)->f = gen_pick(g, 0, 2) ? 1.0f : gen_factor(g, 3);
    gen_finish(g, in, out);
}

static void make_quantize(struct gen *g)
{
    static const enum tfl_type types[][2] = {
        {TFL_INT8, TFL_INT8},   {TFL_INT8, TFL_UINT8},   {TFL_UINT8, TFL_INT8},
        {TFL_INT8, TFL_INT16},  {TFL_INT8, TFL_INT32},   {TFL_INT16, TFL_INT8},
        {TFL_INT16, TFL_INT16}, {TFL_INT16, TFL_INT32},  {TFL_INT32, TFL_INT8},
        {TFL_INT32, TFL_INT16}, {TFL_FLOAT32, TFL_INT8}, {TFL_FLOAT32, TFL_INT16}};
    bool samples = gen_pick(g, 0, 3) == 0; /* of sound: with a scale far below that of int8 */
    const enum tfl_type *t = types[samples ? 5 : gen_pick(g, 0, (int32_t)ARRAY_SIZE(types) - 1)];
    int32_t shape[] = {1, gen_pick(g, 1, 200)};
    float scale = 0.01f * gen_factor(g, 10);
    int32_t in = gen_activation(g, "in", t[0], shape, 2, samples ? scale / 100 : scale);
    int32_t out = gen_activation(g, "out", t[1], shape, 2, scale * gen_factor(g, 10));
    struct tfl_op *op = gen_op(g, TFL_QUANTIZE, 1);

    tfl_op_input(op, in);
    tfl_op_output(op, out);
    gen_finish(g, in, out);
}

static void make_dequantize(struct gen *g)
{
    static const enum tfl_type types[] = {TFL_INT8, TFL_UINT8, TFL_INT16};
    int32_t shape[] = {1, gen_pick(g, 1, 100)};
    int32_t in =
        gen_activation(g, "in", types[gen_pick(g, 0, 2)], shape, 2, 0.03f * gen_factor(g, 9));
    int32_t out = gen_tensor(g, "out", TFL_FLOAT32, shape, 2);
    struct tfl_op *op = gen_op(g, TFL_DEQUANTIZE, 2);

    tfl_op_input(op, in);
    tfl_op_output(op, out);
    gen_finish(g, in, out);
}

static void make_pad(struct gen *g)
{
    int32_t rank = gen_pick(g, 1, 4), in_shape[4], out_shape[4], pads[8];

    for (int32_t i = 0; i < rank; i++) {
        in_shape[i] = gen_pick(g, 1, 5);
        pads[2 * i] = gen_pick(g, 0, 3);
        pads[2 * i + 1] = gen_pick(g, 0, 3);
        out_shape[i] = in_shape[i] + pads[2 * i] + pads[2 * i + 1];
    }
    int32_t pads_shape[] = {rank, 2};
    int32_t in = gen_activation(g, "in", TFL_INT8, in_shape, (size_t)rank, 0.1f);
    int32_t out = gen_tensor(g, "out", TFL_INT8, out_shape, (size_t)rank);
    gen_quant(g, out, 0.1f, g->m.tensors[in].zero_points[0]);
    int32_t paddings = constant_ints(g, "paddings", pads_shape, 2, pads);
    struct tfl_op *op = gen_op(g, TFL_PAD, 2);

    tfl_op_input(op, in);
    tfl_op_input(op, paddings);
    tfl_op_output(op, out);
    gen_finish(g, in, out);
}

/* Over one axis or more. */
static void make_mean(struct gen *g)
{
    int32_t rank = gen_pick(g, 1, 4), keep = gen_pick(g, 0, 1), in_shape[4], out_shape[4], axes[4];
    int32_t axis_count = 0, out_rank = 0, first = gen_pick(g, 0, rank - 1);

    for (int32_t i = 0; i < rank; i++) {
        bool reduced = i == first || gen_pick(g, 0, 2) == 0;
        in_shape[i] = gen_pick(g, 1, 9);
        if (reduced)
            axes[axis_count++] = gen_pick(g, 0, 1) ? i : i - rank;
        if (!reduced || keep)
            out_shape[out_rank++] = reduced ? 1 : in_shape[i];
    }
    float scale = 0.05f * gen_factor(g, 3);
    int32_t in = gen_activation(g, "in", TFL_INT8, in_shape, (size_t)rank, scale);
    int32_t out =
        gen_activation(g, "out", TFL_INT8, out_shape, (size_t)out_rank, scale * gen_factor(g, 4));
    int32_t which = constant_ints(g, "axes", &axis_count, 1, axes);
    struct tfl_op *op = gen_op(g, TFL_MEAN, 2);

    tfl_op_input(op, in);
    tfl_op_input(op, which);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_U8, keep);
    gen_finish(g, in, out);
}

/* An operator, RESHAPE in the middle, and another operator: aliases and lifetimes. */
static void make_reshape(struct gen *g)
{
    int32_t n = gen_pick(g, 1, 6), m = gen_pick(g, 1, 6);
    int32_t flat[] = {1, n * m}, square[] = {n, m};
    int32_t in = gen_activation(g, "in", TFL_INT8, flat, 2, 0.1f);
    int32_t mid = gen_activation(g, "mid", TFL_INT8, flat, 2, 0.1f * gen_factor(g, 2));
    int32_t cut = gen_tensor(g, "cut", TFL_INT8, square, 2);
    int32_t out = gen_activation(g, "out", TFL_INT8, square, 2, 0.1f * gen_factor(g, 2));

    gen_quant(g, cut, g->m.tensors[mid].scales[0], g->m.tensors[mid].zero_points[0]);
    const int32_t links[3][2] = {{in, mid}, {mid, cut}, {cut, out}};
    const enum tfl_builtin codes[3] = {TFL_QUANTIZE, TFL_RESHAPE, TFL_QUANTIZE};
    for (int i = 0; i < 3; i++) {
        struct tfl_op *op = gen_op(g, codes[i], 1);
        tfl_op_input(op, links[i][0]);
        tfl_op_output(op, links[i][1]);
    }
    gen_finish(g, in, out);
}

#define GENERATORS(X)                                                                              \
    X(conv)                                                                                        \
    X(depthwise)                                                                                   \
    X(fully_connected)                                                                             \
    X(conv16)                                                                                      \
    X(depthwise16)                                                                                 \
    X(fully_connected16)                                                                           \
    X(average_pool)                                                                                \
    X(max_pool)                                                                                    \
    X(add)                                                                                         \
    X(mul)                                                                                         \
    X(softmax)                                                                                     \
    X(quantize)                                                                                    \
    X(dequantize)                                                                                  \
    X(mean)                                                                                        \
    X(pad)                                                                                         \
    X(reshape)                                                                                     \
    X(svdf)                                                                                        \
    X(lstm)                                                                                        \
    X(lookup)                                                                                      \
    X(chain)

const char *const opgen_names[] = {
#define X(name) #name,
    GENERATORS(X)
#undef X
        NULL};

static void (*const makers[])(struct gen *g) = {
#define X(name) make_##name,
    GENERATORS(X)
#undef X
};

int opgen_make(const char *name, uint32_t seed, struct buf *ret)
{
    struct gen g = {.state = seed * 2654435761u | 1};

    for (int i = 0; i < 8; i++)
        opgen_random(&g.state);
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
        if (strcmp(opgen_names[i], name) != 0)
            continue;
        g.m.description = name;
        makers[i](&g);
        tfl_write(&g.m, ret);
        tfl_model_release(&g.m);
        return 1;
    }
    return 0;
}
