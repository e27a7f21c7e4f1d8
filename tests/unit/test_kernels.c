/*
 * The kernels against oracles written here from the definitions, with 64-bit integers and doubles.
 * (The golden suite compares every operator with a second oracle, in Python.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/arith.h"
#include "agents/kernels/kernels.h"
#include "harness/nn/quant.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

/* ---- arithmetic ---- */

/* gemmlowp's definition, word for word: the nudge depends on the sign, division truncates. */
static int32_t defined_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    int64_t product = (int64_t)a * (int64_t)b;
    int64_t nudge = product >= 0 ? (1LL << 30) : 1 - (1LL << 30);
    return (int32_t)((product + nudge) / (1LL << 31));
}

/* Division by a power of two, ties away from zero, through long double. */
static int32_t defined_shift_right(int32_t x, int n)
{
    return (int32_t)llroundl((long double)x / (long double)(1LL << n));
}

static int32_t edge_or_random(uint32_t *state)
{
    static const int32_t edges[] = {
        0,       1,          -1,           INT32_MAX, INT32_MIN, INT32_MAX - 1, INT32_MIN + 1,
        1 << 30, -(1 << 30), (1 << 30) + 1};
    uint32_t r = opgen_random(state);

    return r % 4 ? (int32_t)opgen_random(state) >> (r >> 8) % 32 : edges[(r >> 8) % 10];
}

static void rounding_is_as_defined(void **state)
{
    uint32_t random = 12345;

    for (int i = 0; i < 2000000; i++) {
        int32_t a = edge_or_random(&random), b = edge_or_random(&random);
        int n = (int)(opgen_random(&random) % 32);
        assert_int_equal(arith_high_mul(a, b), defined_high_mul(a, b));
        if (a != INT32_MIN || b != INT32_MIN)
            assert_int_equal(arith_high_mul_pieces(a, b), defined_high_mul(a, b));
        assert_int_equal(arith_shift_right(a, n), defined_shift_right(a, n));
    }
}

static void requantising_rounds_twice(void **state)
{
    /* 0.75 * 1 = 0.75 -> 1 -> 1/2 -> 1 (away): one rounding would give 0. */
    assert_int_equal(arith_requantize(1, 0x60000000, -1), 1);
    assert_int_equal(arith_requantize(-3, 1 << 30, -1), -1);
    assert_int_equal(arith_requantize(5, 1 << 30, 1), 5);
}

/* 0.5 <= q < 1 with q * 2^shift = real, q to 31 bits. */
static void multipliers_are_nearest(void **state)
{
    uint32_t random = 99;

    for (int i = 0; i < 100000; i++) {
        double real =
            ldexp((double)opgen_random(&random) + 1, (int)(opgen_random(&random) % 40) - 60);
        struct quant_multiplier m;
        assert_true(quant_multiplier(real, &m));
        if (m.multiplier == 0) {
            assert_true(real < ldexp(1, -31));
            continue;
        }
        assert_true(m.multiplier >= 1 << 30);
        double back = ldexp(m.multiplier, m.shift - 31);
        assert_true(fabs(back - real) <= ldexp(0.5, m.shift - 31));
    }
}

static void fixed_point_functions_are_close_to_the_real_ones(void **state)
{
    uint32_t random = 7;

    for (int i = 0; i < 100000; i++) {
        int32_t a = -(int32_t)(opgen_random(&random) >> 1);
        double x = ldexp(a, -26), y = ldexp(a, -27);
        assert_true(fabs(ldexp(quant_exp_on_negative(a, 5), -31) - exp(x)) < 3e-7);
        assert_true(fabs(ldexp(quant_logistic(a, 4), -31) - 1 / (1 + exp(-y))) < 3e-7);
        assert_true(fabs(ldexp(quant_logistic(-a, 4), -31) - 1 / (1 + exp(y))) < 3e-7);
        assert_true(fabs(ldexp(quant_tanh(a, 4), -31) - tanh(y)) < 1e-6);
    }
}

/* ---- convolution ---- */

struct image {
    int32_t h, w, c;
    const int8_t *data;
    int32_t zero;
};

