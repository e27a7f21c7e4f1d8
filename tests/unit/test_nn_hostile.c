/* Model files that once crashed the compiler, or nearly did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/nn/tflite.h"
#include "harness/tflite/model.h"
#include "tests/support/host_run.h"
#include "tests/unit/unit.h"

static const struct nn_target reference_target;
static const float scale = 0.1f;
static const int64_t zero = 0;

static int32_t add_tensor(struct tfl_model *m, const char *name, enum tfl_type type, size_t rank)
{
    struct tfl_tensor *t = tfl_add_tensor(m);

    *t = (struct tfl_tensor){.name = name, .type = type, .rank = rank, .shape = {1, 1, 1, 1, 1}};
    if (type == TFL_INT8) {
        t->scales = &scale;
        t->zero_points = &zero;
        t->scale_count = 1;
    }
    return (int32_t)m->tensor_count - 1;
}

static void check_refused_for(const struct nn_target *target, const struct tfl_model *m,
                              const char *expected)
{
    AUTO_BUF model = BUF_INIT, problems = BUF_INIT;
    struct err err = ERR_INIT;

    tfl_write(m, &model);
    assert_true(nn_check(model.data, model.len, target, &problems, &err) > 0);
    if (!strstr(buf_text(&problems), expected))
        fail_msg("'%s' is not in: %s", expected, buf_text(&problems));
}

static void check_refused(const struct tfl_model *m, const char *expected)
{
    check_refused_for(&reference_target, m, expected);
}

/* Every pair of ranks of input and output, for every operator that slides a window. */
static void windows_of_any_rank_are_refused(void **state)
{
    static const enum tfl_builtin codes[] = {TFL_CONV_2D, TFL_DEPTHWISE_CONV_2D,
                                             TFL_AVERAGE_POOL_2D, TFL_MAX_POOL_2D};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        for (size_t in = 0; in <= 5; in++) {
            for (size_t out = 0; out <= 5; out++) {
                struct tfl_model m = {.description = "test"};
                int8_t weight = 1;
                if (in == 4 && out == 4)
                    continue;
                add_tensor(&m, "in", TFL_INT8, in);
                add_tensor(&m, "out", TFL_INT8, out);
                int32_t filter = add_tensor(&m, "filter", TFL_INT8, 4);
                m.tensors[filter].data = &weight;
                m.tensors[filter].size = 1;
                struct tfl_op *op = tfl_add_op(&m, codes[i], 1);
                tfl_op_input(op, 0);
                if (i < 2)
                    tfl_op_input(op, filter);
                tfl_op_output(op, 1);
                m.input_count = m.output_count = 1;
                m.outputs[0] = 1;
                check_refused(&m, "dimensions, 4 are expected");
                tfl_model_release(&m);
            }
        }
    }
}

/* A tensor of a handle's type that no VAR_HANDLE has written. */
static void a_handle_that_is_none_is_refused(void **state)
{
    struct tfl_model m = {.description = "test"};

    add_tensor(&m, "in", TFL_INT8, 2);
    int32_t handle = add_tensor(&m, "handle", TFL_RESOURCE, 1);
    int32_t value = add_tensor(&m, "value", TFL_INT8, 2);
    struct tfl_op *op = tfl_add_op(&m, TFL_RESHAPE, 1); /* fails, and counts as having written it */
    tfl_op_input(op, 0);
    tfl_op_output(op, handle);
    op = tfl_add_op(&m, TFL_READ_VARIABLE, 1);
    tfl_op_input(op, handle);
    tfl_op_output(op, value);
    m.input_count = m.output_count = 1;
    m.outputs[0] = value;
    check_refused(&m, "is not a handle");
    tfl_model_release(&m);
}

