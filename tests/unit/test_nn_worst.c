/*
 * Models as large as the limits allow, each made to keep one pass busy. What is quadratic or worse
 * in a pass takes the test past its timeout; all of them together take a second or two.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/tflite/model.h"
#include "tests/support/host_run.h"
#include "tests/unit/unit.h"

static const struct nn_target reference_target;
static const float scale = 0.1f;
static const int64_t zero = 0;

static int32_t add_tensor(struct tfl_model *m, int32_t rows, int32_t columns)
{
    *tfl_add_tensor(m) = (struct tfl_tensor){.name = "t",
                                             .type = TFL_INT8,
                                             .rank = 2,
                                             .shape = {rows, columns},
                                             .scales = &scale,
                                             .zero_points = &zero,
                                             .scale_count = 1};
    return (int32_t)m->tensor_count - 1;
}

static int32_t add_constant(struct tfl_model *m, int32_t rows, int32_t columns, const void *data)
{
    const int32_t t = add_tensor(m, rows, columns);

    m->tensors[t].data = data;
    m->tensors[t].size = (size_t)rows * (size_t)columns;
    return t;
}

static int32_t add_numbers(struct tfl_model *m, int32_t n, const int32_t *numbers)
{
    const int32_t t = (int32_t)m->tensor_count;

    *tfl_add_tensor(m) = (struct tfl_tensor){.name = "numbers",
                                             .type = TFL_INT32,
                                             .rank = 1,
                                             .shape = {n},
                                             .data = numbers,
                                             .size = (size_t)n * sizeof *numbers};
    return t;
}

/* b: -1 for operators of one input. */
static int32_t add_op(struct tfl_model *m, enum tfl_builtin code, int32_t a, int32_t b, int32_t out)
{
    struct tfl_op *op = tfl_add_op(m, code, 1);

    tfl_op_input(op, a);
    if (b >= 0)
        tfl_op_input(op, b);
    tfl_op_output(op, out);
    return out;
}

/* The options of a window that moves by one. */
static void slide(struct tfl_op *op, int32_t padding, int32_t window)
{
    tfl_op_option(op, 0, TFL_OPT_U8)->i = padding;
    for (uint8_t id = 1; id <= 4; id++)
        tfl_op_option(op, id, TFL_OPT_I32)->i = id <= 2 ? 1 : window;
}

/* All tensors become images of one channel. */
static void make_images(struct tfl_model *m)
{
    for (size_t i = 0; i < m->tensor_count; i++) {
        struct tfl_tensor *t = &m->tensors[i];
        const int32_t shape[] = {1, t->shape[0], t->shape[1], 1};
        t->rank = 4;
        memcpy(t->shape, shape, sizeof shape);
    }
}

static int compile(struct tfl_model *m, int32_t out, struct buf *image, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    struct nn_report report;

    m->description = "test";
    m->input_count = m->output_count = 1;
    m->outputs[0] = out;
    tfl_write(m, &file);
    tfl_model_release(m);
    const int status = nn_compile(file.data, file.len, &reference_target, image, &report, err);
    if (status == 0)
        nn_report_release(&report);
    return status;
}

static void check_compiles(struct tfl_model *m, int32_t out)
{
    AUTO_BUF image = BUF_INIT;
    struct err err = ERR_INIT;

    if (compile(m, out, &image, &err) < 0)
        fail_msg("%s", err.text);
}

/* Tables one after the other, which become one. */
static void a_long_chain_of_tables(void **state)
{
    struct tfl_model m = {.description = NULL};
    int32_t at = add_tensor(&m, 1, 4);

    for (int i = 0; i < 8000; i++)
        at = add_op(&m, TFL_TANH, at, -1, add_tensor(&m, 1, 4));
    check_compiles(&m, at);
}

/* Slices that take everything, and so do nothing. */
static void a_long_chain_of_copies(void **state)
{
    static const int32_t begin[] = {0, 0}, end[] = {1, 4}, stride[] = {1, 1};
    struct tfl_model m = {.description = NULL};
    int32_t at = add_tensor(&m, 1, 4);
    const int32_t places[] = {add_numbers(&m, 2, begin), add_numbers(&m, 2, end),
                              add_numbers(&m, 2, stride)};

    for (int i = 0; i < 8000; i++) {
        at = add_op(&m, TFL_STRIDED_SLICE, at, places[0], add_tensor(&m, 1, 4));
        tfl_op_input(&m.ops[m.op_count - 1], places[1]);
        tfl_op_input(&m.ops[m.op_count - 1], places[2]);
    }
    check_compiles(&m, at);
}

/* Pairs joined along the outermost dimension. */
static int32_t join_pairs(struct tfl_model *m, int pairs)
{
    int32_t at = add_tensor(m, 1, 4), in = at, sum = -1;

    for (int i = 0; i < pairs; i++) {
        const int32_t a = add_op(m, TFL_MUL, at, in, add_tensor(m, 1, 4));
        const int32_t both = add_op(m, TFL_CONCATENATION, a, at, add_tensor(m, 2, 4));
        at = a;
        sum = sum < 0 ? both : add_op(m, TFL_ADD, sum, both, add_tensor(m, 2, 4));
    }
    return sum;
}

