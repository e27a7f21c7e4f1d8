/* A model compiled and run on the host, the way an agent would. For tests. */
#ifndef TESTS_SUPPORT_HOST_RUN_H
#define TESTS_SUPPORT_HOST_RUN_H

#include "agents/engines/engine.h"
#include "harness/nn/nn.h"

struct host_run {
    struct buf image;
    struct nn_report report;
    struct engine_model model;
    uint8_t *arena;
};

/* Compiles and loads. ERR_BUG when the engine refuses what the compiler made. */
int host_run_open(struct host_run *r, const void *tflite, size_t size,
                  const struct nn_target *target, struct err *err);
/* Inputs one after the other in `in`; outputs appended to `out`. False when sizes do not fit. */
int host_run_infer(struct host_run *r, const void *in, size_t in_size, struct buf *out);
size_t host_run_input_size(struct host_run *r);
/*
 * Appends inputs: integers get random bits, floats random values near the quantised range and some
 * far off.
 */
void host_run_random_input(const struct nn_report *r, uint32_t seed, struct buf *in);
void host_run_close(struct host_run *r);

#endif