/* Two things wrong at once: the first is told. (Found by fuzzing.) */
static void svdf_without_state_and_bias_is_refused(void **state)
{
    struct tfl_model m = {.description = "test"};
    const int8_t weight = 1;

    add_tensor(&m, "in", TFL_INT8, 2);
    add_tensor(&m, "feature", TFL_INT8, 2);
    add_tensor(&m, "time", TFL_INT8, 2);
    add_tensor(&m, "bias", TFL_INT8, 2);
    add_tensor(&m, "state", TFL_INT8, 2);
    add_tensor(&m, "out", TFL_INT8, 2);
    for (int i = 1; i <= 2; i++) {
        m.tensors[i].data = &weight;
        m.tensors[i].size = 1;
    }
    struct tfl_op *op = tfl_add_op(&m, TFL_SVDF, 3);
    for (int32_t i = 0; i < 5; i++)
        tfl_op_input(op, i);
    tfl_op_output(op, 5);
    tfl_op_option(op, 0, TFL_OPT_I32)->i = 1;
    m.input_count = m.output_count = 1;
    m.outputs[0] = 5;
    check_refused(&m, "tensor 4 'state': a variable of 1 elements is expected");
    tfl_model_release(&m);
}

/* What float32 leaves out, by operator and name; without an FPU that is said first. */
static void real_arithmetic_says_what_it_leaves_out(void **state)
{
    static const struct nn_target fpu = {.variants = KERNEL_CAP_FLOAT};
    struct tfl_model m = {.description = "test"};
    const int8_t weight = 1;

    add_tensor(&m, "in", TFL_FLOAT32, 2);
    add_tensor(&m, "feature", TFL_INT8, 2);
    add_tensor(&m, "out", TFL_FLOAT32, 2);
    m.tensors[1].data = &weight;
    m.tensors[1].size = 1;
    struct tfl_op *op = tfl_add_op(&m, TFL_SVDF, 3);
    for (int i = 0; i < 5; i++)
        tfl_op_input(op, i < 2 ? i : 1);
    tfl_op_output(op, 2);
    tfl_op_option(op, 0, TFL_OPT_I32)->i = 1;
    struct tfl_option *activation = tfl_op_option(op, 1, TFL_OPT_U8);
    m.input_count = m.output_count = 1;
    m.outputs[0] = 2;
    check_refused(&m, "operator 0 SVDF v3: float32 needs a core that has an FPU");
    check_refused_for(&fpu, &m,
                      "operator 0 SVDF v3: tensor 1 'feature': type INT8 is not supported "
                      "here (FLOAT32 is)");
    activation->i = TFL_ACT_TANH;
    check_refused_for(&fpu, &m, "operator 0 SVDF v3: fused activation TANH is not supported");
    tfl_model_release(&m);
}

/* Biases are added to in the compiler: they wrap there as they would in the kernel. */
static void biases_at_the_ends_of_their_range_compile(void **state)
{
    AUTO_BUF file = BUF_INIT, image = BUF_INIT;
    AUTO(nn_model_free_auto) struct nn_model *model = NULL;
    struct err err = ERR_INIT;
    size_t changed = 0;

    char path[512];

    (void)snprintf(path, sizeof path, "%s/suites/models/lstm/lstm.tflite",
                   getenv("TINYRIG_SOURCE"));
    assert_int_equal(file_read(path, 1 << 20, &file, &err), 0);
    assert_int_equal(tflite_read(file.data, file.len, &model, &err), 0);
    for (size_t i = 0; i < model->graphs[0].tensor_count; i++) {
        const struct nn_tensor *t = &model->graphs[0].tensors[i];
        if (t->type != NN_INT32 || !t->data || t->size < 16)
            continue;
        char *at = memmem(file.data, file.len, t->data, t->size);
        assert_non_null(at);
        for (size_t k = 0; k + 4 <= t->size; k += 4)
            memcpy(at + k, &(int32_t){k % 8 ? INT32_MAX : INT32_MIN}, 4);
        changed++;
    }
    assert_true(changed >= 4);
    assert_int_equal(nn_compile(file.data, file.len, &reference_target, &image, NULL, &err), 0);
}

