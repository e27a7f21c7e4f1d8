/*
 * One-operator models with the outputs they must give (suites/models/single_op.py), through
 * compiler and engine on the host.
 * usage: run_cases DIR [VARIANTS]   VARIANTS: mask of kernel variants, 0 (reference) by default
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "tests/support/host_run.h"

extern const struct engine engine_tiny;

static int cases, wrong, refused;

static bool load(struct buf *b, const char *dir, const char *name, const char *suffix)
{
    struct err err = ERR_INIT;
    char path[1200];

    snprintf(path, sizeof path, "%s/%s.%s", dir, name, suffix);
    return file_read(path, 64u << 20, b, &err) == 0;
}

/* Rounds of inputs one after the other, state kept between them. */
static bool run_rounds(struct host_run *r, const struct buf *in, struct buf *out)
{
    size_t n = host_run_input_size(r);

    for (size_t at = 0; n && at + n <= in->len; at += n) {
        if (!host_run_infer(r, in->data + at, n, out))
            return false;
    }
    return true;
}

static void run_case(const char *dir, const char *name, const char *detail,
                     const struct nn_target *target)
{
    AUTO_BUF model = BUF_INIT, in = BUF_INIT, expected = BUF_INIT, out = BUF_INIT;
    struct err err = ERR_INIT;
    struct host_run r;

    cases++;
    if (!load(&model, dir, name, "tflite") || !load(&in, dir, name, "in.bin") ||
        !load(&expected, dir, name, "out.bin")) {
        printf("%s: files are missing\n", name);
        wrong++;
        return;
    }
    if (host_run_open(&r, model.data, model.len, target, &err) < 0) {
        printf("%s: %s\n", name, err.text);
        refused++;
    } else if (!run_rounds(&r, &in, &out) || out.len != expected.len ||
               memcmp(buf_text(&out), buf_text(&expected), out.len) != 0) {
        printf("%s: differs (%s)\n", name, detail);
        wrong++;
    }
    host_run_close(&r);
}

int main(int argc, char **argv)
{
    struct nn_target target = {.variants = 0};
    char path[1024], line[512];

    if (argc < 2)
        return 2;
    if (argc > 2)
        target.variants = (uint32_t)strtoul(argv[2], NULL, 0);
    snprintf(path, sizeof path, "%s/INDEX", argv[1]);
    FILE *f = fopen(path, "r");
    if (!f)
        return 2;
    while (fgets(line, sizeof line, f)) {
        char *name = strtok(line, " "), *detail = strtok(NULL, "\n");
        target.reuse_inputs = cases % 2;
        if (name)
            run_case(argv[1], name, detail ? detail : "", &target);
    }
    fclose(f);
    printf("%d cases, %d wrong, %d refused\n", cases, wrong, refused);
    return wrong || refused || !cases;
}