/* The value at (y, x, c) as a real number in units of the scale; 0 outside. */
static int64_t real_at(const struct image *m, int32_t y, int32_t x, int32_t c)
{
    if (y < 0 || y >= m->h || x < 0 || x >= m->w)
        return 0;
    return m->data[(y * m->w + x) * m->c + c] - m->zero;
}

static int8_t finish(int64_t sum, const struct kernel_channel *c, const struct kernel_conv *p)
{
    int64_t v = sum + c->bias;
    int32_t left = c->shift > 0 ? c->shift : 0, right = c->shift > 0 ? 0 : -c->shift;

    v = defined_shift_right(defined_high_mul((int32_t)(v * (1LL << left)), c->multiplier), right);
    v += p->out_offset;
    return (int8_t)(v < p->act_min ? p->act_min : v > p->act_max ? p->act_max : v);
}

static int64_t tap_sum(const struct kernel_conv *p, const struct image *in, const int8_t *weights,
                       const int32_t at[3], bool depthwise)
{
    int64_t sum = 0;
    int32_t oy = at[0], ox = at[1], oc = at[2];

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        for (int32_t fx = 0; fx < p->filter_w; fx++) {
            int32_t y = oy * p->stride_h - p->pad_top + fy * p->dilation_h;
            int32_t x = ox * p->stride_w - p->pad_left + fx * p->dilation_w;
            int32_t tap = fy * p->filter_w + fx;
            if (depthwise) {
                sum += real_at(in, y, x, oc / (p->out_c / p->in_c)) * weights[tap * p->out_c + oc];
                continue;
            }
            for (int32_t c = 0; c < p->in_c; c++)
                sum += real_at(in, y, x, c) *
                       weights[(oc * p->filter_h * p->filter_w + tap) * p->in_c + c];
        }
    }
    return sum;
}

static uint32_t between(uint32_t *state, uint32_t low, uint32_t high)
{
    return low + opgen_random(state) % (high - low + 1);
}

static void fill_random(uint32_t *state, int8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = (int8_t)(opgen_random(state) >> 24);
}

static struct kernel_conv random_conv(uint32_t *state, bool depthwise)
{
    struct kernel_conv p = {.batches = 1, .act_min = INT8_MIN, .act_max = INT8_MAX};

    p.filter_h = (uint16_t)between(state, 1, 4);
    p.filter_w = (uint16_t)between(state, 1, 4);
    p.stride_h = (uint16_t)between(state, 1, 3);
    p.stride_w = (uint16_t)between(state, 1, 3);
    p.dilation_h = (uint16_t)between(state, 1, 2);
    p.dilation_w = (uint16_t)between(state, 1, 2);
    p.in_h = (uint16_t)between(state, 1, 9);
    p.in_w = (uint16_t)between(state, 1, 9);
    p.in_c = (uint16_t)between(state, 1, 9);
    p.filter_c = p.in_c;
    p.out_h = (uint16_t)between(state, 1, 6);
    p.out_w = (uint16_t)between(state, 1, 6);
    p.out_c = (uint16_t)(depthwise ? p.in_c * between(state, 1, 3) : between(state, 1, 9));
    p.pad_top = (int16_t)between(state, 0, 3);
    p.pad_left = (int16_t)between(state, 0, 3);
    p.in_offset = (int16_t)((int)between(state, 0, 255) - 127);
    p.out_offset = (int16_t)((int)between(state, 0, 255) - 128);
    if (between(state, 0, 1))
        p.act_min = p.out_offset;
    return p;
}

