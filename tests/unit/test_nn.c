#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/engines/image.h"
#include "agents/wire/wire.h"
#include "harness/base/file.h"
#include "harness/nn/explain.h"
#include "harness/tflite/model.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

extern const struct engine engine_tiny;

static const struct nn_target reference_target;

/* ---- files ---- */

static void every_truncation_is_an_error(void **state)
{
    AUTO_BUF model = BUF_INIT;

    opgen_make("conv", 3, &model);
    for (size_t n = 0; n < model.len; n++) {
        AUTO_BUF image = BUF_INIT;
        struct err err = ERR_INIT;
        int status = nn_compile(model.data, n, &reference_target, &image, NULL, &err);
        assert_true(status < 0);
        assert_true(err.text[0] != '\0');
    }
}

static void says_what_is_not_a_model(void **state)
{
    AUTO_BUF image = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(nn_compile("0123456789", 10, &reference_target, &image, NULL, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "TFL3"));
}

/* A model of one operator from its parts. */
static void write_one_op(struct buf *ret, enum tfl_builtin code, int version, enum tfl_type type)
{
    static const float scale = 0.1f;
    static const int64_t zero = 0;
    struct tfl_model m = {.description = "test"};

    for (int i = 0; i < 2; i++) {
        struct tfl_tensor *t = tfl_add_tensor(&m);
        *t = (struct tfl_tensor){.name = i ? "result" : "image",
                                 .type = type,
                                 .rank = 2,
                                 .shape = {1, 4},
                                 .scales = &scale,
                                 .zero_points = &zero,
                                 .scale_count = 1};
    }
    struct tfl_op *op = tfl_add_op(&m, code, version);
    tfl_op_input(op, 0);
    tfl_op_output(op, 1);
    m.input_count = m.output_count = 1;
    m.outputs[0] = 1;
    tfl_write(&m, ret);
    tfl_model_release(&m);
}

static void assert_refused(enum tfl_builtin code, int version, enum tfl_type type,
                           const char *expected)
{
    AUTO_BUF model = BUF_INIT, image = BUF_INIT;
    struct err err = ERR_INIT;

    write_one_op(&model, code, version, type);
    assert_int_equal(nn_compile(model.data, model.len, &reference_target, &image, NULL, &err),
                     ERR_UNSUPPORTED);
    assert_string_equal(err.text, expected);
}

static void names_operator_version_and_tensor(void **state)
{
    assert_refused(TFL_SOFTMAX, 2, TFL_UINT8,
                   "operator 0 SOFTMAX v2: tensor 0 'image': type UINT8 is not supported here "
                   "(INT8 is)");
    assert_refused(TFL_SOFTMAX, 2, TFL_INT8,
                   "operator 0 SOFTMAX v2: tensor 1 'result': scale 0.1 and zero point 0: 1/256 "
                   "and -128 are expected");
    assert_refused(TFL_RESHAPE, 99, TFL_INT8,
                   "operator 0 RESHAPE v99: this version is not supported (1 to 2 are)");
    assert_refused((enum tfl_builtin)16, 1, TFL_INT8,
                   "operator 0 (number 16) v1: this operator is not supported");
}

static void check_lists_every_problem(void **state)
{
    AUTO_BUF model = BUF_INIT, problems = BUF_INIT;
    struct err err = ERR_INIT;

    write_one_op(&model, TFL_SOFTMAX, 2, TFL_UINT8);
    assert_int_equal(nn_check(model.data, model.len, &reference_target, &problems, &err), 1);
    assert_non_null(strstr(buf_text(&problems), "operator 0 SOFTMAX v2"));
    buf_clear(&model);
    opgen_make("reshape", 5, &model);
    assert_int_equal(nn_check(model.data, model.len, &reference_target, NULL, &err), 0);
}

static void report_counts_what_the_model_does(void **state)
{
    AUTO_BUF model = BUF_INIT, image = BUF_INIT;
    struct nn_report r;
    struct err err = ERR_INIT;

    opgen_make("reshape", 2, &model);
    assert_int_equal(nn_compile(model.data, model.len, &reference_target, &image, &r, &err), 0);
    assert_int_equal(r.op_count, 3);
    assert_int_equal(r.step_count, 1); /* RESHAPE costs nothing, two tables are one */
    assert_int_equal(r.ops[1].steps, 0);
    assert_string_equal(r.ops[1].name, "RESHAPE");
    assert_int_equal(r.image_bytes, image.len);
    assert_int_equal(r.inputs[0].type, NN_INT8);
    nn_report_release(&r);
}

