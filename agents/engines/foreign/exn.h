/*
 * A tiny runtime as someone else might sell it: a header and a library, its own model format, its
 * own idea of memory. It knows nothing of tinyrig. Built as a static library of its own, so that CI
 * links and runs a foreign engine the way a user would (FOREIGN.md).
 *
 * Model: "EXN1", uint16 inputs, uint16 outputs, then for each output int32 bias and int8 weights
 * [inputs]; little-endian, no padding. Output = clamp((bias + sum(weight * input)) >> 8) to int8.
 */
#ifndef AGENTS_ENGINES_FOREIGN_EXN_H
#define AGENTS_ENGINES_FOREIGN_EXN_H

#include <stddef.h>

struct exn_net {
    const unsigned char *rows;
    unsigned inputs, outputs;
    signed char *in, *out;
};

/* Bytes of memory that a net needs; 0 when it is none. */
size_t exn_memory(const void *model, size_t size);
/* 0 when it worked. `memory` has exn_memory() bytes. */
int exn_open(struct exn_net *net, const void *model, size_t size, void *memory);
void exn_run(struct exn_net *net);

#endif
