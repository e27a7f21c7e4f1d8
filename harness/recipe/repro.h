/*
 * Reproducible arithmetic: random numbers and the few transcendental functions that the generator
 * needs, made from operations that IEEE 754 defines exactly (+ - * / sqrt, rounding, scaling by
 * powers of two). libm's own differ from machine to machine in the last bit, and one bit decides
 * which way a weight rounds. The folder is compiled without contraction to fused multiply-adds.
 * Two numbers are never drawn in one expression: C does not say which would come first.
 */
#ifndef HARNESS_RECIPE_REPRO_H
#define HARNESS_RECIPE_REPRO_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

/* Independent streams of one seed, so that more of one does not change the others. */
enum rng_stream {
    STREAM_WEIGHTS = 1,
    STREAM_CALIBRATION,
    STREAM_VECTORS,
    STREAM_TRAIN,
    STREAM_TEST,
    STREAM_SPREAD,
    STREAM_ORDER,
};

struct rng rng_of(uint64_t seed, enum rng_stream stream);
uint64_t rng_next(struct rng *r); /* SplitMix64 (Steele, Lea, Flood 2014) */
double rng_uniform(struct rng *r, double low, double high);
double rng_normal(struct rng *r); /* mean 0, variance 1: sum of twelve uniforms */
int rng_below(struct rng *r, int n);

/* Correct to about 1e-15 relative; arguments outside the useful range saturate. */
double repro_exp(double x);
double repro_sin(double x);
double repro_tanh(double x);
double repro_logistic(double x);

/* Nearest integer, halves away from zero, clamped to low..high. */
int64_t round_clamped(double x, int64_t low, int64_t high);

#endif