static void explanation_shows_operators_and_hostile_names_are_inert(void **state)
{
    AUTO_BUF model = BUF_INIT, image = BUF_INIT, text = BUF_INIT, svg = BUF_INIT;
    struct nn_report r;
    struct err err = ERR_INIT;

    opgen_make("conv", 2, &model);
    assert_int_equal(nn_compile(model.data, model.len, &reference_target, &image, &r, &err), 0);
    ((struct nn_report_buffer *)r.buffers)[0].name = "<script>\x1b[31m\"&";
    nn_explain_text(&r, "m", &text);
    nn_explain_svg(&r, "<m>", &svg);
    assert_non_null(strstr(buf_text(&text), "CONV_2D v3"));
    assert_non_null(strstr(buf_text(&text), "CONV_S8/ref"));
    assert_non_null(strstr(buf_text(&svg), "&lt;script&gt;?[31m&quot;&amp;"));
    assert_null(strstr(buf_text(&svg), "<script"));
    assert_null(strstr(buf_text(&svg), "<m>"));
    nn_report_release(&r);
}

/* ---- images ---- */

struct loaded {
    struct host_run run;
    struct buf copy;
};

static enum engine_status load_changed(struct loaded *l, bool fix_crc)
{
    struct engine_model m = l->run.model;
    struct image_header *h = (struct image_header *)l->copy.data;
    size_t checked = offsetof(struct image_header, arena_size);

    if (fix_crc)
        h->crc32 = wire_crc32(0, l->copy.data + checked, l->copy.len - checked);
    m.image = (const uint8_t *)l->copy.data;
    return engine_tiny.load(&m);
}

static void open_image(struct loaded *l, const char *name)
{
    AUTO_BUF model = BUF_INIT;
    struct err err = ERR_INIT;

    opgen_make(name, 9, &model);
    assert_int_equal(host_run_open(&l->run, model.data, model.len, &reference_target, &err), 0);
    l->copy = (struct buf)BUF_INIT;
    buf_append(&l->copy, l->run.image.data, l->run.image.len);
}

static void close_image(struct loaded *l)
{
    host_run_close(&l->run);
    buf_release(&l->copy);
}

static void the_engine_sees_every_flipped_byte(void **state)
{
    struct loaded l;

    open_image(&l, "depthwise");
    assert_int_equal(load_changed(&l, false), ENGINE_OK);
    for (size_t i = 0; i < l.copy.len; i++) {
        l.copy.data[i] ^= 0x10;
        assert_int_equal(load_changed(&l, false), ENGINE_BAD_IMAGE);
        l.copy.data[i] ^= 0x10;
    }
    close_image(&l);
}

static void a_step_outside_the_arena_is_refused(void **state)
{
    struct loaded l;

    open_image(&l, "conv");
    struct image_header *h = (struct image_header *)l.copy.data;
    struct image_step *s = (struct image_step *)(l.copy.data + h->steps_at);
    struct kernel_span *spans = (struct kernel_span *)(s + 1);
    struct kernel_conv *p = (struct kernel_conv *)(spans + s->spans);

    spans[1].where = h->arena_size; /* past the end */
    assert_int_equal(load_changed(&l, true), ENGINE_BAD_IMAGE);
    spans[1].where = 0;
    assert_int_equal(load_changed(&l, true), ENGINE_OK);
    spans[1].where = KERNEL_SPAN_CONST; /* into the image itself */
    assert_int_equal(load_changed(&l, true), ENGINE_BAD_IMAGE);
    spans[1].where = 0;
    p->out_h++; /* more rows than the span holds */
    assert_int_equal(load_changed(&l, true), ENGINE_BAD_IMAGE);
    p->out_h--;
    s->kind = 200;
    assert_int_equal(load_changed(&l, true), ENGINE_UNSUPPORTED);
    close_image(&l);
}

static void a_small_arena_is_refused_with_the_size_needed(void **state)
{
    struct loaded l;

    open_image(&l, "conv");
    struct engine_model m = l.run.model;
    m.arena_size = l.run.report.arena_bytes - 4;
    assert_int_equal(engine_tiny.load(&m), ENGINE_NO_SPACE);
    assert_int_equal(m.detail, l.run.report.arena_bytes);
    close_image(&l);
}

static void options_choose_among_variants(void **state)
{
    struct loaded l;

    open_image(&l, "conv");
    struct engine_model m = l.run.model;
    m.options = 1u << KERNEL_REF;
    assert_int_equal(engine_tiny.load(&m), ENGINE_OK);
    m.options = 1u << KERNEL_MVE;
    assert_int_equal(engine_tiny.load(&m), ENGINE_UNSUPPORTED);
    close_image(&l);
}

