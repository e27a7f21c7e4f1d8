/* Functions of real numbers for the float32 kernels: agents link no C library. */
#ifndef AGENTS_KERNELS_REF_FLOAT_H
#define AGENTS_KERNELS_REF_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

#include "agents/kernels/kernels.h"

#define FLOAT_MAX __FLT_MAX__

static inline float float_clamp(float v, float low, float high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

/* Within 2 units in the last place; 0 and FLOAT_MAX where the result leaves the type. */
float float_exp(float x);
/* Within 4 units in the last place. */
float float_tanh(float x);
float float_logistic(float x);

/* Input, output and bias spans of a float32 convolution fit its shapes. */
bool float_images_fit(const struct kernel_conv *p, const struct kernel_span *spans);

#endif
