#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/recipe/calibrate.h"
#include "harness/recipe/data.h"
#include "harness/recipe/kinds.h"
#include "harness/tflite/fb.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                       \
    "model: m\n"                                                                                   \
    "description: d\n"                                                                             \
    "input: {shape: [1, 6, 5, 2], range: [-1, 1]}\n"                                               \
    "layers:\n"

static char folder[] = "/tmp/tinyrig-recipe-XXXXXX";

static const char *recipe_file(const char *text)
{
    static char path[128];
    struct err err = ERR_INIT;
    snprintf(path, sizeof(path), "%s/r.yaml", folder);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    return path;
}

static int load_text(const char *text, struct recipe *ret, struct err *err)
{
    return recipe_load(recipe_file(text), ret, err);
}

/* Fails to load, and the message has `where` ("line:column") and `what` in it. */
static void assert_refused(const char *text, const char *where, const char *what)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};
    struct err err = ERR_INIT;
    char place[64];
    int status = load_text(text, &r, &err);
    if (status == 0)
        status = recipe_build(&r, &result, &err);
    assert_int_equal(status, ERR_CONFIG);
    snprintf(place, sizeof(place), "r.yaml:%s: ", where);
    if (!strstr(err.text, place) || !strstr(err.text, what))
        fail_msg("wanted '%s' and '%s' in: %s", place, what, err.text);
}

static void mistakes_are_named_with_their_place(void **state)
{
    assert_refused(HEAD "  - conv3d: {filters: 1}\n", "5:5", "key 'conv3d' is not known");
    assert_refused(HEAD "  - conv2d: {filters: 1}\n", "5:13", "'kernel' is missing in 'conv2d'");
    assert_refused(HEAD "  - conv2d: {filters: 0, kernel: 1}\n", "5:23", "from 1 to");
    assert_refused(HEAD "  - conv2d: {filters: 1, kernel: [1, 2, 3]}\n", "5:13", "one number or");
    assert_refused(HEAD "  - dense: {units: 1, kernel: 3}\n", "5:23", "'kernel' is not known in");
    assert_refused(HEAD "  - dense: {units: 1, units: 2}\n", "5:23", "units");
    assert_refused(HEAD "  - dense: {units: 1, from: nowhere}\n", "5:29", "no layer 'nowhere'");
    assert_refused(HEAD "  - dense\n", "5:5", "'units' is missing in 'dense'");
    assert_refused(HEAD "  - {flatten: {}, relu: {}}\n", "5:5", "expected one layer, got 2");
    assert_refused(HEAD "  - relu: {name: a}\n  - relu: {name: a}\n", "6:5", "used twice");
    assert_refused(HEAD "  - add\n", "5:5", "needs 2 sources");
    assert_refused(HEAD "  - concat\n", "5:5", "two or more sources");
    assert_refused(HEAD "  - conv2d: {filters: 1, kernel: [7, 1]}\n", "5:5", "does not fit into 6");
    assert_refused(HEAD "  - reshape: {shape: [1, 59]}\n", "5:5", "59 elements, the source has 60");
    assert_refused(HEAD "  - tanh: {name: t}\n  - concat: {from: [input, t]}\n", "6:5",
                   "fixed ranges");
    assert_refused("model: [\n", "2:1", "");
}