static void check_conv(uint32_t seed, bool depthwise)
{
    uint32_t state = seed * 2654435761u | 1;
    struct kernel_conv p = random_conv(&state, depthwise);
    int8_t in[9 * 9 * 9], out[6 * 6 * 27], weights[9 * 16 * 27];
    struct kernel_channel channels[27];
    void *at[] = {in, out, weights, channels};
    struct kernel_span spans[] = {{0, sizeof in},
                                  {0, (uint32_t)p.out_h * p.out_w * p.out_c},
                                  {0, sizeof weights},
                                  {0, sizeof channels}};
    const struct kernel *k =
        kernel_find(KERNEL_REF, depthwise ? KERNEL_DEPTHWISE_S8 : KERNEL_CONV_S8);

    fill_random(&state, in, sizeof in);
    fill_random(&state, weights, sizeof weights);
    for (size_t i = 0; i < 27; i++)
        channels[i] = (struct kernel_channel){(int32_t)between(&state, 0, 20000) - 10000,
                                              (int32_t)between(&state, 1 << 30, INT32_MAX),
                                              -(int32_t)between(&state, 2, 12)};
    assert_true(k->check(&p, spans));
    spans[1].size--;
    assert_false(k->check(&p, spans));
    k->run(&p, at);
    struct image image = {p.in_h, p.in_w, p.in_c, in, -p.in_offset};
    for (int32_t i = 0; i < p.out_h * p.out_w * p.out_c; i++) {
        int32_t c = i % p.out_c, x = i / p.out_c % p.out_w, y = i / p.out_c / p.out_w;
        int64_t sum = tap_sum(&p, &image, weights, (const int32_t[]){y, x, c}, depthwise);
        assert_int_equal(out[i], finish(sum, &channels[c], &p));
    }
}

static void convolution_is_as_defined(void **state)
{
    for (uint32_t seed = 1; seed <= 300; seed++)
        check_conv(seed, false);
}

static void depthwise_convolution_is_as_defined(void **state)
{
    for (uint32_t seed = 1; seed <= 300; seed++)
        check_conv(seed, true);
}

/* ---- softmax ---- */

static void softmax_is_close_to_the_real_one_and_sums_to_one(void **state)
{
    uint32_t random = 31;

    for (int round = 0; round < 500; round++) {
        int32_t table[256];
        int8_t in[20], out[20];
        double scale = 0.01 + between(&random, 0, 400) / 1000.0, sum = 0, total = 0;
        struct kernel_softmax p = {.rows = 1, .depth = 20, .out_type = KERNEL_S8};
        void *at[] = {in, out, table};

        fill_random(&random, in, sizeof in);
        for (p.entries = 0; p.entries < 256 && p.entries * scale < 31; p.entries++)
            table[p.entries] =
                p.entries ? (int32_t)(exp(-scale * p.entries) * 2147483648.0) : INT32_MAX;
        kernel_find(KERNEL_REF, KERNEL_SOFTMAX_S8)->run(&p, at);
        for (int i = 0; i < 20; i++)
            sum += exp(scale * in[i]);
        for (int i = 0; i < 20; i++) {
            assert_true(fabs((out[i] + 128) / 256.0 - exp(scale * in[i]) / sum) <=
                            0.5 / 256 + 1e-3 ||
                        out[i] == 127);
            total += (out[i] + 128) / 256.0;
        }
        assert_true(fabs(total - 1) < 0.05);
    }
}

static void hostile_copies_are_refused(void **state)
{
    const struct kernel *k = kernel_find(KERNEL_REF, KERNEL_COPY);
    struct kernel_copy p = {
        .rank = 2, .run = 1, .dims = {4, 4}, .in_strides = {4, 1}, .out_strides = {4, 1}};
    struct kernel_span spans[] = {{0, 16}, {0, 16}};

    assert_true(k->check(&p, spans));
    p.in_strides[0] = -4;
    assert_false(k->check(&p, spans));
    p.in_start = 12;
    assert_true(k->check(&p, spans));
    p.dims[0] = 5;
    assert_false(k->check(&p, spans));
    p.dims[0] = 0;
    assert_false(k->check(&p, spans));
    p.dims[0] = 4;
    p.rank = 7;
    assert_false(k->check(&p, spans));
}

