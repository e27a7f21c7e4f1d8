/*
 * Random one-operator models through our engine, written out for check_ops.py to compare.
 * usage: run_ops DIR FIRST_SEED COUNT
 * Makes DIR/NAME-SEED.tflite, .in and .out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"

static int run_one(const char *dir, const char *name, uint32_t seed, struct err *err)
{
    AUTO_BUF model = BUF_INIT, in = BUF_INIT, out = BUF_INIT;
    const struct nn_target target = {.reuse_inputs = seed % 2}; /* in place, where that can be */
    struct host_run r;
    char path[512];

    opgen_make(name, seed, &model);
    if (host_run_open(&r, model.data, model.len, &target, err) < 0)
        return err_in(err, "%s-%u", name, seed);
    host_run_random_input(&r.report, seed, &in);
    host_run_infer(&r, in.data, in.len, &out);
    host_run_close(&r);
    snprintf(path, sizeof path, "%s/%s-%u.tflite", dir, name, seed);
    if (file_write_atomic(path, model.data, model.len, err) < 0)
        return err->code;
    snprintf(path, sizeof path, "%s/%s-%u.in", dir, name, seed);
    if (file_write_atomic(path, in.data, in.len, err) < 0)
        return err->code;
    snprintf(path, sizeof path, "%s/%s-%u.out", dir, name, seed);
    return file_write_atomic(path, out.data, out.len, err);
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;

    if (argc != 4)
        return 2;
    uint32_t first = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t count = (uint32_t)strtoul(argv[3], NULL, 10);
    for (size_t i = 0; opgen_names[i]; i++) {
        for (uint32_t seed = first; seed < first + count; seed++) {
            if (run_one(argv[1], opgen_names[i], seed, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
            }
        }
    }
    return 0;
}