/* The same of 64-bit biases, on top of which the kernel adds its sums. */
static void wide_biases_at_the_end_of_their_range_run(void **state)
{
    const int64_t bias = INT64_MAX - 3;
    const int8_t weight = 127;
    const int16_t in = INT16_MAX;
    struct tfl_model m = {.description = "test"};
    AUTO_BUF model = BUF_INIT, out = BUF_INIT;
    struct err err = ERR_INIT;
    struct host_run r;

    add_tensor(&m, "in", TFL_INT16, 2);
    add_tensor(&m, "weights", TFL_INT8, 2);
    add_tensor(&m, "bias", TFL_INT64, 1);
    add_tensor(&m, "out", TFL_INT16, 2);
    for (int i = 0; i < 4; i++) {
        m.tensors[i].scales = &scale;
        m.tensors[i].zero_points = &zero;
        m.tensors[i].scale_count = i != 2;
    }
    m.tensors[1].data = &weight;
    m.tensors[1].size = sizeof weight;
    m.tensors[2].data = &bias;
    m.tensors[2].size = sizeof bias;
    struct tfl_op *op = tfl_add_op(&m, TFL_FULLY_CONNECTED, 4);
    for (int i = 0; i < 3; i++)
        tfl_op_input(op, i);
    tfl_op_output(op, 3);
    m.input_count = m.output_count = 1;
    m.outputs[0] = 3;
    tfl_write(&m, &model);
    tfl_model_release(&m);
    assert_int_equal(host_run_open(&r, model.data, model.len, &reference_target, &err), 0);
    assert_true(host_run_infer(&r, &in, sizeof in, &out));
    assert_int_equal(out.len, 2);
    host_run_close(&r);
}

/* ---- files that ask for much ---- */

/* Many layers with the same weights: what each makes of them has to be paid for. */
static void constants_stay_in_proportion_to_the_file(void **state)
{
    enum {
        UNITS = 1 << 20
    };
    struct tfl_model m = {.description = "test"};
    int8_t *weights = test_calloc(UNITS, 1);

    add_tensor(&m, "in", TFL_INT8, 2);
    add_tensor(&m, "weights", TFL_INT8, 2);
    m.tensors[1].shape[0] = UNITS;
    m.tensors[1].data = weights;
    m.tensors[1].size = UNITS;
    for (int i = 0; i < 100; i++) {
        const int32_t out = add_tensor(&m, "out", TFL_INT8, 2);
        m.tensors[out].shape[1] = UNITS;
        struct tfl_op *op = tfl_add_op(&m, TFL_FULLY_CONNECTED, 4);
        tfl_op_input(op, 0);
        tfl_op_input(op, 1);
        tfl_op_output(op, out);
    }
    m.input_count = m.output_count = 1;
    m.outputs[0] = 2;
    check_refused(&m, "operator 5 FULLY_CONNECTED v4: those before it make constants of more than");
    tfl_model_release(&m);
    test_free(weights);
}

/* Sizes of tensors cost the file nothing. */
static void tensors_stay_within_what_a_microcontroller_has(void **state)
{
    static const int32_t pads[] = {0, 16383, 0, 16383};
    struct tfl_model m = {.description = "test"};

    add_tensor(&m, "in", TFL_INT8, 2);
    add_tensor(&m, "pads", TFL_INT32, 2);
    m.tensors[1].shape[0] = m.tensors[1].shape[1] = 2;
    m.tensors[1].data = pads;
    m.tensors[1].size = sizeof pads;
    for (int i = 0; i < 2; i++) {
        const int32_t out = add_tensor(&m, "out", TFL_INT8, 2);
        m.tensors[out].shape[0] = m.tensors[out].shape[1] = 16384;
        struct tfl_op *op = tfl_add_op(&m, TFL_PAD, 1);
        tfl_op_input(op, 0);
        tfl_op_input(op, 1);
        tfl_op_output(op, out);
    }
    m.input_count = m.output_count = 1;
    m.outputs[0] = 2;
    check_refused(&m,
                  "operator 1 PAD v1: those before it have tensors of more than 268435456 bytes");
    tfl_model_release(&m);
}

