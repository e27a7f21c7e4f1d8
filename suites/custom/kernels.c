/* The kernels of the custom operators: what the agent runs. See README.md. */
#include "agents/kernels/check.h"
#include "agents/kernels/custom.h"

/*
 * ExampleDelta: out[i] = |in[i] - in[i - step]|, saturated, along the last dimension; 0 where there
 * is no element before. values: rows, row length, step.
 */
enum {
    ROWS,
    LENGTH,
    STEP
};

static void delta_run(const void *params, void *const *at)
{
    const uint32_t *v = ((const struct kernel_custom *)params)->values;
    const int8_t *in = at[KERNEL_CUSTOM_IN];
    int8_t *out = at[KERNEL_CUSTOM_OUT];

    for (uint32_t row = 0; row < v[ROWS]; row++, in += v[LENGTH], out += v[LENGTH]) {
        for (uint32_t i = 0; i < v[LENGTH]; i++) {
            int32_t d = i < v[STEP] ? 0 : in[i] - in[i - v[STEP]];
            d = d < 0 ? -d : d;
            out[i] = (int8_t)(d > INT8_MAX ? INT8_MAX : d);
        }
    }
}

/* Nothing in an image is trusted: the check is what keeps run() inside its spans. */
static bool delta_check(const void *params, const struct kernel_span *spans)
{
    const uint32_t *v = ((const struct kernel_custom *)params)->values;

    return v[LENGTH] != 0 && check_holds(&spans[KERNEL_CUSTOM_IN], v[ROWS], v[LENGTH], 1, 1) &&
           check_holds(&spans[KERNEL_CUSTOM_OUT], v[ROWS], v[LENGTH], 1, 1);
}

const struct kernel_custom_op kernel_customs[] = {
    {"ExampleDelta", delta_run, delta_check},
    {0, 0, 0},
};
