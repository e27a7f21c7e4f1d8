/*
 * Random models of one operator each ("chain": of a few), as .tflite bytes: shapes, strides, paddings, scales, zero
 * points and weights are drawn from a seed. What the engine makes of them is compared with oracles
 * (in C in the unit suite, in Python in the golden suite) and between kernel variants.
 */
#ifndef TESTS_SUPPORT_OPGEN_H
#define TESTS_SUPPORT_OPGEN_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"

/* Names of the generators: "conv", "depthwise", ...; NULL-terminated. */
extern const char *const opgen_names[];

/* Appends the model to ret. False when there is no generator of that name. */
int opgen_make(const char *name, uint32_t seed, struct buf *ret);

/* xorshift32: the same bytes everywhere. *state must not be 0. */
uint32_t opgen_random(uint32_t *state);

#endif
