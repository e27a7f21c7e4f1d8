/*
 * Custom operators, from the host's side: a list of names and how each becomes a kernel's parameters
 * (suites/custom/README.md).
 */
#ifndef HARNESS_NN_CUSTOM_H
#define HARNESS_NN_CUSTOM_H

#include "harness/nn/lower.h"

struct nn_custom {
    const char *name; /* of the operator in the file; the last row has none */
    /* Checks l->op (inputs, outputs, l->op->custom_data) and ends with lower_custom_step(). */
    lower_fn *lower;
};

extern const struct nn_custom nn_customs[];

/*
 * The step of a custom operator: inputs 0 to 2 as they are in the file, the output, and p's values.
 * `name` is the kernel's (agents/kernels/custom.h).
 */
int lower_custom_step(struct nn_lower *l, const char *name, struct kernel_custom *p,
                      const struct nn_tensor *out);

#endif
