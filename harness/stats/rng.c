#include "harness/stats/rng.h"

#include <math.h>

uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

size_t rng_below(struct rng *rng, size_t bound)
{
    const uint64_t reject = -(uint64_t)bound % bound; /* 2^64 mod bound */
    uint64_t value;

    do {
        value = rng_next(rng);
    } while (value < reject);
    return (size_t)(value % bound);
}

/* Box and Muller's transform; its second value is not kept, so that the state stays one word. */
double rng_normal(struct rng *rng)
{
    const double radius = sqrt(-2 * log(1 - rng_unit(rng)));

    return radius * cos(2 * M_PI * rng_unit(rng));
}
