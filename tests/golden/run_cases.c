/*
 * One-operator models with the outputs they must give (suites/models/single_op.py), through
 * compiler and engine on the host.
 * usage: run_cases DIR [VARIANTS]   VARIANTS: mask of kernel variants; without it, each one in turn
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/measure/compare.h"
#include "tests/support/host_run.h"

/* Of a sum of a few hundred products, rounded one by one. */
#define TOLERANCE 2e-5

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

/* Real arithmetic is compared with the oracle's double precision; everything else bit for bit. */
static bool are_equal(const struct nn_report *r, const struct buf *got, const struct buf *expected)
{
    struct event_output o = {.vector = 0};
    bool real = false;

    for (size_t i = 0; i < r->step_count; i++)
        real |= nn_step_is_float(&r->steps[i]);
    if (real && r->outputs[0].type == NN_FLOAT32)
        check_compare(NULL, TOLERANCE, got, expected, &o);
    else
        check_compare(NULL, 0, got, expected, &o);
    return o.equal;
}

/* One variant; false when the compiler refuses the model. */
static bool run_variant(const struct buf files[3], const char *name, const char *detail,
                        const struct nn_target *target)
{
    AUTO_BUF out = BUF_INIT;
    struct err err = ERR_INIT;
    struct host_run r;
    const bool accepted = host_run_open(&r, files[0].data, files[0].len, target, &err) == 0;

    cases++;
    if (!accepted) {
        printf("%s: %s\n", name, err.text);
        refused++;
    } else if (!run_rounds(&r, &files[1], &out) || !are_equal(&r.report, &out, &files[2])) {
        printf("%s: differs (%s; variants %x)\n", name, detail, target->variants);
        wrong++;
    }
    host_run_close(&r);
    return accepted;
}

static void run_case(const char *dir, const char *name, const char *detail,
                     const uint32_t *variants)
{
    struct buf files[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
    struct nn_target target = {.reuse_inputs = cases % 2};

    if (load(&files[0], dir, name, "tflite") && load(&files[1], dir, name, "in.bin") &&
        load(&files[2], dir, name, "out.bin")) {
        target.variants = (variants ? *variants : 0) | KERNEL_CAP_FLOAT;
        bool more = run_variant(files, name, detail, &target) && !variants;
        for (unsigned v = KERNEL_REF + 1; more && v < KERNEL_VARIANT_COUNT; v++) {
            target.variants = 1u << v | KERNEL_CAP_FLOAT;
            more = run_variant(files, name, detail, &target);
        }
    } else {
        printf("%s: files are missing\n", name);
        wrong++;
    }
    for (int i = 0; i < 3; i++)
        buf_release(&files[i]);
}

int main(int argc, char **argv)
{
    uint32_t variants = 0;
    char path[1024], line[512];

    if (argc < 2)
        return 2;
    if (argc > 2)
        variants = (uint32_t)strtoul(argv[2], NULL, 0);
    snprintf(path, sizeof path, "%s/INDEX", argv[1]);
    FILE *f = fopen(path, "r");
    if (!f)
        return 2;
    while (fgets(line, sizeof line, f)) {
        char *name = strtok(line, " "), *detail = strtok(NULL, "\n");
        if (name)
            run_case(argv[1], name, detail ? detail : "", argc > 2 ? &variants : NULL);
    }
    fclose(f);
    printf("%d cases, %d wrong, %d refused\n", cases, wrong, refused);
    return wrong || refused || !cases;
}
