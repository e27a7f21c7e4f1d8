/*
 * Seeded random numbers: the same seed gives the same report on every machine.
 *
 * SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * 64 bits of state, passes BigCrush, more than enough for resampling. Not for secrets.
 */
#ifndef HARNESS_STATS_RNG_H
#define HARNESS_STATS_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

#define RNG_SEED(seed)                                                                             \
    {                                                                                              \
        .state = (seed)                                                                            \
    }

uint64_t rng_next(struct rng *rng);
double rng_unit(struct rng *rng);                /* [0, 1), 53 bits */
size_t rng_below(struct rng *rng, size_t bound); /* 0 .. bound - 1, bound > 0; unbiased */
double rng_normal(struct rng *rng);              /* mean 0, standard deviation 1 */

#endif
