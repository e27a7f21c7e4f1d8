#include "harness/stats/summary.h"

#include <math.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/order.h"
#include "harness/stats/rng.h"

static const struct summary no_summary = {
    .min = NAN,
    .max = NAN,
    .mean = NAN,
    .sd = NAN,
    .median = NAN,
    .mad = NAN,
    .sigma = NAN,
    .p05 = NAN,
    .p25 = NAN,
    .p75 = NAN,
    .p95 = NAN,
};

/* Around the first value, so that a small spread on a large mean keeps its digits. */
static void moments(const double *x, size_t n, double *ret_mean, double *ret_sd)
{
    double sum = 0;
    double squares = 0;
    double mean;

    for (size_t i = 0; i < n; i++)
        sum += x[i] - x[0];
    mean = x[0] + sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    *ret_mean = mean;
    *ret_sd = n < 2 ? NAN : sqrt(squares / (double)(n - 1));
}

bool summary_is_outlier(const struct summary *s, double x)
{
    return s->sigma > 0 && fabs(x - s->median) > 3.5 * s->sigma;
}

void summary_of(const double *x, size_t n, struct summary *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *sorted;
    double *other;

    *ret = no_summary;
    if (n == 0)
        return;
    sorted = arena_dup(&scratch, x, n * sizeof(*x));
    other = arena_alloc(&scratch, n * sizeof(*x));
    order_sort(sorted, n);
    ret->n = n;
    ret->min = sorted[0];
    ret->max = sorted[n - 1];
    ret->all_equal = ret->min == ret->max;
    moments(x, n, &ret->mean, &ret->sd);
    ret->median = order_quantile(sorted, n, 0.5);
    ret->mad = order_mad(sorted, n, ret->median, other);
    ret->sigma = ORDER_MAD_TO_SIGMA * ret->mad;
    ret->p05 = order_quantile(sorted, n, 0.05);
    ret->p25 = order_quantile(sorted, n, 0.25);
    ret->p75 = order_quantile(sorted, n, 0.75);
    ret->p95 = order_quantile(sorted, n, 0.95);
    for (size_t i = 0; i < n; i++)
        ret->outliers += summary_is_outlier(ret, x[i]);
}

double statistic_median(double *x, size_t n)
{
    return order_median(x, n);
}

double statistic_mean(double *x, size_t n)
{
    double mean;
    double sd;

    moments(x, n, &mean, &sd);
    return mean;
}

/* Acceleration from the jackknife: sum of cubes over 6 (sum of squares)^1.5 of mean - value. */
static double jackknife_acceleration(const double *x, size_t n, statistic_fn statistic,
                                     double *sample, double *values)
{
    double mean = 0;
    double squares = 0;
    double cubes = 0;

    for (size_t left_out = 0; left_out < n; left_out++) {
        memcpy(sample, x, left_out * sizeof(*x));
        memcpy(sample + left_out, x + left_out + 1, (n - 1 - left_out) * sizeof(*x));
        values[left_out] = statistic(sample, n - 1);
        mean += values[left_out] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        const double d = mean - values[i];

        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* Ties with the estimate count half: a median repeats its values. */
static double bias_correction(const double *sorted, size_t n, double estimate)
{
    double below = 0;

    for (size_t i = 0; i < n; i++)
        below += sorted[i] < estimate ? 1 : sorted[i] == estimate ? 0.5 : 0;
    return normal_quantile(fmin(fmax(below, 0.5), (double)n - 0.5) / (double)n);
}

static double adjusted(double z0, double acceleration, double z)
{
    return normal_cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)));
}

void bootstrap_bca(const double *x, size_t n, statistic_fn statistic, double confidence,
                   size_t replicates, uint64_t seed, struct bootstrap *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct rng rng = RNG_SEED(seed);
    const double z = normal_quantile(0.5 + confidence / 2);
    double *sample = arena_alloc(&scratch, (n + 1) * sizeof(*x));
    double *values = arena_alloc(&scratch, (replicates + n) * sizeof(*x));

    *ret = (struct bootstrap){.estimate = NAN, .low = NAN, .high = NAN};
    if (n == 0)
        return;
    memcpy(sample, x, n * sizeof(*x));
    ret->estimate = statistic(sample, n);
    if (n < 3)
        return;
    ret->acceleration = jackknife_acceleration(x, n, statistic, sample, values);
    for (size_t r = 0; r < replicates; r++) {
        for (size_t i = 0; i < n; i++)
            sample[i] = x[rng_below(&rng, n)];
        values[r] = statistic(sample, n);
    }
    order_sort(values, replicates);
    ret->bias = bias_correction(values, replicates, ret->estimate);
    ret->low = order_quantile(values, replicates, adjusted(ret->bias, ret->acceleration, -z));
    ret->high = order_quantile(values, replicates, adjusted(ret->bias, ret->acceleration, z));
}

void bootstrap_median(const double *x, size_t n, struct bootstrap *ret)
{
    bootstrap_bca(x, n, statistic_median, 0.95, BOOTSTRAP_REPLICATES, 1, ret);
}

void ratio_mean_of(const double *ratios, size_t n, struct ratio_mean *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *logs = arena_alloc(&scratch, (n + 1) * sizeof(*logs));
    double mean;
    double sd;

    *ret = (struct ratio_mean){.mean = NAN, .spread = NAN, .low = NAN, .high = NAN};
    for (size_t i = 0; i < n; i++) {
        if (ratios[i] > 0 && isfinite(ratios[i]))
            logs[ret->n++] = log(ratios[i]);
        else
            ret->excluded++;
    }
    if (ret->n == 0)
        return;
    moments(logs, ret->n, &mean, &sd);
    ret->mean = exp(mean);
    if (ret->n > 1) {
        const double half =
            student_quantile(0.975, (double)(ret->n - 1)) * sd / sqrt((double)ret->n);

        ret->spread = exp(sd);
        ret->low = exp(mean - half);
        ret->high = exp(mean + half);
    }
}