static void sizes_beyond_reason_are_refused(void **state)
{
    assert_refused(HEAD "  - conv2d: {filters: 65536, kernel: 1024, padding: same}\n", "5:5",
                   "more than 16777216 weights");
    assert_refused(HEAD "  - dense: {units: 65536}\n  - dense: {units: 65536}\n", "6:5",
                   "more than 16777216 weights");
    assert_refused(HEAD "  - depthwise_conv2d: {kernel: 1, multiplier: 1024}\n"
                        "  - depthwise_conv2d: {kernel: 1, multiplier: 1024}\n",
                   "6:5", "too many");
    assert_refused(HEAD "  - reshape: {shape: [1048576, 1048576, 1048576, 1048576, 1048576]}\n",
                   "5:5", "elements, the source has 60");
    assert_refused("model: m\ndescription: d\ninput: {shape: [1, 1, 4000], range: [-1, 1]}\n"
                   "layers:\n  - stream: {frames: 4096}\n"
                   "  - stream: {frames: 4096, from: input}\n",
                   "6:5", "more than 16777216 weights or values of state");
    assert_refused("model: m\ndescription: d\nlayers: [flatten]\n"
                   "input: {shape: [1, 32768, 32768, 4], range: [-1, 1]}\n",
                   "4:8", "'shape' has more than 16777216 elements");
    assert_refused(HEAD "  - pad: {pads: [0, 9, 1048576, 1048576, 0, 0, 0, 0]}\n", "5:5",
                   "too many elements");
}

static void all_mistakes_are_named_at_once_with_suggestions(void **state)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    struct err err = ERR_INIT;
    assert_int_equal(load_text(HEAD "  - con2d: {filters: 1}\n  - sotfmax\n", &r, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "(did you mean 'conv2d'?)"));
    assert_non_null(strstr(err.text, "(did you mean 'softmax'?)"));
}

static const char two_branches[] =
    HEAD "  - conv2d: {name: a, filters: 3, kernel: [3, 2], stride: [2, 1], padding: same,\n"
         "             activation: relu}\n"
         "  - depthwise_conv2d: {name: b, kernel: 3, multiplier: 2, padding: same}\n"
         "  - conv2d: {name: c, filters: 6, kernel: 1, from: a, dilation: 2}\n"
         "  - add: {from: [b, c], activation: relu6}\n"
         "  - max_pool: {kernel: 2}\n"
         "  - average_pool: {kernel: [1, 2], padding: same}\n"
         "  - global_average_pool\n"
         "  - flatten\n"
         "  - dense: {units: 4}\n"
         "  - relu\n"
         "  - dense: {units: 3}\n";

static void same_recipe_gives_same_bytes_and_another_seed_others(void **state)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    AUTO(recipe_result_release) struct recipe_result a = {.macs = 0};
    AUTO(recipe_result_release) struct recipe_result b = {.macs = 0};
    AUTO(recipe_result_release) struct recipe_result c = {.macs = 0};
    struct err err = ERR_INIT;
    assert_int_equal(load_text(two_branches, &r, &err), 0);
    assert_int_equal(recipe_build(&r, &a, &err), 0);
    assert_int_equal(recipe_build(&r, &b, &err), 0);
    r.seed++;
    assert_int_equal(recipe_build(&r, &c, &err), 0);
    assert_int_equal(a.tflite.len, b.tflite.len);
    assert_memory_equal(a.tflite.data, b.tflite.data, a.tflite.len);
    assert_int_not_equal(memcmp(a.tflite.data, c.tflite.data, a.tflite.len), 0);
    /* a: 3 rows x 5 columns x 3*2*2 taps x 3; b: 15 x 9 x 6; c: 15 x 3 x 6; dense 6*4 + 4*3 */
    assert_int_equal(a.macs, 15 * 36 + 15 * 54 + 15 * 18 + 24 + 12);
}

/* One number to minimise: a fixed weighting of the outputs. */
static double score(const struct graph *g, double **values)
{
    const struct layer *last = &g->layers[g->count - 1];
    double sum = 0;
    graph_forward(g, values);
    for (int i = 0; i < last->size; i++)
        sum += (i + 1) * values[g->count - 1][i];
    return sum;
}

