/*
 * Quantisation arithmetic done on the host, by the published definitions: TensorFlow Lite's
 * quantization_util.cc and kernel_util.cc, gemmlowp's fixedpoint.h. Doubles and floats are used
 * exactly where those use them, so that results are the same to the last bit.
 */
#ifndef HARNESS_NN_QUANT_H
#define HARNESS_NN_QUANT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/nn/graph.h"

/* QuantizeMultiplier(): real = multiplier / 2^31 * 2^shift, multiplier in [2^30, 2^31) or 0. */
struct quant_multiplier {
    int32_t multiplier;
    int32_t shift;
};

/* False when real is not finite or needs a shift that no kernel takes (above 30). */
bool quant_multiplier(double real, struct quant_multiplier *ret);

/* CalculateActivationRangeQuantized() within [low, high]; false for an activation it cannot do. */
bool quant_activation_range(enum nn_activation activation, float scale, int32_t zero_point,
                            int32_t *low, int32_t *high);

/* TfLiteRound(): ties away from zero. */
float quant_round(float v);

/* exp_on_negative_values() of a <= 0 with `integer_bits` integer bits (at most 5); Q0.31. */
int32_t quant_exp_on_negative(int32_t a, int integer_bits);
/* one_over_one_plus_x_for_x_in_0_1(): 1 / (1 + x), both Q0.31. */
int32_t quant_one_over_one_plus(int32_t x);
/* logistic() and tanh() of gemmlowp; Q0.31. */
int32_t quant_logistic(int32_t a, int integer_bits);
int32_t quant_tanh(int32_t a, int integer_bits);

#endif
