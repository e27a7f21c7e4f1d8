/* Chains of operators in strips of rows: the same bytes come out, from a smaller arena. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/recipe/recipe.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

static uint32_t draw(uint32_t *state, uint32_t n)
{
    return (opgen_random(state) >> 8) % n;
}

static void add_window(struct buf *b, uint32_t *state, const char *kind)
{
    const bool same = draw(state, 4) != 0;
    const uint32_t kernel = 1 + draw(state, same ? 5 : 3), stride = 1 + draw(state, 2);

    buf_printf(b, "  - %s: {", kind);
    if (strcmp(kind, "conv2d") == 0)
        buf_printf(b, "filters: %u, ", 4 * (1 + draw(state, 6)));
    buf_printf(b, "kernel: [%u, %u], stride: %u, padding: %s", kernel, 1 + draw(state, kernel),
               stride, same ? "same" : "valid");
    if (strstr(kind, "conv2d")) {
        if (stride == 1 && draw(state, 3) == 0)
            buf_puts(b, ", dilation: 2");
        if (draw(state, 2))
            buf_puts(b, ", activation: relu");
    }
    buf_puts(b, "}\n");
}

/* x + f(f(x)), as residual networks have it. */
static void add_residual(struct buf *b, uint32_t *state, int i)
{
    buf_printf(b,
               "  - conv2d: {name: x%d, filters: 8, kernel: 3, padding: same}\n"
               "  - conv2d: {filters: %u, kernel: 3, padding: same, activation: relu}\n"
               "  - conv2d: {name: y%d, filters: 8, kernel: [%u, 1], padding: same}\n"
               "  - add: {from: [x%d, y%d], activation: relu}\n",
               i, 4 * (1 + draw(state, 4)), i, 1 + draw(state, 4), i, i);
}

static void write_recipe(uint32_t seed, struct buf *b)
{
    static const char *const kinds[] = {"conv2d",           "depthwise_conv2d", "conv2d",
                                        "depthwise_conv2d", "max_pool",         "average_pool"};
    uint32_t state = seed * 2654435761u | 1;

    for (int i = 0; i < 4; i++)
        opgen_random(&state);
    buf_printf(
        b,
        "model: m\ndescription: chain\nseed: %u\ncalibration: 1\n"
        "input: {shape: [1, %u, %u, 4], type: int8, data: smooth, range: [-1, 1]}\nlayers:\n",
        seed, 40 + draw(&state, 20), 10 + draw(&state, 20));
    const int layers = 2 + (int)draw(&state, 5);
    for (int i = 0; i < layers; i++) {
        if (draw(&state, 6) == 0)
            add_residual(b, &state, i);
        else if (draw(&state, 6) == 0)
            buf_puts(b, "  - leaky_relu: {alpha: 0.2}\n");
        else
            add_window(b, &state, kinds[draw(&state, 6)]);
    }
    buf_puts(b, "  - global_average_pool\n");
}

static void make_model(uint32_t seed, struct buf *ret)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    write_recipe(seed, &text);
    if (recipe_parse(buf_text(&text), text.len, "r.yaml", &r, &err) < 0 ||
        recipe_build(&r, &result, &err) < 0)
        fail_msg("seed %u: %s\n%s", seed, err.text, buf_text(&text));
    buf_append(ret, result.tflite.data, result.tflite.len);
}

static void infer(struct host_run *r, uint32_t seed, struct buf *out)
{
    AUTO_BUF in = BUF_INIT;
    uint32_t state = seed | 1;

    for (size_t n = host_run_input_size(r); n > 0; n--)
        buf_putc(&in, (char)(opgen_random(&state) >> 24));
    for (int i = 0; i < 2; i++) /* again: what must survive has survived */
        assert_true(host_run_infer(r, in.data, in.len, out));
}

static bool has_parts(const struct nn_report *r)
{
    for (size_t i = 0; i < r->step_count; i++) {
        if (r->steps[i].part)
            return true;
    }
    return false;
}

/* In strips, whole, and with every buffer in memory of its own; true when strips were chosen. */
static bool compare(const struct buf *model, uint32_t variants, bool reuse, uint32_t seed)
{
    const struct nn_target targets[] = {
        {.variants = variants, .reuse_inputs = reuse},
        {.variants = variants, .reuse_inputs = reuse, .whole = true},
        {.variants = variants, .reuse_inputs = reuse, .apart = true}};
    AUTO_BUF first = BUF_INIT;
    uint32_t arena = 0;
    bool parts = false;

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        struct host_run r = {.image = BUF_INIT};
        struct err err = ERR_INIT;
        AUTO_BUF out = BUF_INIT;
        if (host_run_open(&r, model->data, model->len, &targets[i], &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        infer(&r, seed, i ? &out : &first);
        if (i && (out.len != first.len || memcmp(out.data, first.data, out.len) != 0))
            fail_msg("seed %u, variants %x: the outputs differ", seed, variants);
        if (i == 0) {
            arena = r.report.arena_bytes;
            parts = has_parts(&r.report);
        } else if (targets[i].whole) {
            assert_false(has_parts(&r.report));
            assert_true(!parts || variants || arena <= r.report.arena_bytes * 7 / 8 + 4);
        }
        host_run_close(&r);
    }
    return parts;
}

static void strips_change_no_output(void **state)
{
    static const uint32_t variants[] = {0, 1u << KERNEL_TUNED, 1u << KERNEL_ARMV7EM,
                                        1u << KERNEL_MVE};
    unsigned split = 0;

    for (uint32_t seed = 1; seed <= 40; seed++) {
        AUTO_BUF model = BUF_INIT;

        make_model(seed, &model);
        for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
            split += compare(&model, variants[i], seed % 2, seed);
    }
    print_message("%u of 160 models ran in strips\n", split);
    assert_true(split >= 40);
}

/* The larger recipes need much less than whole tensors do; what they print is the gain. */
static void early_layers_need_less(void **state)
{
    static const char *const names[] = {"ic", "vww", "face-mask"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO(recipe_release) struct recipe r = {.name = NULL};
        AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};
        uint32_t arena[2] = {0, 0};
        struct err err = ERR_INIT;
        char path[512];

        (void)snprintf(path, sizeof path, "%s/suites/models/%s/recipe.yaml",
                       getenv("TINYRIG_SOURCE"), names[i]);
        if (recipe_load(path, &r, &err) < 0 || recipe_build(&r, &result, &err) < 0)
            fail_msg("%s", err.text);
        for (int whole = 0; whole < 2; whole++) {
            const struct nn_target target = {.whole = whole};
            AUTO_BUF image = BUF_INIT;
            struct nn_report report = {.arena = ARENA_INIT};
            assert_int_equal(
                nn_compile(result.tflite.data, result.tflite.len, &target, &image, &report, &err),
                0);
            arena[whole] = report.arena_bytes;
            nn_report_release(&report);
        }
        print_message("%s: %u B in strips, %u B whole\n", names[i], arena[0], arena[1]);
        assert_true(arena[0] < arena[1] * 7 / 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_change_no_output),
        cmocka_unit_test(early_layers_need_less),
    };

    return cmocka_run_group_tests_name("strips", tests, NULL, NULL);
}