/* The gradients that the kinds' backward passes give for score(), as train.c walks them. */
static void backward(struct graph *g, double **values, double **grads, double **weights_grad,
                     double **bias_grad)
{
    const struct layer *last = &g->layers[g->count - 1];
    for (int i = 0; i < last->size; i++)
        grads[g->count - 1][i] = i + 1;
    for (int k = g->count - 1; k >= 1; k--) {
        const struct layer *l = &g->layers[k];
        const double *in[LAYER_SOURCES_MAX];
        double *in_grad[LAYER_SOURCES_MAX];
        for (int s = 0; s < l->from_count; s++) {
            in[s] = values[l->from[s]];
            in_grad[s] = grads[l->from[s]];
        }
        for (int i = 0; i < l->size; i++)
            if ((l->options->activation != ACT_NONE && values[k][i] <= 0) ||
                (l->options->activation == ACT_RELU6 && values[k][i] >= 6))
                grads[k][i] = 0;
        struct backward b = {in, grads[k], in_grad, weights_grad[k], bias_grad[k]};
        l->kind->backward(g, l, &b);
    }
}

static void assert_slope(const struct graph *g, double **values, double *parameter, double expected)
{
    const double h = 1e-6;
    double kept = *parameter;
    *parameter = kept + h;
    double above = score(g, values);
    *parameter = kept - h;
    double below = score(g, values);
    *parameter = kept;
    double slope = (above - below) / (2 * h);
    if (fabs(slope - expected) > 1e-5 * (1 + fabs(slope)))
        fail_msg("slope %g, backward pass says %g", slope, expected);
}

/* Oracle: differences of the forward pass. */
static void backward_passes_give_the_slopes_of_the_forward_pass(void **state)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    AUTO(graph_release) struct graph g = {.recipe = NULL};
    struct err err = ERR_INIT;
    double *weights_grad[16];
    double *bias_grad[16];
    assert_int_equal(load_text(two_branches, &r, &err), 0);
    assert_int_equal(graph_build(&r, &g, &err), 0);
    double **values = graph_alloc_values(&g);
    double **grads = graph_alloc_values(&g);
    struct rng rng = rng_of(5, STREAM_TRAIN);
    for (int i = 0; i < g.layers[0].size; i++)
        values[0][i] = rng_uniform(&rng, -1, 1);
    for (int k = 0; k < g.count; k++) {
        weights_grad[k] = arena_alloc(&g.arena, (size_t)g.layers[k].weight_count * sizeof(double));
        bias_grad[k] = arena_alloc(&g.arena, (size_t)g.layers[k].channels * sizeof(double));
        for (int i = 0; i < g.layers[k].channels; i++)
            g.layers[k].bias[i] = rng_uniform(&rng, 0, 0.5);
    }
    score(&g, values);
    backward(&g, values, grads, weights_grad, bias_grad);
    for (int k = 1; k < g.count; k++) {
        for (int i = 0; i < g.layers[k].weight_count; i++)
            assert_slope(&g, values, &g.layers[k].weights[i], weights_grad[k][i]);
        for (int i = 0; i < g.layers[k].channels; i++)
            assert_slope(&g, values, &g.layers[k].bias[i], bias_grad[k][i]);
    }
    for (int i = 0; i < g.layers[0].size; i++)
        assert_slope(&g, values, &values[0][i], grads[0][i]);
}

/* Oracle: the C library's own functions. */
static void own_functions_agree_with_the_c_library(void **state)
{
    for (int i = -3000; i < 3000; i++) {
        double x = i * 0.0101;
        assert_true(fabs(repro_exp(x) - exp(x)) <= 4e-15 * exp(x));
        assert_true(fabs(repro_sin(x) - sin(x)) <= 1e-14);
        assert_true(fabs(repro_tanh(x) - tanh(x)) <= 1e-14);
        assert_true(fabs(repro_logistic(x) - 1 / (1 + exp(-x))) <= 1e-14);
    }
    assert_true(repro_exp(-1e9) == 0);
    assert_true(repro_exp(0) == 1);
}

/* Published test vector: SplitMix64 from state 1234567 (Vigna's reference implementation). */
static void random_numbers_are_splitmix64(void **state)
{
    struct rng r = {1234567};
    assert_true(rng_next(&r) == 6457827717110365317u);
    assert_true(rng_next(&r) == 3203168211198807973u);
    assert_true(rng_next(&r) == 9817491932198370423u);
}

