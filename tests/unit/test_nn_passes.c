/* What the compiler leaves out or does beforehand changes no output. */
#include <string.h>

#include "harness/tflite/model.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

static const struct nn_target reference_target;
static const int64_t zeros[4] = {0, -7, 0, 0};
static const float scales[4] = {0.05f, 0.05f, 0.0078125f, 0.01f};

/* ---- a chain of operators, whole or one by one ---- */

enum {
    T_IN,
    T_PADDED,
    T_CONV,
    T_RELU,
    T_LEAKY,
    T_TANH,
    T_FLAT,
    T_PADS,
    T_WEIGHTS,
    T_BIAS,
    T_COUNT
};

static const int32_t shapes[T_COUNT][4] = {{1, 5, 6, 3}, {1, 8, 8, 3}, {1, 3, 3, 4}, {1, 3, 3, 4},
                                           {1, 3, 3, 4}, {1, 3, 3, 4}, {1, 36},      {4, 2},
                                           {4, 3, 3, 3}, {4}};

static void add_tensors(struct tfl_model *m, const int8_t *weights)
{
    static const int32_t pads[] = {0, 0, 1, 2, 2, 0, 0, 0}, bias[] = {100, -300, 0, 7};
    static const size_t ranks[T_COUNT] = {4, 4, 4, 4, 4, 4, 2, 2, 4, 1};

    for (int i = 0; i < T_COUNT; i++) {
        struct tfl_tensor *t = tfl_add_tensor(m);
        int q = i == T_TANH || i == T_FLAT ? 2 : i == T_WEIGHTS ? 3 : i <= T_PADDED ? 1 : 0;
        *t = (struct tfl_tensor){.name = "t",
                                 .type = i == T_PADS || i == T_BIAS ? TFL_INT32 : TFL_INT8,
                                 .rank = ranks[i],
                                 .scales = &scales[q],
                                 .zero_points = &zeros[q],
                                 .scale_count = t->type == TFL_INT32 ? 0 : 1};
        memcpy(t->shape, shapes[i], sizeof shapes[i]);
        t->scale_count = t->type == TFL_INT8;
    }
    m->tensors[T_PADS].data = pads;
    m->tensors[T_PADS].size = sizeof pads;
    m->tensors[T_WEIGHTS].data = weights;
    m->tensors[T_WEIGHTS].size = 108;
    m->tensors[T_BIAS].data = bias;
    m->tensors[T_BIAS].size = sizeof bias;
}

