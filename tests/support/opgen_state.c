/* Operators that remember, and those that become a table. */
#include <math.h>

#include "tests/support/opgen_gen.h"

/* A variable; its zero point is what it starts with. */
static int32_t state(struct gen *g, enum tfl_type type, int32_t n, float scale, int64_t zero)
{
    const int32_t shape[] = {1, n};
    int32_t index = gen_tensor(g, "state", type, shape, 2);

    gen_quant(g, index, scale, zero);
    g->m.tensors[index].is_variable = true;
    return index;
}

static int32_t matrix(struct gen *g, int32_t rows, int32_t columns, float scale)
{
    const int32_t shape[] = {rows, columns};

    return gen_weights(g, shape, 2, -1, scale);
}

/* The scale of `terms` products with one of `in` and one of `weight`; see output_scale(). */
static float scale_of(struct gen *g, float in, float weight, int32_t terms)
{
    if (gen_pick(g, 0, 9) == 0)
        return in * weight * gen_factor(g, 3);
    return in * weight * 127.0f * sqrtf((float)terms) * 0.7f * gen_factor(g, 4);
}

void make_svdf(struct gen *g)
{
    int32_t in_n = gen_pick(g, 0, 1) ? 4 * gen_pick(g, 1, 24) : gen_pick(g, 1, 70);
    int32_t units = gen_pick(g, 0, 1) ? 4 * gen_pick(g, 1, 8) : gen_pick(g, 1, 25);
    int32_t rank = gen_pick(g, 0, 1) ? 1 : gen_pick(g, 2, 4), filters = units * rank;
    int32_t memory = gen_pick(g, 0, 7) ? gen_pick(g, 2, 40) : 1;
    bool wide = gen_pick(g, 0, 7) == 0;
    float in_scale = 0.02f * gen_factor(g, 4), state_scale = scale_of(g, in_scale, 0.01f, in_n);
    int32_t in_shape[] = {1, in_n}, out_shape[] = {1, units}, time_shape[] = {filters, memory};
    int32_t in = gen_activation(g, "in", TFL_INT8, in_shape, 2, in_scale);
    int32_t feature = matrix(g, filters, in_n, 0.01f), time;
    if (wide) {
        time = gen_tensor(g, "time", TFL_INT16, time_shape, 2);
        gen_quant(g, time, 0.0001f, 0);
        g->m.tensors[time].data = gen_bytes(g, (size_t)filters * (size_t)memory * 2);
    } else {
        time = matrix(g, filters, memory, 0.01f);
    }
    int32_t bias = gen_bias(g, units, 3000);
    int32_t remembered = state(g, wide ? TFL_INT16 : TFL_INT8, filters * memory, state_scale,
                               wide || gen_pick(g, 0, 1) ? 0 : gen_pick(g, -100, 100));
    int32_t out = gen_activation(g, "out", TFL_INT8, out_shape, 2,
                                 scale_of(g, state_scale, wide ? 0.0001f : 0.01f, rank * memory));
    struct tfl_op *op = gen_op(g, TFL_SVDF, 3);

    tfl_op_input(op, in);
    tfl_op_input(op, feature);
    tfl_op_input(op, time);
    tfl_op_input(op, gen_pick(g, 0, 7) ? bias : -1);
    tfl_op_input(op, remembered);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_I32, rank);
    gen_option(op, 1, TFL_OPT_U8, TFL_ACT_RELU);
    gen_finish(g, in, out);
}

static void skip_inputs(struct tfl_op *op, int count)
{
    while (count-- > 0)
        tfl_op_input(op, -1);
}

/* In the operator's order: x, 8 weights, 3 peepholes, 4 biases, 2 projections, 2 states, 4 norms. */
void make_lstm(struct gen *g)
{
    enum {
        GATES = 4
    };
    int32_t steps = gen_pick(g, 1, 6), batches = gen_pick(g, 0, 3) ? 1 : 2;
    int32_t in_n = gen_pick(g, 1, 40), units = gen_pick(g, 1, 26), tensors[3 * GATES];
    bool time_major = gen_pick(g, 0, 3) == 0;
    int32_t in_shape[] = {time_major ? steps : batches, time_major ? batches : steps, in_n};
    int32_t out_shape[] = {in_shape[0], in_shape[1], units};
    float in_scale = 0.02f * gen_factor(g, 3), hidden_scale = 0.0078125f * gen_factor(g, 1.5f);
    int32_t in = gen_activation(g, "in", TFL_INT8, in_shape, 3, in_scale);
    int32_t hidden_zero = gen_pick(g, 0, 1) ? 0 : gen_pick(g, -20, 20);
    float weight_scale = 0.003f * gen_factor(g, 4);

    for (int i = 0; i < 2 * GATES; i++)
        tensors[i] = matrix(g, units, i < GATES ? in_n : units, weight_scale);
    for (int i = 2 * GATES; i < 3 * GATES; i++)
        tensors[i] = gen_bias(g, units, 4000);
    int32_t hidden = state(g, TFL_INT8, batches * units, hidden_scale, hidden_zero);
    int32_t cell = state(g, TFL_INT16, batches * units, ldexpf(1, -gen_pick(g, 9, 15)), 0);
    int32_t out = gen_tensor(g, "out", TFL_INT8, out_shape, 3);
    gen_quant(g, out, hidden_scale, hidden_zero);
    struct tfl_op *op = gen_op(g, TFL_UNIDIRECTIONAL_SEQUENCE_LSTM, 1);
    tfl_op_input(op, in);
    for (int i = 0; i < 2 * GATES; i++)
        tfl_op_input(op, tensors[i]);
    skip_inputs(op, 3);
    for (int i = 2 * GATES; i < 3 * GATES; i++)
        tfl_op_input(op, tensors[i]);
    skip_inputs(op, 2);
    tfl_op_input(op, hidden);
    tfl_op_input(op, cell);
    skip_inputs(op, 4);
    tfl_op_output(op, out);
    gen_option(op, 0, TFL_OPT_U8, TFL_ACT_TANH);
    tfl_op_option(op, 1, TFL_OPT_F32)->f = gen_pick(g, 0, 1) ? 10.0f : 0.0f;
    gen_option(op, 3, TFL_OPT_U8, time_major);
    gen_finish(g, in, out);
}

void make_lookup(struct gen *g)
{
    static const enum tfl_builtin codes[] = {TFL_LOGISTIC, TFL_TANH};
    int32_t shape[] = {1, gen_pick(g, 1, 300)}, which = gen_pick(g, 0, 1);
    int32_t in = gen_activation(g, "in", TFL_INT8, shape, 2, 0.05f * gen_factor(g, 5));
    int32_t out = gen_tensor(g, "out", TFL_INT8, shape, 2);
    struct tfl_op *op = gen_op(g, codes[which], 2);

    gen_quant(g, out, which == 0 ? 1.0f / 256 : 1.0f / 128, which == 0 ? INT8_MIN : 0);
    tfl_op_input(op, in);
    tfl_op_output(op, out);
    gen_finish(g, in, out);
}