/* Within spans of no size they would stay for hours. (Found by fuzzing.) */
static void loops_over_nothing_are_refused(void **state)
{
    static const struct kernel_gather gather = {.batches = 1u << 20, .before = 1u << 12, .n = 1};
    static const struct kernel_arg_max arg_max = {.before = UINT32_MAX, .n = 1};
    static const struct kernel_resize resize = {UINT16_MAX, 1, 1, UINT16_MAX, 1, 0, 0};
    const struct kernel_span nothing[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    const struct kernel_span tables[4] = {{0, 0}, {0, 0}, {0, 1u << 20}, {0, 1u << 20}};

    assert_false(kernel_find(KERNEL_REF, KERNEL_GATHER)->check(&gather, nothing));
    assert_false(kernel_find(KERNEL_REF, KERNEL_ARG_MAX)->check(&arg_max, nothing));
    assert_false(kernel_find(KERNEL_REF, KERNEL_RESIZE_NEAREST)->check(&resize, tables));
    assert_false(kernel_find(KERNEL_REF, KERNEL_RESIZE_BILINEAR_S8)->check(&resize, tables));
}

/* Steps without a distance walk over the same few bytes, however often they are told to. */
static void walks_longer_than_their_spans_are_refused(void **state)
{
    static const struct kernel_copy copy = {.rank = 2, .run = 1, .dims = {1 << 20, 1 << 20}};
    static const struct kernel_reduce reduce = {
        .type = KERNEL_S8, .inner_rank = 2, .inner_dims = {1 << 20, 1 << 20}};
    static const struct kernel_lstm lstm = {
        .steps = UINT32_MAX, .batches = 1, .in_n = 1, .units = 1};
    struct kernel_span spans[KERNEL_MAX_SPANS];

    for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
        spans[i] = (struct kernel_span){0, 4096};
    assert_false(kernel_find(KERNEL_REF, KERNEL_COPY)->check(&copy, spans));
    assert_false(kernel_find(KERNEL_REF, KERNEL_MEAN)->check(&reduce, spans));
    assert_false(kernel_find(KERNEL_REF, KERNEL_LSTM_S8)->check(&lstm, spans));
    /* It begins like that of int8. */
    assert_false(kernel_find(KERNEL_REF, KERNEL_LSTM_F32)->check(&lstm, spans));
}

/* A reduction of no dimensions is one of one element. */
static bool may_be_zeros(unsigned kind)
{
    return kind == KERNEL_MEAN || kind == KERNEL_REDUCE_MAX || kind == KERNEL_REDUCE_F32;
}

/* Nor does any check divide by what is in there. */
static void parameters_of_zeros_are_refused(void **state)
{
    static const uint8_t bytes[] = {1, 0x7f, 0x80, 0xff, 0};
    struct kernel_span spans[KERNEL_MAX_SPANS];
    uint32_t params[64];
    bool taken = false;

    for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
        spans[i] = (struct kernel_span){0, 0x00ffffff};
    for (unsigned i = 0; i < KERNEL_VARIANT_COUNT * KERNEL_KIND_COUNT; i++) {
        const struct kernel *k = kernel_find(i / KERNEL_KIND_COUNT, i % KERNEL_KIND_COUNT);
        assert_true(kernel_params_size(i % KERNEL_KIND_COUNT) <= sizeof params);
        for (size_t n = 0; k && n < sizeof bytes; n++) {
            memset(params, bytes[n], sizeof params);
            taken = k->check(params, spans);
        }
        if (k && taken && !may_be_zeros(i % KERNEL_KIND_COUNT))
            fail_msg("variant %u of kernel %u takes zeros", i / KERNEL_KIND_COUNT,
                     i % KERNEL_KIND_COUNT);
    }
}

/* On Helium a loop of none runs once: it would read beside its spans. */
static void windows_of_nothing_are_refused(void **state)
{
    static const struct kernel_conv p = {.batches = 1,
                                         .in_h = 1,
                                         .in_w = 1,
                                         .in_c = 8,
                                         .out_h = 1,
                                         .out_w = 1,
                                         .out_c = 8,
                                         .filter_h = 1,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = 1,
                                         .dilation_w = 1,
                                         .filter_c = 8};
    struct kernel_span spans[KERNEL_MAX_SPANS];

    for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
        spans[i] = (struct kernel_span){(uint32_t)i * 4096, 4096};
    for (unsigned v = 0; v < KERNEL_VARIANT_COUNT; v++) {
        assert_false(kernel_find(v, KERNEL_CONV_S8)->check(&p, spans));
        assert_false(kernel_find(v, KERNEL_DEPTHWISE_S8)->check(&p, spans));
    }
}

/* However far off a fraction is, products stay within 64 bits. (Found by fuzzing.) */
static void hostile_fractions_are_limited(void **state)
{
    static const int32_t fractions[2][2] = {{INT32_MIN, INT32_MAX}, {-(1 << 20), 1 << 20}};
    static const struct kernel_resize p = {1, 2, 2, 1, 1, 0, 1};
    int8_t in[] = {-128, 127, 127, -128}, out[2];

    for (int i = 0; i < 2; i++) {
        struct kernel_place row = {0, 1, fractions[i][0]}, col = {0, 1, fractions[i][1]};
        void *at[] = {in, &out[i], &row, &col};
        kernel_find(KERNEL_REF, KERNEL_RESIZE_BILINEAR_S8)->run(&p, at);
    }
    assert_int_equal(out[0], out[1]);
}

/* Else this would take hours. (Found by fuzzing.) */
static void windows_larger_than_their_image_are_cut(void **state)
{
    static const struct kernel_pool_f32 p = {.shape = {.batches = 1,
                                                       .in_h = 1,
                                                       .in_w = 1,
                                                       .c = 1,
                                                       .out_h = 64,
                                                       .out_w = 64,
                                                       .filter_h = UINT16_MAX,
                                                       .filter_w = UINT16_MAX},
                                             .act_min = -8,
                                             .act_max = 8};
    float in = 3, out[64 * 64];
    void *at[] = {&in, out};

    kernel_find(KERNEL_REF, KERNEL_POOL_F32)->run(&p, at);
    for (size_t i = 0; i < ARRAY_SIZE(out); i++)
        assert_true(out[i] == 3);
}

/* ---- variants ---- */

#define WALK_SEEDS 150

/* How often state has to be written until all of it counts: SVDF of opgen remembers 40 values. */
static int rounds_of(const char *name)
{
    return strcmp(name, "svdf") == 0 ? 42 : 2;
}

/* What a model makes of random inputs, one after the other. */
static void run_model(const struct buf *model, const struct nn_target *target, uint32_t seed,
                      int rounds, uint32_t used[KERNEL_VARIANT_COUNT][KERNEL_KIND_COUNT],
                      struct buf *out)
{
    AUTO_BUF in = BUF_INIT;
    struct err err = ERR_INIT;
    struct host_run r;
    uint32_t random = seed | 1;

    if (host_run_open(&r, model->data, model->len, target, &err) < 0)
        fail_msg("seed %u: %s", seed, err.text);
    for (int round = 0; round < rounds; round++) {
        buf_clear(&in);
        for (size_t i = 0; i < host_run_input_size(&r); i++)
            buf_putc(&in, (char)(opgen_random(&random) >> 24));
        host_run_infer(&r, in.data, in.len, out);
    }
    for (size_t i = 0; i < r.report.step_count; i++)
        used[r.report.steps[i].variant][r.report.steps[i].kind]++;
    host_run_close(&r);
}

static uint32_t steps_run[KERNEL_VARIANT_COUNT][KERNEL_KIND_COUNT];

static void compare_variants(const char *name, uint32_t seed)
{
    AUTO_BUF model = BUF_INIT, expected = BUF_INIT;
    struct nn_target target = {.variants = 0, .reuse_inputs = seed % 2};

    opgen_make(name, seed, &model);
    run_model(&model, &target, seed, rounds_of(name), steps_run, &expected);
    for (unsigned v = 1; v < KERNEL_VARIANT_COUNT; v++) {
        AUTO_BUF out = BUF_INIT;
        target.variants = 1u << v;
        run_model(&model, &target, seed, rounds_of(name), steps_run, &out);
        if (out.len != expected.len || memcmp(out.data, expected.data, out.len) != 0)
            fail_msg("%s, seed %u: variant %u differs", name, seed, v);
    }
}

/* Every variant of every kernel that is linked here, against the reference. */
static void every_variant_equals_the_reference(void **state)
{
    for (size_t i = 0; opgen_names[i]; i++) {
        for (uint32_t seed = 1; seed <= WALK_SEEDS; seed++)
            compare_variants(opgen_names[i], seed);
    }
    for (unsigned v = 1; v < KERNEL_VARIANT_COUNT; v++) {
        for (unsigned k = 0; k < KERNEL_KIND_COUNT; k++) {
            if (kernel_find(v, k) && steps_run[v][k] < WALK_SEEDS / 10)
                fail_msg("variant %u of kernel %u ran %u times: too few", v, k, steps_run[v][k]);
        }
    }
}

/* ---- choice ---- */

static const struct {
    const char *core;
    unsigned variant, kind;
    double call, outputs, macs;
} costs[] = {
#define COST(core, variant, kind, call, outputs, macs)                                             \
    {#core, KERNEL_##variant, KERNEL_##kind, call, (outputs) / 100.0, (macs) / 100.0},
#include "harness/nn/costs.def"
#undef COST
};

/* By the table, for an int8 model of one operator on Cortex-M4; negative: not measured. */
static double cost_of(unsigned variant, const struct nn_report *r)
{
    const struct nn_report_step *s = &r->steps[0];

    for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
        if (strcmp(costs[i].core, "M4") == 0 && costs[i].variant == variant &&
            costs[i].kind == s->kind)
            return costs[i].call + costs[i].outputs * s->output_bytes +
                   costs[i].macs * (double)r->macs;
    }
    return -1;
}

static void compile(const struct buf *model, uint32_t variants, struct nn_report *ret)
{
    AUTO_BUF image = BUF_INIT;
    struct nn_target target = {.variants = variants};
    struct err err = ERR_INIT;

    if (nn_compile(model->data, model->len, &target, &image, ret, &err) < 0)
        fail_msg("%s", err.text);
}

/* No variant that takes the step, alone, costs less than the one that was chosen of all. */
static void check_choice(const char *name, uint32_t seed, unsigned chosen[KERNEL_VARIANT_COUNT])
{
    static const unsigned some[] = {KERNEL_REF, KERNEL_TUNED, KERNEL_ARMV7EM};
    AUTO_BUF model = BUF_INIT;
    struct nn_report all, alone;

    opgen_make(name, seed, &model);
    compile(&model, 1u << KERNEL_REF | 1u << KERNEL_TUNED | 1u << KERNEL_ARMV7EM, &all);
    for (size_t i = 0; i < ARRAY_SIZE(some) && all.step_count == 1; i++) {
        compile(&model, 1u << KERNEL_REF | 1u << some[i], &alone);
        if (alone.step_count == 1 && alone.steps[0].variant == some[i] &&
            alone.steps[0].kind == all.steps[0].kind && cost_of(some[i], &alone) >= 0)
            assert_true(cost_of(all.steps[0].variant, &all) <= cost_of(some[i], &alone) + 3);
        nn_report_release(&alone);
    }
    chosen[all.steps[0].variant]++;
    nn_report_release(&all);
}

static void the_cheapest_variant_is_chosen(void **state)
{
    static const char *const names[] = {"conv", "fully_connected", "add", "mul", "svdf", "lstm"};
    unsigned chosen[KERNEL_VARIANT_COUNT] = {0};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (uint32_t seed = 1; seed <= 60; seed++)
            check_choice(names[i], seed, chosen);
    }
    assert_true(chosen[KERNEL_TUNED] > 0 && chosen[KERNEL_ARMV7EM] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_as_defined),
        cmocka_unit_test(requantising_rounds_twice),
        cmocka_unit_test(multipliers_are_nearest),
        cmocka_unit_test(fixed_point_functions_are_close_to_the_real_ones),
        cmocka_unit_test(convolution_is_as_defined),
        cmocka_unit_test(depthwise_convolution_is_as_defined),
        cmocka_unit_test(softmax_is_close_to_the_real_one_and_sums_to_one),
        cmocka_unit_test(hostile_copies_are_refused),
        cmocka_unit_test(loops_over_nothing_are_refused),
        cmocka_unit_test(walks_longer_than_their_spans_are_refused),
        cmocka_unit_test(parameters_of_zeros_are_refused),
        cmocka_unit_test(windows_of_nothing_are_refused),
        cmocka_unit_test(hostile_fractions_are_limited),
        cmocka_unit_test(windows_larger_than_their_image_are_cut),
        cmocka_unit_test(every_variant_equals_the_reference),
        cmocka_unit_test(the_cheapest_variant_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