/* Operators [first, last] of the chain: tensor i to tensor i + 1. */
static void make_chain(int first, int last, const int8_t *weights, struct buf *ret)
{
    static const enum tfl_builtin codes[] = {TFL_PAD,        TFL_CONV_2D, TFL_RELU,
                                             TFL_LEAKY_RELU, TFL_TANH,    TFL_RESHAPE};
    struct tfl_model m = {.description = "test"};

    add_tensors(&m, weights);
    for (int i = first; i <= last; i++) {
        struct tfl_op *op = tfl_add_op(&m, codes[i], 1);
        tfl_op_input(op, i);
        if (i == 0)
            tfl_op_input(op, T_PADS);
        if (i == 1) {
            tfl_op_input(op, T_WEIGHTS);
            tfl_op_input(op, T_BIAS);
            tfl_op_option(op, 0, TFL_OPT_U8)->i = TFL_VALID;
            tfl_op_option(op, 1, TFL_OPT_I32)->i = 2;
            tfl_op_option(op, 2, TFL_OPT_I32)->i = 2;
        }
        if (i == 3)
            tfl_op_option(op, 0, TFL_OPT_F32)->f = 0.3f;
        tfl_op_output(op, i + 1);
    }
    m.input_count = m.output_count = 1;
    m.inputs[0] = first;
    m.outputs[0] = last + 1;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

static size_t run(const struct buf *model, const struct buf *in, struct buf *out)
{
    struct err err = ERR_INIT;
    struct host_run r;

    if (host_run_open(&r, model->data, model->len, &reference_target, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(host_run_infer(&r, in->data, in->len, out));
    size_t steps = r.report.step_count;
    host_run_close(&r);
    return steps;
}

static void random_bytes(uint32_t *state, struct buf *b, size_t n)
{
    buf_clear(b);
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)(opgen_random(state) >> 24));
}

static void a_fused_chain_equals_its_parts(void **state)
{
    uint32_t random = 77;

    for (int round = 0; round < 20; round++) {
        AUTO_BUF weights = BUF_INIT, in = BUF_INIT, model = BUF_INIT, whole = BUF_INIT;
        random_bytes(&random, &weights, 108);
        random_bytes(&random, &in, 90);
        make_chain(0, 5, (const int8_t *)weights.data, &model);
        /* CONV_2D with the padding and RELU; one table for LEAKY_RELU and TANH; no RESHAPE */
        assert_int_equal(run(&model, &in, &whole), 2);
        for (int i = 0; i <= 5; i++) {
            AUTO_BUF one = BUF_INIT, out = BUF_INIT;
            if (i == 5)
                break; /* RESHAPE alone is no step at all */
            make_chain(i, i, (const int8_t *)weights.data, &one);
            (void)run(&one, &in, &out);
            buf_clear(&in);
            buf_append(&in, out.data, out.len);
        }
        assert_int_equal(whole.len, in.len);
        assert_memory_equal(whole.data, in.data, in.len);
    }
}

/* ---- requantising and repeating ---- */

/* ADD, QUANTIZE to another zero point, CONCATENATION of one: those from `first` to `last`. */
static void make_shifted(int first, int last, struct buf *ret)
{
    static const enum tfl_builtin codes[] = {TFL_ADD, TFL_QUANTIZE, TFL_CONCATENATION};
    static const int64_t zero_points[] = {-3, 5, -40, -40};
    static const float scale[] = {0.1f, 0.15f, 0.15f, 0.15f};
    struct tfl_model m = {.description = "test"};

    for (int i = 0; i < 4; i++) {
        struct tfl_tensor *t = tfl_add_tensor(&m);
        *t = (struct tfl_tensor){.name = "t",
                                 .type = TFL_INT8,
                                 .rank = 2,
                                 .shape = {2, 30},
                                 .scales = &scale[i],
                                 .zero_points = &zero_points[i],
                                 .scale_count = 1};
    }
    for (int i = first; i <= last; i++) {
        struct tfl_op *op = tfl_add_op(&m, codes[i], 1);
        tfl_op_input(op, i);
        if (codes[i] == TFL_ADD)
            tfl_op_input(op, i);
        if (codes[i] == TFL_CONCATENATION)
            tfl_op_option(op, 0, TFL_OPT_I32)->i = 1;
        tfl_op_output(op, i + 1);
    }
    m.input_count = m.output_count = 1;
    m.inputs[0] = first;
    m.outputs[0] = last + 1;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

static void a_shift_and_a_repetition_cost_no_step(void **state)
{
    uint32_t random = 5;

    for (int round = 0; round < 20; round++) {
        AUTO_BUF in = BUF_INIT, model = BUF_INIT, whole = BUF_INIT;
        random_bytes(&random, &in, 60);
        make_shifted(0, 2, &model);
        assert_int_equal(run(&model, &in, &whole), 1);
        for (int i = 0; i <= 2; i++) {
            AUTO_BUF one = BUF_INIT, out = BUF_INIT;
            make_shifted(i, i, &one);
            (void)run(&one, &in, &out);
            buf_clear(&in);
            buf_append(&in, out.data, out.len);
        }
        assert_int_equal(whole.len, in.len);
        assert_memory_equal(whole.data, in.data, in.len);
    }
}

/* ---- slices ---- */

/* LEAKY_RELU of the input with two slopes, joined along dimension `axis`; or just one of them. */
static void make_joined(int one, int axis, struct buf *ret)
{
    static const float slopes[] = {0.1f, 0.7f};
    struct tfl_model m = {.description = "test"};
    const int32_t joined[] = {1, axis == 1 ? 6 : 3, 4, axis == 3 ? 16 : 8};

    for (int i = 0; i < 4; i++) {
        struct tfl_tensor *t = tfl_add_tensor(&m);
        *t = (struct tfl_tensor){.name = "t",
                                 .type = TFL_INT8,
                                 .rank = 4,
                                 .shape = {1, 3, 4, 8},
                                 .scales = &scales[0],
                                 .zero_points = &zeros[0],
                                 .scale_count = 1};
        if (i == 3)
            memcpy(t->shape, joined, sizeof joined);
    }
    for (int i = 0; i < 2; i++) {
        if (one >= 0 && i != one)
            continue;
        struct tfl_op *op = tfl_add_op(&m, TFL_LEAKY_RELU, 1);
        tfl_op_input(op, 0);
        tfl_op_option(op, 0, TFL_OPT_F32)->f = slopes[i];
        tfl_op_output(op, 1 + i);
    }
    if (one < 0) {
        struct tfl_op *op = tfl_add_op(&m, TFL_CONCATENATION, 1);
        tfl_op_input(op, 1);
        tfl_op_input(op, 2);
        tfl_op_option(op, 0, TFL_OPT_I32)->i = axis;
        tfl_op_output(op, 3);
    }
    m.input_count = m.output_count = 1;
    m.outputs[0] = one < 0 ? 3 : 1 + one;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

/* Rows joined below each other lie where they were made; joined channels are copied. */
static void what_is_joined_is_made_in_its_place(void **state)
{
    AUTO_BUF rows = BUF_INIT, channels = BUF_INIT, in = BUF_INIT, whole = BUF_INIT;
    AUTO_BUF parts = BUF_INIT;
    uint32_t random = 9;

    random_bytes(&random, &in, 96);
    make_joined(-1, 1, &rows);
    assert_int_equal(run(&rows, &in, &whole), 2);
    for (int i = 0; i < 2; i++) {
        AUTO_BUF model = BUF_INIT, out = BUF_INIT;
        make_joined(i, 1, &model);
        assert_int_equal(run(&model, &in, &out), 1);
        buf_append(&parts, out.data, out.len);
    }
    assert_int_equal(whole.len, parts.len);
    assert_memory_equal(whole.data, parts.data, parts.len);
    make_joined(-1, 3, &channels);
    assert_true(run(&channels, &in, &parts) >= 4); /* in strips or not */
}

/* ---- padding ---- */

/* LEAKY_RELU, and PAD of rows above and below: both, or the one that is asked for. */
static void make_padded(int first, int last, struct buf *ret)
{
    static const enum tfl_builtin codes[] = {TFL_LEAKY_RELU, TFL_PAD};
    static const int32_t pads[] = {0, 0, 1, 2, 0, 0, 0, 0};
    struct tfl_model m = {.description = "test"};

    for (int i = 0; i < 4; i++) {
        struct tfl_tensor *t = tfl_add_tensor(&m);
        *t = (struct tfl_tensor){.name = "t",
                                 .type = i == 3 ? TFL_INT32 : TFL_INT8,
                                 .rank = i == 3 ? 2 : 4,
                                 .shape = {1, 3, 4, 8},
                                 .scales = &scales[0],
                                 .zero_points = &zeros[1],
                                 .scale_count = i != 3};
    }
    m.tensors[2].shape[1] = 6;
    memcpy(m.tensors[3].shape, (int32_t[]){4, 2}, 2 * sizeof(int32_t));
    m.tensors[3].data = pads;
    m.tensors[3].size = sizeof pads;
    for (int i = first; i <= last; i++) {
        struct tfl_op *op = tfl_add_op(&m, codes[i], 1);
        tfl_op_input(op, i);
        if (codes[i] == TFL_PAD)
            tfl_op_input(op, 3);
        else
            tfl_op_option(op, 0, TFL_OPT_F32)->f = 0.3f;
        tfl_op_output(op, i + 1);
    }
    m.input_count = m.output_count = 1;
    m.inputs[0] = first;
    m.outputs[0] = last + 1;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

/* What is padded is not made in its place before that place is filled. */
static void padded_rows_keep_their_values(void **state)
{
    AUTO_BUF in = BUF_INIT, both = BUF_INIT, one = BUF_INIT, two = BUF_INIT;
    AUTO_BUF whole = BUF_INIT, middle = BUF_INIT, parts = BUF_INIT;
    uint32_t random = 11;

    random_bytes(&random, &in, 96);
    make_padded(0, 1, &both);
    make_padded(0, 0, &one);
    make_padded(1, 1, &two);
    (void)run(&both, &in, &whole);
    (void)run(&one, &in, &middle);
    (void)run(&two, &middle, &parts);
    assert_int_equal(whole.len, 192);
    assert_int_equal(parts.len, 192);
    assert_memory_equal(parts.data + 32, middle.data, 96);
    assert_memory_equal(whole.data, parts.data, parts.len);
}

/* ---- constants ---- */

/* FULLY_CONNECTED whose weights are a constant, or that constant transposed by an operator. */
static void make_dense(bool transposed, const int8_t *weights, struct buf *ret)
{
    static const int32_t order[] = {1, 0};
    struct tfl_model m = {.description = "test"};
    const int32_t dims[][2] = {{1, 5}, {1, 3}, {3, 5}, {2, 1}, {5, 3}};

    for (int i = 0; i < 5; i++) {
        struct tfl_tensor *t = tfl_add_tensor(&m);
        *t = (struct tfl_tensor){.name = "t",
                                 .type = i == 3 ? TFL_INT32 : TFL_INT8,
                                 .rank = i == 3 ? 1 : 2,
                                 .shape = {dims[i][0], dims[i][1]},
                                 .scales = &scales[0],
                                 .zero_points = &zeros[0],
                                 .scale_count = i != 3};
    }
    m.tensors[3].data = order;
    m.tensors[3].size = sizeof order;
    m.tensors[transposed ? 4 : 2].data = weights;
    m.tensors[transposed ? 4 : 2].size = 15;
    if (transposed) {
        struct tfl_op *op = tfl_add_op(&m, TFL_TRANSPOSE, 1);
        tfl_op_input(op, 4);
        tfl_op_input(op, 3);
        tfl_op_output(op, 2);
    }
    struct tfl_op *op = tfl_add_op(&m, TFL_FULLY_CONNECTED, 4);
    tfl_op_input(op, 0);
    tfl_op_input(op, 2);
    tfl_op_output(op, 1);
    m.input_count = m.output_count = 1;
    m.outputs[0] = 1;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

static void operators_on_constants_run_in_the_compiler(void **state)
{
    AUTO_BUF weights = BUF_INIT, in = BUF_INIT, plain = BUF_INIT, folded = BUF_INIT;
    AUTO_BUF expected = BUF_INIT, got = BUF_INIT;
    uint32_t random = 5;
    int8_t turned[15];

    random_bytes(&random, &weights, 15);
    random_bytes(&random, &in, 5);
    for (int i = 0; i < 15; i++)
        turned[i % 5 * 3 + i / 5] = (int8_t)weights.data[i];
    make_dense(false, (const int8_t *)weights.data, &plain);
    make_dense(true, turned, &folded);
    assert_int_equal(run(&plain, &in, &expected), 1);
    assert_int_equal(run(&folded, &in, &got), 1);
    assert_int_equal(got.len, 3);
    assert_memory_equal(got.data, expected.data, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fused_chain_equals_its_parts),
        cmocka_unit_test(a_shift_and_a_repetition_cost_no_step),
        cmocka_unit_test(what_is_joined_is_made_in_its_place),
        cmocka_unit_test(padded_rows_keep_their_values),
        cmocka_unit_test(operators_on_constants_run_in_the_compiler),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
