/* Sigmoid and tanh of 16-bit values, which LSTM uses too. */
#ifndef AGENTS_KERNELS_REF_CURVE_H
#define AGENTS_KERNELS_REF_CURVE_H

#include <stdint.h>

/* v * multiplier / 2^shift counts in 1/(3 * 4096); the result is Q0.15. Table: see kernel_curve. */
int16_t curve_logistic(int32_t v, int32_t multiplier, int32_t shift, const uint16_t *table);
int16_t curve_tanh(int32_t v, int32_t multiplier, int32_t shift, const uint16_t *table);

#endif
