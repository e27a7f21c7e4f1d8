#include "harness/recipe/repro.h"

#include <math.h>

#define PI 3.14159265358979323846

struct rng rng_of(uint64_t seed, enum rng_stream stream)
{
    struct rng r = {seed * 0x9e3779b97f4a7c15u + (uint64_t)stream};
    rng_next(&r);
    return r;
}

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double rng_uniform(struct rng *r, double low, double high)
{
    return low + (high - low) * ((double)(rng_next(r) >> 11) * 0x1p-53);
}

double rng_normal(struct rng *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += rng_uniform(r, 0, 1);
    return sum;
}

int rng_below(struct rng *r, int n)
{
    return (int)(rng_next(r) % (uint64_t)n);
}

/* x = k ln 2 + t with |t| <= ln 2 / 2; Taylor series of exp(t) to t^14, then scale by 2^k. */
double repro_exp(double x)
{
    const double ln2_high = 0x1.62e42fefa0000p-1; /* 33 bits: k times it is exact */
    const double ln2_low = 0x1.cf79abc9e3b39p-40;
    if (x < -700)
        return 0;
    x = x > 700 ? 700 : x;
    double k = floor(x / (ln2_high + ln2_low) + 0.5);
    double t = x - k * ln2_high - k * ln2_low;
    double sum = 1;
    for (int n = 14; n >= 1; n--)
        sum = 1 + sum * t / n;
    return ldexp(sum, (int)k);
}

/* Into -pi..pi, folded at +-pi/2, then Taylor series to x^21. */
double repro_sin(double x)
{
    x -= 2 * PI * floor(x / (2 * PI) + 0.5);
    if (x > PI / 2)
        x = PI - x;
    else if (x < -PI / 2)
        x = -PI - x;
    double sum = 1;
    for (int n = 20; n >= 2; n -= 2)
        sum = 1 - sum * x * x / (n * (n + 1.0));
    return x * sum;
}

double repro_tanh(double x)
{
    return 1 - 2 / (repro_exp(2 * x) + 1);
}

double repro_logistic(double x)
{
    return 1 / (1 + repro_exp(-x));
}

int64_t round_clamped(double x, int64_t low, int64_t high)
{
    double r = x < 0 ? -floor(-x + 0.5) : floor(x + 0.5);
    if (r < (double)low)
        return low;
    return r > (double)high ? high : (int64_t)r;
}
