/*
 * LOGISTIC and TANH of 16-bit values: one table of the sigmoid with 8 bits of index and linear
 * interpolation between (reference_integer_ops::Logistic and Tanh for int16).
 */
#include "agents/kernels/ref/curve.h"

#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

void ref_curve_s16(const void *params, void *const *at)
{
    const struct kernel_curve *p = params;
    const int16_t *in = at[0];
    int16_t *out = at[1];

    for (uint32_t i = 0; i < p->n; i++)
        out[i] = p->tanh ? curve_tanh(in[i], p->multiplier, p->shift, at[2])
                         : curve_logistic(in[i], p->multiplier, p->shift, at[2]);
}

bool ref_curve_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_curve *p = params;

    return check_holds(&spans[0], p->n, 1, 1, 2) && check_holds(&spans[1], p->n, 1, 1, 2) &&
           check_holds(&spans[2], 256, 1, 1, 2);
}