static void kernels_are_named_by_words(void **state)
{
    AUTO_BUF words = BUF_INIT;

    assert_int_equal(nn_variants("ref"), 1u << KERNEL_REF);
    assert_int_equal(nn_variants("armv7em"), 1u << KERNEL_ARMV7EM | 1u << KERNEL_REF);
    assert_int_equal(nn_variants("best"), NN_ALL_VARIANTS);
    assert_int_equal(nn_variants("fast"), 0);
    nn_variant_words(NN_ALL_VARIANTS, &words);
    assert_string_equal(buf_text(&words), "best, ref, tuned, armv7em, mve, avr");
    buf_clear(&words);
    nn_variant_words(1u << KERNEL_REF | 1u << KERNEL_MVE, &words);
    assert_string_equal(buf_text(&words), "ref, mve");
}

static void the_list_of_operators_is_complete(void **state)
{
    AUTO_BUF list = BUF_INIT;
    struct err err = ERR_INIT;
    char path[512], row[128];

    (void)snprintf(path, sizeof path, "%s/agents/engines/OPERATORS.md", getenv("TINYRIG_SOURCE"));
    assert_int_equal(file_read(path, 1 << 20, &list, &err), 0);
    for (int32_t code = 0; code < 256; code++) {
        const char *name = nn_opcode_name(code);
        if (name == NULL)
            continue;
        if (code == NN_OP_CUSTOM)
            (void)snprintf(row, sizeof row, "\n| CUSTOM | any |");
        else
            (void)snprintf(row, sizeof row, "\n| %s | %d |", name, nn_opcode_max_version(code));
        if (strstr(buf_text(&list), row) == NULL)
            fail_msg("OPERATORS.md has no row '%s", row + 1);
    }
}

static void float32_needs_an_fpu(void **state)
{
    const struct nn_target with = {.variants = KERNEL_CAP_FLOAT};
    AUTO_BUF model = BUF_INIT, image = BUF_INIT;
    struct err err = ERR_INIT;
    struct nn_report r;
    char path[512];

    (void)snprintf(path, sizeof path, "%s/suites/models/kws-float/kws-float.tflite",
                   getenv("TINYRIG_SOURCE"));
    assert_int_equal(file_read(path, 1 << 20, &model, &err), 0);
    assert_int_equal(nn_compile(model.data, model.len, &reference_target, &image, NULL, &err),
                     ERR_UNSUPPORTED);
    assert_non_null(
        strstr(err.text, "operator 0 CONV_2D v3: float32 needs a core that has an FPU"));
    err_clear(&err);
    assert_int_equal(nn_compile(model.data, model.len, &with, &image, &r, &err), 0);
    assert_true(nn_step_is_float(&r.steps[0]));
    nn_report_release(&r);
}

static void inputs_survive_unless_told_otherwise(void **state)
{
    for (uint32_t seed = 1; seed < 60; seed++) {
        AUTO_BUF model = BUF_INIT, first = BUF_INIT, second = BUF_INIT, in = BUF_INIT;
        struct host_run r;
        struct err err = ERR_INIT;
        uint32_t random = seed;

        opgen_make("reshape", seed, &model);
        assert_int_equal(host_run_open(&r, model.data, model.len, &reference_target, &err), 0);
        for (size_t i = 0; i < host_run_input_size(&r); i++)
            buf_putc(&in, (char)opgen_random(&random));
        host_run_infer(&r, in.data, in.len, &first);
        engine_tiny.invoke(&r.model);
        struct engine_tensor out = engine_tiny.tensor(&r.model, 1, 0);
        assert_memory_equal(first.data, out.data, out.size);
        host_run_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(says_what_is_not_a_model),
        cmocka_unit_test(names_operator_version_and_tensor),
        cmocka_unit_test(check_lists_every_problem),
        cmocka_unit_test(report_counts_what_the_model_does),
        cmocka_unit_test(explanation_shows_operators_and_hostile_names_are_inert),
        cmocka_unit_test(the_engine_sees_every_flipped_byte),
        cmocka_unit_test(a_step_outside_the_arena_is_refused),
        cmocka_unit_test(a_small_arena_is_refused_with_the_size_needed),
        cmocka_unit_test(options_choose_among_variants),
        cmocka_unit_test(kernels_are_named_by_words),
        cmocka_unit_test(float32_needs_an_fpu),
        cmocka_unit_test(the_list_of_operators_is_complete),
        cmocka_unit_test(inputs_survive_unless_told_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
