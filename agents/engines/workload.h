/*
 * Workloads: named functions with parameters, inputs, outputs and a check of their own, measured
 * through the same interface as models. The `workload` engine (workload.c) loads a line of text,
 *
 *     NAME key=value key=value...
 *
 * and lays the tensors out; a workload itself only computes. To add one: a file, and a line in
 * WORKLOADS below.
 */
#ifndef AGENTS_ENGINES_WORKLOAD_H
#define AGENTS_ENGINES_WORKLOAD_H

#include <stdint.h>

#define WORKLOAD_PARAMS 4

struct workload_param {
    const char *name; /* NULL: no more */
    uint32_t initial; /* when the text does not give it */
    uint32_t low, high;
};

/* Bytes that a workload needs with its parameters; each is rounded up to a multiple of 4. */
struct workload_sizes {
    uint32_t in, out, state;
};

/* One loaded workload; v holds the parameters in the order of the table. */
struct workload_run {
    const uint32_t *v;
    const void *in;
    void *out;
    void *state; /* kept between runs; zero after load and reset */
};

struct workload {
    const char *name;
    struct workload_param params[WORKLOAD_PARAMS];
    void (*sizes)(const uint32_t *v, struct workload_sizes *ret);
    void (*start)(const struct workload_run *r); /* after load and reset; may be NULL */
    int (*run)(const struct workload_run *r);    /* 0, or the number of the check that failed */
};

#define WORKLOADS(X) X(integer) X(fir)

#define X(name)      extern const struct workload workload_##name;
WORKLOADS(X)
#undef X

#endif
