/* Chains of operators in strips of rows: the same bytes come out, from a smaller arena. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/recipe/recipe.h"
#include "tests/support/host_run.h"
#include "tests/support/layergen.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

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

typedef int make_fn(uint32_t seed, struct buf *ret, struct err *err);

/* How many models, each with four sets of kernels, ran in strips. */
static unsigned compare_models(make_fn *make, uint32_t seeds)
{
    static const uint32_t variants[] = {0, 1u << KERNEL_TUNED, 1u << KERNEL_ARMV7EM,
                                        1u << KERNEL_MVE};
    unsigned split = 0;

    for (uint32_t seed = 1; seed <= seeds; seed++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;

        if (make(seed, &model, &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
            split += compare(&model, variants[i], seed % 2, seed);
    }
    print_message("%u of %u models ran in strips\n", split, 4 * seeds);
    return split;
}

static void strips_change_no_output(void **state)
{
    assert_true(compare_models(layergen_chain, 40) >= 40);
}

/* Tensors with several readers, operands of other scales in either order, joins of all kinds. */
static void branches_change_no_output(void **state)
{
    assert_true(compare_models(layergen_branches, 20) >= 40);
}

/* What it comes to, by compiling for `target`; ret_twice in MACs, may be NULL. */
static uint32_t arena_of(const struct buf *model, struct nn_target target, uint64_t *ret_twice)
{
    AUTO_BUF image = BUF_INIT;
    struct nn_report report = {.arena = ARENA_INIT};
    struct err err = ERR_INIT;

    if (nn_compile(model->data, model->len, &target, &image, &report, &err) < 0)
        fail_msg("%s", err.text);
    const uint32_t size = report.arena_bytes;
    if (ret_twice)
        *ret_twice = report.recomputed_macs;
    nn_report_release(&report);
    return size;
}

/* Tensors of 16384 bytes, three at a time when they are whole: one and some rows suffice. */
static void what_is_added_is_never_whole(void **state)
{
    AUTO_BUF model = BUF_INIT;
    struct err err = ERR_INIT;

    if (layergen_recipe(
            "model: m\ndescription: conv and add\nseed: 1\ncalibration: 1\n"
            "input: {shape: [1, 32, 32, 4], type: int8, data: smooth, range: [-1, 1]}\nlayers:\n"
            "  - conv2d: {name: x, filters: 16, kernel: 3, padding: same}\n"
            "  - conv2d: {name: short, from: x, filters: 16, kernel: 3, padding: same}\n"
            "  - conv2d: {name: y, from: x, filters: 16, kernel: 1}\n"
            "  - add: {name: z, from: [short, y], activation: relu}\n"
            "  - add: {from: [z, x]}\n"
            "  - global_average_pool\n",
            &model, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(arena_of(&model, (struct nn_target){.whole = true}, NULL) >= 3 * 16384);
    assert_true(arena_of(&model, (struct nn_target){.whole = false}, NULL) <= 2 * 16384);
}

/* Tiles only where strips as wide as the image need an eighth more; no output changes. */
static void wide_images_run_in_tiles(void **state)
{
    unsigned tiled = 0;

    for (uint32_t seed = 1; seed <= 10; seed++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;
        uint64_t twice = 0;

        if (layergen_wide(seed, &model, &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        (void)compare(&model, 0, seed % 2, seed);
        (void)compare(&model, 1u << (KERNEL_TUNED + seed % 3), seed % 2, seed);
        const uint32_t rows = arena_of(&model, (struct nn_target){.rows = true}, &twice);
        assert_int_equal(twice, 0);
        const uint32_t tiles = arena_of(&model, (struct nn_target){.rows = false}, &twice);
        assert_true(tiles <= rows);
        assert_true(!twice || tiles <= rows * 7 / 8 + 4);
        tiled += twice != 0;
    }
    print_message("%u of 10 models ran in tiles\n", tiled);
    assert_true(tiled >= 4);
}

/* The larger recipes need much less than whole tensors do; what they print is the gain. */
static void early_layers_need_less(void **state)
{
    static const char *const names[] = {"ic", "vww", "face-mask", "pose"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO(recipe_release) struct recipe r = {.name = NULL};
        AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;
        char path[512];

        (void)snprintf(path, sizeof path, "%s/suites/models/%s/recipe.yaml",
                       getenv("TINYRIG_SOURCE"), names[i]);
        if (recipe_load(path, &r, &err) < 0 || recipe_build(&r, &result, &err) < 0)
            fail_msg("%s", err.text);
        buf_append(&model, result.tflite.data, result.tflite.len);
        const uint32_t arena[] = {arena_of(&model, (struct nn_target){.whole = false}, NULL),
                                  arena_of(&model, (struct nn_target){.whole = true}, NULL)};
        print_message("%s: %u B in strips, %u B whole\n", names[i], arena[0], arena[1]);
        assert_true(arena[0] < arena[1] * 7 / 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_change_no_output),      cmocka_unit_test(branches_change_no_output),
        cmocka_unit_test(what_is_added_is_never_whole), cmocka_unit_test(wide_images_run_in_tiles),
        cmocka_unit_test(early_layers_need_less),
    };

    return cmocka_run_group_tests_name("strips", tests, NULL, NULL);
}
