/*
 * Real models through compiler and engine on the host, bit for bit.
 *
 * usage: check_models shipped SOURCE_ROOT   every suites/models/NAME with its inNN/outNN.bin
 *        check_models extra                 the public models in TINYRIG_EXTRA_MODELS, with the
 *                                           outputs of every operator; skipped (77) when not set
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/measure/compare.h"
#include "tests/support/host_run.h"

extern const struct engine engine_tiny;

static const struct {
    const char *file, *folder;
} extra_models[] = {
    {"kws_ref_model", "kws"},
    {"ad01_int8", "ad"},
    {"hello_world_int8", "hello"},
    {"micro_speech_quantized", "speech"},
    {"keyword_scrambled_8bit", "scrambled"},
};

/* What float32 outputs may differ by; integers not at all. */
#define FLOAT_TOLERANCE 2e-5

static int wrong, compared;

/* FOLDER/PREFIXnn.bin; false when there is none. */
static bool read_file(struct buf *b, const char *folder, const char *prefix, int number)
{
    struct err err = ERR_INIT;
    char path[1200];

    snprintf(path, sizeof path, "%s/%s%02d.bin", folder, prefix, number);
    return file_read(path, 64u << 20, b, &err) == 0;
}

static void note(bool good, const char *what, const char *folder, int number)
{
    compared++;
    if (good)
        return;
    wrong++;
    printf("%s: %s %d differs\n", folder, what, number);
}

/* ---- outputs of the model ---- */

static void check_vectors(struct host_run *r, const char *folder)
{
    for (int i = 0; i < 100; i++) {
        AUTO_BUF in = BUF_INIT, expected = BUF_INIT, out = BUF_INIT;
        if (!read_file(&in, folder, "in", i) || !read_file(&expected, folder, "out", i))
            break;
        engine_tiny.reset(&r->model);
        bool ran = host_run_infer(r, in.data, in.len, &out);
        struct event_output o = {.equal = false};
        if (ran)
            check_compare(&r->report, FLOAT_TOLERANCE, &out, &expected, &o);
        note(o.equal, "output", folder, i);
    }
}

/* ---- outputs of every operator ---- */

struct layers {
    struct host_run *run;
    char folder[900];
};

/* After each step; the operator's own output is there once its last step has run. */
static void compare_layer(void *context, uint16_t step, uint16_t kind, uint32_t variant)
{
    struct layers *layers = context;
    const struct nn_report *r = &layers->run->report;
    const struct nn_report_step *s = &r->steps[step];
    AUTO_BUF expected = BUF_INIT;

    (void)kind;
    (void)variant;
    if (s->part) /* never whole in memory */
        return;
    if (step + 1u < r->step_count && r->steps[step + 1].op == s->op)
        return;
    if (!read_file(&expected, layers->folder, "op", s->op))
        return;
    note(expected.len == s->output_bytes &&
             memcmp(layers->run->arena + s->output_offset, expected.data, expected.len) == 0,
         "operator", layers->folder, s->op);
}

static void check_layers(struct host_run *r, const char *folder)
{
    for (int i = 0; i < 100; i++) {
        AUTO_BUF in = BUF_INIT;
        struct layers layers = {.run = r};
        snprintf(layers.folder, sizeof layers.folder, "%s/layers_in%02d", folder, i);
        struct engine_tensor t = engine_tiny.tensor(&r->model, 0, 0);
        if (!read_file(&in, folder, "in", i) || in.len != t.size)
            break;
        engine_tiny.reset(&r->model);
        memcpy(t.data, in.data, in.len);
        engine_tiny.profile(&r->model, compare_layer, &layers);
    }
}

/* ---- models ---- */

static void check_model(const char *path, const char *folder)
{
    const struct nn_target targets[] = {
        {.variants = KERNEL_CAP_FLOAT},
        {.variants = KERNEL_CAP_FLOAT, .reuse_inputs = true},
        {.variants = KERNEL_CAP_FLOAT, .whole = true},
        {.variants = KERNEL_CAP_FLOAT | 1u << KERNEL_TUNED},
        {.variants = KERNEL_CAP_FLOAT | 1u << KERNEL_ARMV7EM},
        {.variants = KERNEL_CAP_FLOAT | 1u << KERNEL_MVE, .reuse_inputs = true}};
    struct err err = ERR_INIT;
    AUTO_BUF file = BUF_INIT;

    if (file_read(path, 64u << 20, &file, &err) < 0) {
        printf("%s\n", err.text);
        wrong++;
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        struct host_run r;
        int status = host_run_open(&r, file.data, file.len, &targets[i], &err);
        if (status < 0) {
            printf("%s: %s\n", path, err.text);
            wrong++;
            return;
        }
        int before = compared;
        check_vectors(&r, folder);
        check_layers(&r, folder);
        printf("%s, variants %x: %d comparisons, arena %u, image %u\n", path, targets[i].variants,
               compared - before, r.report.arena_bytes, r.report.image_bytes);
        host_run_close(&r);
    }
}

static int check_shipped(const char *root)
{
    char folder[512], path[1200];
    struct dirent *entry;

    snprintf(folder, sizeof folder, "%s/suites/models", root);
    DIR *dir = opendir(folder);
    if (!dir)
        return 2;
    while ((entry = readdir(dir)) != NULL) {
        char sub[800];
        snprintf(sub, sizeof sub, "%s/%s", folder, entry->d_name);
        snprintf(path, sizeof path, "%s/%s.tflite", sub, entry->d_name);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue;
        fclose(f);
        check_model(path, sub);
    }
    closedir(dir);
    return 0;
}

static int check_extra(void)
{
    const char *root = getenv("TINYRIG_EXTRA_MODELS");
    char path[1024], folder[1024];

    if (!root) {
        printf("TINYRIG_EXTRA_MODELS is not set: nothing to compare with\n");
        return 77;
    }
    for (size_t i = 0; i < ARRAY_SIZE(extra_models); i++) {
        snprintf(path, sizeof path, "%s/%s.tflite", root, extra_models[i].file);
        snprintf(folder, sizeof folder, "%s/golden/%s", root, extra_models[i].folder);
        check_model(path, folder);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int status = 2;

    if (argc == 3 && strcmp(argv[1], "shipped") == 0)
        status = check_shipped(argv[2]);
    else if (argc == 2 && strcmp(argv[1], "extra") == 0)
        status = check_extra();
    if (status)
        return status;
    printf("%d compared, %d wrong\n", compared, wrong);
    return wrong || !compared;
}
