/*
 * The proof that a memory plan loses nothing: each model is laid out twice, planned and with memory
 * of its own for every buffer. Step by step, every byte that a step reads was last written by the
 * same step in both; and both compute the same, which is the proof for steps that write over what
 * they still read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/engines/image.h"
#include "harness/base/file.h"
#include "tests/support/host_run.h"
#include "tests/support/layergen.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

/* Who wrote each byte of the arena last: a step plus 1, 0 for what was there before. */
struct walk {
    const uint8_t *record;
    uint16_t *writer;
    size_t size;
};

static const struct image_header *header_of(const struct host_run *r)
{
    return (const struct image_header *)r->image.data;
}

static struct walk walk_begin(const struct host_run *r)
{
    struct walk w = {.record = (const uint8_t *)r->image.data + header_of(r)->steps_at,
                     .size = header_of(r)->arena_size};

    w.writer = calloc(w.size + 1, sizeof *w.writer);
    assert_non_null(w.writer);
    return w;
}

static const struct kernel_span *spans_of(const struct walk *w)
{
    return (const struct kernel_span *)(const void *)(w->record + sizeof(struct image_step));
}

static const struct image_step *step_of(const struct walk *w)
{
    return (const struct image_step *)(const void *)w->record;
}

/* Span k of both was last written by the same steps. */
static void compare_read(const struct walk *a, const struct walk *b, unsigned k, const char *name)
{
    const struct kernel_span *x = &spans_of(a)[k], *y = &spans_of(b)[k];

    assert_int_equal(x->size, y->size);
    assert_int_equal(x->where & KERNEL_SPAN_CONST, y->where & KERNEL_SPAN_CONST);
    if (x->where & KERNEL_SPAN_CONST)
        return;
    assert_true(x->where <= a->size && x->size <= a->size - x->where);
    if (memcmp(&a->writer[x->where], &b->writer[y->where], x->size * sizeof *a->writer) != 0)
        fail_msg("%s: operator %u reads what another buffer has overwritten", name, step_of(a)->op);
}

static void write_spans(struct walk *w, uint32_t writes, uint16_t step)
{
    for (unsigned k = 0; k < step_of(w)->spans; k++) {
        const struct kernel_span *s = &spans_of(w)[k];
        for (uint32_t i = 0; (writes >> k & 1) && i < s->size; i++)
            w->writer[s->where + i] = (uint16_t)(step + 1);
    }
    w->record += step_of(w)->words * 4u;
}

/* Outputs, after the last step. */
static void compare_outputs(const struct host_run *a, const struct host_run *b, struct walk *x,
                            struct walk *y, const char *name)
{
    const struct image_tensor *s = (const struct image_tensor *)(header_of(a) + 1);
    const struct image_tensor *t = (const struct image_tensor *)(header_of(b) + 1);

    for (unsigned i = header_of(a)->inputs; i < header_of(a)->inputs + header_of(a)->outputs; i++)
        if (memcmp(&x->writer[s[i].offset], &y->writer[t[i].offset],
                   s[i].size * sizeof *x->writer) != 0)
            fail_msg("%s: output %u is overwritten", name, i - header_of(a)->inputs);
}

static void compare_steps(const struct host_run *a, const struct host_run *b, const char *name)
{
    struct walk x = walk_begin(a), y = walk_begin(b);

    assert_int_equal(header_of(a)->steps, header_of(b)->steps);
    for (uint16_t i = 0; i < header_of(a)->steps; i++) {
        const struct kernel *k = kernel_find(step_of(&x)->variant, step_of(&x)->kind);
        assert_non_null(k);
        assert_int_equal(step_of(&x)->kind, step_of(&y)->kind);
        for (unsigned n = 0; n < k->spans; n++) {
            if (!(k->writes >> n & 1))
                compare_read(&x, &y, n, name);
        }
        write_spans(&x, k->writes, i);
        write_spans(&y, k->writes, i);
    }
    compare_outputs(a, b, &x, &y, name);
    free(x.writer);
    free(y.writer);
}

static void compare_results(struct host_run *a, struct host_run *b, uint32_t seed)
{
    AUTO_BUF in = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
    uint32_t random = seed * 2654435761u | 1;

    for (size_t n = host_run_input_size(a); n > 0; n--)
        buf_putc(&in, (char)(opgen_random(&random) >> 24));
    for (int i = 0; i < 2; i++) { /* again: state, and inputs that must survive */
        assert_true(host_run_infer(a, in.data, in.len, &first));
        assert_true(host_run_infer(b, in.data, in.len, &second));
    }
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
}