static void kernel_calls_are_counted_as_they_are_made(void **state)
{
    struct tfl_model m = {.description = "test"};

    add_tensor(&m, "in", TFL_INT8, 2);
    for (int i = 0; i < 400; i++) {
        const int32_t out = add_tensor(&m, "out", TFL_INT8, 2);
        m.tensors[out].shape[1] = 24;
        struct tfl_op *op = tfl_add_op(&m, TFL_CONCATENATION, 1);
        for (int k = 0; k < 24; k++)
            tfl_op_input(op, 0);
        tfl_op_option(op, 0, TFL_OPT_I32)->i = 1;
        tfl_op_output(op, out);
    }
    m.input_count = m.output_count = 1;
    m.outputs[0] = 1;
    check_refused(&m, "operator 342 CONCATENATION v1: those before it make more than 8192 kernel "
                      "calls");
    tfl_model_release(&m);
}

/* A pool of constants: its windows decide how long that takes, and so whether it is done here. */
static void only_short_work_is_done_beforehand(void **state)
{
    for (int32_t filter = 1; filter <= 200; filter += 199) {
        struct tfl_model m = {.description = "test"};
        AUTO_BUF file = BUF_INIT, image = BUF_INIT;
        struct nn_report report;
        struct err err = ERR_INIT;
        int8_t *data = test_calloc(200 * 200, 1);

        add_tensor(&m, "in", TFL_INT8, 4);
        for (int i = 0; i < 3; i++) {
            const int32_t t = add_tensor(&m, "image", TFL_INT8, 4);
            m.tensors[t].shape[1] = m.tensors[t].shape[2] = 200;
        }
        m.tensors[1].data = data;
        m.tensors[1].size = 200 * 200;
        struct tfl_op *op = tfl_add_op(&m, TFL_MAX_POOL_2D, 1);
        tfl_op_input(op, 1);
        for (uint8_t id = 1; id <= 4; id++)
            tfl_op_option(op, id, TFL_OPT_I32)->i = id <= 2 ? 1 : filter;
        tfl_op_output(op, 2);
        op = tfl_add_op(&m, TFL_ADD, 1);
        tfl_op_input(op, 2);
        tfl_op_input(op, 0);
        tfl_op_output(op, 3);
        m.input_count = m.output_count = 1;
        m.outputs[0] = 3;
        tfl_write(&m, &file);
        if (nn_compile(file.data, file.len, &reference_target, &image, &report, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(report.step_count, filter == 1 ? 1 : 2);
        nn_report_release(&report);
        tfl_model_release(&m);
        test_free(data);
    }
}

/* ---- numbers that no kernel has ---- */

/* A model of one operator; its first tensors are inputs, the last one is the output. */
static void one_operator(struct tfl_model *m, enum tfl_builtin code, int32_t version,
                         const enum tfl_type *types, const int64_t *zeros, size_t count)
{
    struct tfl_op *op = tfl_add_op(m, code, version);

    for (size_t i = 0; i < count; i++) {
        const int32_t t = add_tensor(m, "t", types[i], 4);
        m->tensors[t].scales = &scale;
        m->tensors[t].zero_points = &zeros[i];
        m->tensors[t].scale_count = 1;
        if (i + 1 < count)
            tfl_op_input(op, t);
        else
            tfl_op_output(op, t);
    }
    m->input_count = m->output_count = 1;
    m->outputs[0] = (int32_t)count - 1;
}

/* As TensorFlow Lite wants it: their kernels know no zero points, ours would not hold them all. */
static void zero_points_of_16_bits_are_refused(void **state)
{
    static const enum tfl_builtin codes[] = {TFL_CONV_2D, TFL_DEPTHWISE_CONV_2D,
                                             TFL_FULLY_CONNECTED, TFL_MUL, TFL_TANH};
    static const int64_t zeros[][3] = {{INT16_MIN, 0, 0}, {0, 0, 5}};
    const int8_t weight = 1;

    for (size_t i = 0; i < 2 * ARRAY_SIZE(codes); i++) {
        const enum tfl_builtin code = codes[i / 2];
        const bool weighted = i / 2 < 3;
        const enum tfl_type types[] = {TFL_INT16, weighted ? TFL_INT8 : TFL_INT16, TFL_INT16};
        struct tfl_model m = {.description = "test"};
        one_operator(&m, code, 1, code == TFL_TANH ? &types[1] : types,
                     code == TFL_TANH && i % 2 ? &zeros[1][1] : zeros[i % 2],
                     code == TFL_TANH ? 2 : 3);
        if (weighted) {
            m.tensors[1].data = &weight;
            m.tensors[1].size = 1;
        }
        check_refused(&m, "it must be 0 with 16 bits");
        tfl_model_release(&m);
    }
}

static void weights_have_a_zero_point_of_their_type(void **state)
{
    static const enum tfl_type types[] = {TFL_INT8, TFL_INT8, TFL_INT8};
    static const int64_t zeros[] = {0, 40000, 0};
    struct tfl_model m = {.description = "test"};
    const int8_t weight = 1;

    one_operator(&m, TFL_FULLY_CONNECTED, 4, types, zeros, 3);
    for (int i = 0; i < 3; i++)
        m.tensors[i].rank = 2;
    m.tensors[1].data = &weight;
    m.tensors[1].size = 1;
    check_refused(&m, "tensor 1 't': zero point 40000 is outside its type");
    tfl_model_release(&m);
}

/* Bytes are joined as they are. */
static void tensors_of_other_scales_are_not_joined(void **state)
{
    static const enum tfl_type types[][3] = {{TFL_INT8, TFL_INT8, TFL_INT8},
                                             {TFL_UINT8, TFL_UINT8, TFL_UINT8}};
    static const int64_t zeros[] = {1, 2, 1};

    for (int i = 0; i < 2; i++) {
        struct tfl_model m = {.description = "test"};
        one_operator(&m, TFL_CONCATENATION, 1, types[i], zeros, 3);
        m.tensors[2].shape[0] = 2;
        check_refused(&m, "tensor 1 't': scale 0.1 and zero point 2 differ");
        m.tensors[1].scale_count = 0;
        check_refused(&m, "tensor 1 't': has 0 scales, the output has 1");
        tfl_model_release(&m);
    }
}

/* Nothing overflows on the way to the refusal. */
static void slices_at_the_ends_of_64_bits_are_refused(void **state)
{
    static const int64_t places[][3] = {
        {INT64_MIN, -1, 1}, {INT64_MAX, INT64_MIN, 1}, {INT64_MAX, INT64_MAX, INT64_MIN}};

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct tfl_model m = {.description = "test"};
        add_tensor(&m, "in", TFL_INT8, 1);
        add_tensor(&m, "out", TFL_INT8, 1);
        struct tfl_op *op = tfl_add_op(&m, TFL_STRIDED_SLICE, 1);
        tfl_op_input(op, 0);
        for (int k = 0; k < 3; k++) {
            int32_t t = add_tensor(&m, "place", TFL_INT64, 1);
            m.tensors[t].data = &places[i][k];
            m.tensors[t].size = sizeof places[i][k];
            tfl_op_input(op, t);
        }
        tfl_op_output(op, 1);
        tfl_op_option(op, 5, TFL_OPT_U8)->i = 1; /* the end counts from the begin */
        m.input_count = m.output_count = 1;
        m.outputs[0] = 1;
        check_refused(&m, "operator 0 STRIDED_SLICE v1: ");
        tfl_model_release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_of_any_rank_are_refused),
        cmocka_unit_test(a_handle_that_is_none_is_refused),
        cmocka_unit_test(svdf_without_state_and_bias_is_refused),
        cmocka_unit_test(real_arithmetic_says_what_it_leaves_out),
        cmocka_unit_test(biases_at_the_ends_of_their_range_compile),
        cmocka_unit_test(constants_stay_in_proportion_to_the_file),
        cmocka_unit_test(tensors_stay_within_what_a_microcontroller_has),
        cmocka_unit_test(kernel_calls_are_counted_as_they_are_made),
        cmocka_unit_test(only_short_work_is_done_beforehand),
        cmocka_unit_test(zero_points_of_16_bits_are_refused),
        cmocka_unit_test(weights_have_a_zero_point_of_their_type),
        cmocka_unit_test(tensors_of_other_scales_are_not_joined),
        cmocka_unit_test(slices_at_the_ends_of_64_bits_are_refused),
        cmocka_unit_test(wide_biases_at_the_end_of_their_range_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
