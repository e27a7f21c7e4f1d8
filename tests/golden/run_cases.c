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
    } else if (!run_rounds(&r, &files[1], &out) || out.len != files[2].len ||
               memcmp(buf_text(&out), buf_text(&files[2]), out.len) != 0) {
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
        target.variants = variants ? *variants : 0;
        bool more = run_variant(files, name, detail, &target) && !variants;
        for (unsigned v = KERNEL_REF + 1; more && v < KERNEL_VARIANT_COUNT; v++) {
            target.variants = 1u << v;
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
