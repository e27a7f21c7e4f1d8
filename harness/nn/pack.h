/*
 * The choice of a kernel variant for each step, and the constants in the order which that variant
 * reads. Private to harness/nn. agents/kernels says what each variant wants; nothing here runs when
 * the target has reference kernels only.
 */
#ifndef HARNESS_NN_PACK_H
#define HARNESS_NN_PACK_H

#include "harness/nn/lower.h"

/*
 * Turns a step of reference form into one for a variant: new constants, scratch, parameters, and
 * sharings that still hold. False, with the step untouched, when the variant cannot take it.
 */
typedef bool pack_fn(struct nn_lower *l, struct nn_step *s);

/* Variant, kind, function: of several for a kind, the one that costs least by costs.def, that the
 * target has and that takes the step wins; of those that were not measured, the first. */
/* clang-format off */
#define NN_PACKINGS(X) \
    X(MVE, CONV_S8, pack_mve_conv) \
    X(MVE, DEPTHWISE_S8, pack_mve_depthwise) \
    X(MVE, FULLY_CONNECTED_S8, pack_mve_fully_connected) \
    X(MVE, ADD_S8, pack_mve_add) \
    X(MVE, AVERAGE_POOL_S8, pack_mve_average_pool) \
    X(MVE, MAX_POOL_S8, pack_mve_max_pool) \
    X(MVE, SVDF, pack_mve_svdf) \
    X(MVE, LSTM_S8, pack_mve_lstm) \
    X(ARMV7EM, CONV_S8, pack_armv7em_conv) \
    X(ARMV7EM, DEPTHWISE_S8, pack_armv7em_depthwise) \
    X(ARMV7EM, FULLY_CONNECTED_S8, pack_armv7em_fully_connected) \
    X(ARMV7EM, ADD_S8, pack_armv7em_binary) \
    X(ARMV7EM, MUL_S8, pack_armv7em_binary) \
    X(ARMV7EM, MAX_POOL_S8, pack_armv7em_max_pool) \
    X(ARMV7EM, SVDF, pack_armv7em_svdf) \
    X(ARMV7EM, LSTM_S8, pack_armv7em_lstm) \
    X(TUNED, CONV_S8, pack_tuned_conv) \
    X(TUNED, DEPTHWISE_S8, pack_tuned_depthwise) \
    X(TUNED, FULLY_CONNECTED_S8, pack_tuned_fully_connected) \
    X(TUNED, ADD_S8, pack_tuned_add) \
    X(TUNED, AVERAGE_POOL_S8, pack_tuned_pool) \
    X(TUNED, MAX_POOL_S8, pack_tuned_pool) \
    X(TUNED, MEAN, pack_tuned_mean) \
    X(TUNED, REQUANTIZE, pack_tuned_requantize) \
    X(TUNED, CONV_S16, pack_tuned_conv_s16) \
    X(TUNED, DEPTHWISE_S16, pack_tuned_depthwise_s16) \
    X(TUNED, FULLY_CONNECTED_S16, pack_tuned_fully_connected_s16) \
    X(TUNED, SVDF, pack_tuned_svdf) \
    X(TUNED, LSTM_S8, pack_tuned_lstm) \
    X(AVR, CONV_S8, pack_avr_conv) \
    X(AVR, DEPTHWISE_S8, pack_avr_depthwise) \
    X(AVR, FULLY_CONNECTED_S8, pack_avr_fully_connected)
/* clang-format on */

#define X(variant, kind, fn) pack_fn fn;
NN_PACKINGS(X)
#undef X

/* Every step of l, for the variants of l->target. */
void pack_steps(struct nn_lower *l);

/*
 * Instructions that a variant takes for a step of reference form, on the cores that have `variants`:
 * by costs.def, which tests/bench/costs.py measures on the virtual boards.
 */
#define PACK_UNMEASURED UINT64_MAX
uint64_t pack_cost(uint32_t variants, const struct nn_step *s, unsigned variant);

/* ---- for packings ---- */

/* The bytes of a span that is a constant, else NULL. */
const void *pack_data(const struct nn_lower *l, const struct nn_step *s, unsigned span);
/* Zeroed memory for new constants or parameters; lives as long as l. */
void *pack_alloc(struct nn_lower *l, size_t size);
/* A copy of the step's parameters that may be changed. */
void *pack_params(struct nn_lower *l, struct nn_step *s);
/* Sets span number `span` (which may be one past the last) to new constants. */
void pack_constant(struct nn_lower *l, struct nn_step *s, unsigned span, const char *name,
                   const void *data, size_t size);
/* The same with scratch memory that the step may use while it runs. */
void pack_scratch(struct nn_lower *l, struct nn_step *s, unsigned span, size_t size);

/* Does nothing but this step ever see what span `span` remembers, so that its order is ours? */
bool pack_own_state(const struct nn_lower *l, const struct nn_step *s, unsigned span);

/* One dot product as the reference has it: n constant weights, `stride` apart. */
struct pack_row {
    int32_t bias, multiplier, shift;
    const int8_t *weights;
    size_t n, stride;
};

/*
 * Can every product of an LSTM be taken by a variant (`fits` says so of each), and does the rest
 * hold that the variants of LSTM count on: see agents/kernels/lstm.h?
 */
bool pack_lstm_fits(const struct nn_lower *l, const struct nn_step *s,
                    bool (*fits)(const struct pack_row *row));
/* Sets the biases of an LSTM's gates to what they are with units filled up to whole blocks. */
void pack_lstm_biases(struct nn_lower *l, struct nn_step *s, size_t block);

/*
 * The largest magnitude that a sum may reach: inputs are int8, offset folded into the bias.
 * weights [n] with distance `stride`.
 */
int64_t pack_sum_bound(int32_t bias, const int8_t *weights, size_t n, size_t stride);
/* bias + in_offset * sum of the weights. */
int32_t pack_fold_bias(int32_t bias, int32_t in_offset, const int8_t *weights, size_t n,
                       size_t stride);
/* Both inputs and the output are walked in order, whole; then how many elements they have. */
bool pack_contiguous(const struct kernel_binary *p, uint32_t *ret);

#endif