static void quantisation_holds_zero_exactly_and_covers_the_range(void **state)
{
    struct quantisation q = quantisation_of(TYPE_INT8, 0.5, 2.55);
    assert_true(q.zero_point == -128 && fabsf(q.scale - 0.01F) < 1e-6F);
    q = quantisation_of(TYPE_INT8, -1, 1.55);
    assert_int_equal(quantise(0, TYPE_INT8, q), q.zero_point);
    assert_int_equal(quantise(-1, TYPE_INT8, q), -128);
    assert_int_equal(quantise(1.55, TYPE_INT8, q), 127);
    assert_int_equal(quantise(99, TYPE_INT8, q), 127);
    q = quantisation_of(TYPE_INT16, -2, 1);
    assert_true(q.zero_point == 0 && quantise(-2, TYPE_INT16, q) == -32767);
}

/* flatbuffers.dev "Internals": offsets count from where they are stored, a vtable before its table. */
static void flatbuffer_bytes_are_as_published(void **state)
{
    AUTO_BUF b = BUF_INIT;
    static const uint8_t expected[] = {
        20, 0, 0,  0, 'T', 'E', 'S', 'T',                  /* root: 20 on, identifier */
        12, 0, 13, 0, 12,  0,   4,   0,   0,   0, 8, 0,    /* vtable: sizes, fields 0, 1, (2), 3 */
        12, 0, 0,  0, 7,   0,   0,   0,   8,   0, 0, 0, 1, /* table: vtable 12 back, i32, ref, u8 */
        0,  0, 0,  2, 0,   0,   0,   'h', 'i', 0,          /* string after padding */
    };
    struct fb_field fields[] = {
        {.id = 0, .kind = FB_U8, .i = 1},
        {.id = 1, .kind = FB_I32, .i = 7},
        {.id = 3, .kind = FB_REF},
    };
    fb_slot_t root = fb_begin(&b, "TEST");
    size_t table = fb_table(&b, root, fields, ARRAY_SIZE(fields));
    fb_string(&b, fb_slot(&b, table, 3), "hi");
    assert_int_equal(b.len, sizeof(expected));
    assert_memory_equal(b.data, expected, sizeof(expected));
}

static void every_data_source_stays_in_its_range_and_classes(void **state)
{
    for (const char *const *name = data_names; *name; name++) {
        const struct data_source *d = data_find(*name);
        struct recipe_input in = {.shape = {{1, 12, 9, 3}, 4}, .data = d, .low = -2, .high = 3};
        double x[324];
        double target[324];
        struct sample s = {.x = x, .target = target};
        struct rng r = rng_of(1, STREAM_TEST);
        if (d->rank > 0) {
            in.shape.rank = d->rank;
            memcpy(in.shape.dim, d->dim, sizeof(d->dim));
        }
        int n = 1;
        for (int i = 0; i < in.shape.rank; i++)
            n *= in.shape.dim[i];
        for (int round = 0; round < 50; round++) {
            d->draw(&r, &in, &s);
            for (int i = 0; i < n; i++)
                assert_true(x[i] >= in.low && x[i] <= in.high);
            assert_true(s.label >= 0 && s.label < (d->classes ? d->classes : 1));
        }
    }
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    unlink(recipe_file(""));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(sizes_beyond_reason_are_refused),
        cmocka_unit_test(all_mistakes_are_named_at_once_with_suggestions),
        cmocka_unit_test(same_recipe_gives_same_bytes_and_another_seed_others),
        cmocka_unit_test(backward_passes_give_the_slopes_of_the_forward_pass),
        cmocka_unit_test(own_functions_agree_with_the_c_library),
        cmocka_unit_test(random_numbers_are_splitmix64),
        cmocka_unit_test(quantisation_holds_zero_exactly_and_covers_the_range),
        cmocka_unit_test(flatbuffer_bytes_are_as_published),
        cmocka_unit_test(every_data_source_stays_in_its_range_and_classes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