static void prove(const struct buf *model, const char *name, uint32_t seed)
{
    for (unsigned reuse = 0; reuse < 2; reuse++) {
        const struct nn_target planned = {.reuse_inputs = reuse};
        const struct nn_target apart = {.reuse_inputs = reuse, .apart = true};
        struct err err = ERR_INIT;
        struct host_run a = {.image = BUF_INIT}, b = {.image = BUF_INIT};

        if (host_run_open(&a, model->data, model->len, &planned, &err) < 0 ||
            host_run_open(&b, model->data, model->len, &apart, &err) < 0) {
            fail_msg("%s: %s", name, err.text);
            return;
        }
        assert_true(header_of(&a)->arena_size <= header_of(&b)->arena_size);
        compare_steps(&a, &b, name);
        compare_results(&a, &b, seed);
        host_run_close(&a);
        host_run_close(&b);
    }
}

static void shipped_models_lose_nothing(void **state)
{
    static const char *const names[] = {"ad-small", "ad16-small", "gated",    "gesture", "har",
                                        "hum",      "ic",         "kws",      "lstm",    "svdf",
                                        "sine",     "ww",         "ww-stream"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;
        char path[512];

        (void)snprintf(path, sizeof path, "%s/suites/models/%s/%s.tflite", getenv("TINYRIG_SOURCE"),
                       names[i], names[i]);
        assert_int_equal(file_read(path, 1 << 20, &model, &err), 0);
        prove(&model, names[i], (uint32_t)i + 1);
    }
}

static void random_operators_lose_nothing(void **state)
{
    for (size_t i = 0; opgen_names[i]; i++) {
        for (uint32_t seed = 1; seed <= 60; seed++) {
            AUTO_BUF model = BUF_INIT;

            assert_true(opgen_make(opgen_names[i], seed, &model));
            prove(&model, opgen_names[i], seed);
        }
    }
}

typedef int make_fn(uint32_t seed, struct buf *ret, struct err *err);

/* Outputs with operators fused and left out, with all of them one by one, and in strips or not. */
static void compare_fused(const struct buf *model, uint32_t seed)
{
    static const struct nn_target targets[] = {{.unfused = true, .whole = true, .apart = true},
                                               {.unfused = false},
                                               {.whole = true},
                                               {.unfused = true},
                                               {.reuse_inputs = true}};
    AUTO_BUF expected = BUF_INIT;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        AUTO_BUF in = BUF_INIT, out = BUF_INIT;
        struct err err = ERR_INIT;
        struct host_run r = {.image = BUF_INIT};
        if (host_run_open(&r, model->data, model->len, &targets[i], &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        host_run_random_input(&r.report, seed, &in);
        assert_true(host_run_infer(&r, in.data, in.len, i ? &out : &expected));
        if (i && (out.len != expected.len || memcmp(out.data, expected.data, out.len) != 0))
            fail_msg("seed %u: target %zu computes something else", seed, i);
        host_run_close(&r);
    }
}

static void fusing_changes_no_output(void **state)
{
    static make_fn *const makers[] = {layergen_joins, layergen_branches, layergen_chain};

    for (uint32_t seed = 1; seed <= 120; seed++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;

        /* Mostly joins: they are small. */
        if (makers[seed % 10 ? 0 : 1 + seed / 10 % 2](seed, &model, &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        compare_fused(&model, seed);
        if (seed % 10)
            prove(&model, "joins", seed);
    }
}

/* Many operators: most of these run in strips. */
static void random_layers_lose_nothing(void **state)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;
        char name[32];

        (void)snprintf(name, sizeof name, "%s %u", seed % 3 ? "branches" : "chain", seed);
        if ((seed % 3 ? layergen_branches : layergen_chain)(seed, &model, &err) < 0)
            fail_msg("%s: %s", name, err.text);
        prove(&model, name, seed);
    }
}

/* These run in tiles. */
static void wide_images_lose_nothing(void **state)
{
    for (uint32_t seed = 1; seed <= 8; seed++) {
        AUTO_BUF model = BUF_INIT;
        struct err err = ERR_INIT;

        if (layergen_wide(seed, &model, &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        prove(&model, "wide", seed);
    }
}

/* The peaks that TensorFlow Lite Micro needs for models of these shapes (its arena, measured). */
static void peaks_stay_low(void **state)
{
    static const struct {
        const char *name;
        uint32_t theirs;
    } models[] = {{"kws", 22772}, {"ic", 54340}};

    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const struct nn_target target = {.variants = 0};
        AUTO_BUF model = BUF_INIT, image = BUF_INIT;
        struct err err = ERR_INIT;
        struct nn_report r;
        char path[512];

        (void)snprintf(path, sizeof path, "%s/suites/models/%s/%s.tflite", getenv("TINYRIG_SOURCE"),
                       models[i].name, models[i].name);
        assert_int_equal(file_read(path, 1 << 20, &model, &err), 0);
        assert_int_equal(nn_compile(model.data, model.len, &target, &image, &r, &err), 0);
        assert_true(r.arena_bytes <= models[i].theirs * 3 / 4);
        nn_report_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_models_lose_nothing),
        cmocka_unit_test(random_operators_lose_nothing),
        cmocka_unit_test(fusing_changes_no_output),
        cmocka_unit_test(random_layers_lose_nothing),
        cmocka_unit_test(wide_images_lose_nothing),
        cmocka_unit_test(peaks_stay_low),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
