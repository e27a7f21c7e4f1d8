/* From the custom operators of a .tflite file to their kernels: what the host does. See README.md. */
#include "harness/nn/custom.h"

/* ExampleDelta's option is one byte: the step (1 when left out). */
static int lower_delta(struct nn_lower *l)
{
    const uint32_t step = l->op->custom_size ? l->op->custom_data[0] : 1;
    struct kernel_custom p = {.id = 0};

    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    if (!out || lower_same_shape(l, in, out) < 0)
        return lower_failed(l);
    if (step == 0)
        return LOWER_FAIL(l, "a step of 0 is not possible");
    p.values[1] = in->rank ? (uint32_t)in->dims[in->rank - 1] : 1;
    p.values[0] = (uint32_t)in->elements / p.values[1];
    p.values[2] = step;
    return lower_custom_step(l, "ExampleDelta", &p, out);
}

const struct nn_custom nn_customs[] = {
    {"ExampleDelta", lower_delta},
    {NULL, NULL},
};