static void a_long_chain_of_joins(void **state)
{
    struct tfl_model m = {.description = NULL};
    const int32_t out = join_pairs(&m, 600);

    check_compiles(&m, out);
}

/* The passes before the planner ask it too: one error is enough. */
static void too_many_tensors_are_refused_once(void **state)
{
    struct tfl_model m = {.description = NULL};
    AUTO_BUF image = BUF_INIT;
    struct err err = ERR_INIT;
    const int32_t out = join_pairs(&m, 1000);

    assert_int_equal(compile(&m, out, &image, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "at most 2048 tensors"));
}

/* Windows that could all run in strips. */
static void a_long_chain_of_windows(void **state)
{
    struct tfl_model m = {.description = NULL};
    int32_t at = add_tensor(&m, 40, 40);

    for (int i = 0; i < 1000; i++) {
        at = add_op(&m, TFL_MAX_POOL_2D, at, -1, add_tensor(&m, 40, 40));
        slide(&m.ops[m.op_count - 1], TFL_SAME, 3);
    }
    make_images(&m);
    check_compiles(&m, at);
}

/* Everything is needed until the end, in the order that is hardest: too many to run in strips, and
 * as many as may. */
static void many_tensors_that_all_live(void **state)
{
    for (int count = 1000; count > 0; count -= 500) {
        struct tfl_model m = {.description = NULL};
        int32_t at = add_tensor(&m, 1, 64), in = at, first = at + 1;

        for (int i = 0; i < count; i++)
            at = add_op(&m, TFL_MUL, at, in, add_tensor(&m, 1, 64));
        for (int i = 0; i < count; i++)
            at = add_op(&m, TFL_MUL, at, first + i, add_tensor(&m, 1, 64));
        check_compiles(&m, at);
    }
}

/* Few live at a time, but there are as many as may be. */
static void many_steps_on_few_tensors(void **state)
{
    struct tfl_model m = {.description = NULL};
    int32_t at = add_tensor(&m, 1, 64), in = at;

    for (int i = 0; i < 2000; i++)
        at = add_op(&m, TFL_MUL, at, in, add_tensor(&m, 1, 64));
    check_compiles(&m, at);
}

/* As many pixels as an arena may hold. */
static void windows_over_huge_images(void **state)
{
    enum {
        SIDE = 11000
    };
    struct tfl_model m = {.description = NULL};
    const int32_t in = add_tensor(&m, SIDE, SIDE), out = add_tensor(&m, SIDE, SIDE);

    add_op(&m, TFL_MAX_POOL_2D, in, -1, out);
    slide(&m.ops[0], TFL_SAME, 3);
    make_images(&m);
    check_compiles(&m, out);
}

/* Constants that are the same but for their last byte. */
static void constants_that_differ_at_the_end(void **state)
{
    enum {
        COUNT = 1000,
        SIZE = 1 << 14
    };
    struct tfl_model m = {.description = NULL};
    int8_t *data = test_calloc(COUNT, SIZE);
    int32_t at = add_tensor(&m, 1, SIZE);

    for (int i = 0; i < COUNT; i++) {
        memcpy(&data[(size_t)i * SIZE + SIZE - 4], &i, sizeof i);
        const int32_t c = add_constant(&m, 1, SIZE, &data[(size_t)i * SIZE]);
        at = add_op(&m, TFL_MUL, at, c, add_tensor(&m, 1, SIZE));
    }
    check_compiles(&m, at);
    test_free(data);
}

/* What is computed from constants alone is computed here: pools, whose windows cost no bytes. */
static void much_work_on_constants(void **state)
{
    enum {
        SIDE = 100,
        WINDOW = 90
    };
    struct tfl_model m = {.description = NULL};
    int8_t *data = test_calloc(SIDE, SIDE);
    const int32_t in = add_tensor(&m, 1, 1), image = add_constant(&m, SIDE, SIDE, data);
    int32_t out = -1;

    for (int i = 0; i < 8000; i++) {
        out = add_tensor(&m, SIDE - WINDOW + 1, SIDE - WINDOW + 1);
        add_op(&m, TFL_MAX_POOL_2D, image, -1, out);
        slide(&m.ops[m.op_count - 1], TFL_VALID, WINDOW);
    }
    const int32_t sum =
        add_op(&m, TFL_MUL, out, in, add_tensor(&m, SIDE - WINDOW + 1, SIDE - WINDOW + 1));
    make_images(&m);
    check_compiles(&m, sum);
    test_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_steps_on_few_tensors),
        cmocka_unit_test(many_tensors_that_all_live),
        cmocka_unit_test(a_long_chain_of_tables),
        cmocka_unit_test(a_long_chain_of_copies),
        cmocka_unit_test(a_long_chain_of_joins),
        cmocka_unit_test(a_long_chain_of_windows),
        cmocka_unit_test(windows_over_huge_images),
        cmocka_unit_test(too_many_tensors_are_refused_once),
        cmocka_unit_test(constants_that_differ_at_the_end),
        cmocka_unit_test(much_work_on_constants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
