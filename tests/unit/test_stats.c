/*
 * Summaries, bootstrap, rank tests, corrections, change points.
 *
 * Oracles: R 4.2.2 and its package boot 1.3-28 (run once, 200 000 replicates), Hollander and Wolfe's
 * table 4.1, Efron and Tibshirani's spatial test data, and brute force written here.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/base.h"
#include "harness/stats/change.h"
#include "harness/stats/distribution.h"
#include "harness/stats/evidence.h"
#include "harness/stats/rank.h"
#include "harness/stats/rng.h"
#include "harness/stats/summary.h"
#include "tests/unit/close.h"

/* First outputs for seed 1234567, as listed with the reference implementation of SplitMix64. */
static void random_numbers_are_the_published_ones(void **state)
{
    struct rng rng = RNG_SEED(1234567);
    size_t seen[7] = {0};

    assert_true(rng_next(&rng) == UINT64_C(6457827717110365317));
    assert_true(rng_next(&rng) == UINT64_C(3203168211198807973));
    assert_true(rng_next(&rng) == UINT64_C(9817491932198370423));
    assert_true(rng_next(&rng) == UINT64_C(4593380528125082431));
    for (int i = 0; i < 70000; i++)
        seen[rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400); /* 4 standard deviations of 10000 */
}

static void normal_numbers_have_the_normal_distribution(void **state)
{
    struct rng rng = RNG_SEED(3);
    size_t below[5] = {0};

    for (int i = 0; i < 100000; i++) {
        const double z = rng_normal(&rng);

        for (int k = 0; k < 5; k++)
            below[k] += z < k - 2;
    }
    for (int k = 0; k < 5; k++) /* 4.5 standard deviations of a share at most */
        assert_true(fabs((double)below[k] / 1e5 - normal_cdf(k - 2)) < 4.5 * 0.5 / sqrt(1e5));
}

static void a_summary_agrees_with_r(void **state)
{
    static const double x[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
    struct summary s;

    summary_of(x, 11, &s);
    assert_true(s.n == 11 && s.min == 1 && s.max == 9 && s.median == 4 && s.mad == 1);
    assert_close(s.mean, 4, 1e-15);
    assert_close(s.sd, 2.36643191323985, 1e-14);
    assert_close(s.sigma, 1.4826, 1e-5);
    assert_true(s.p05 == 1 && s.p25 == 2.5 && s.p75 == 5 && s.p95 == 7.5);
    assert_false(s.all_equal);
    assert_int_equal(s.outliers, 0);
}

static void a_summary_flags_outliers_and_keeps_them(void **state)
{
    static const double x[] = {100, 101, 99, 100, 102, 98, 100, 150};
    struct summary s;

    summary_of(x, 8, &s);
    assert_int_equal(s.outliers, 1);
    assert_true(s.max == 150 && s.n == 8);
    summary_of(x, 1, &s);
    assert_true(s.all_equal && s.median == 100 && isnan(s.sd) && s.mad == 0);
    summary_of(NULL, 0, &s);
    assert_true(s.n == 0 && isnan(s.median) && !s.all_equal);
}

/* NIST StRD NumAcc4: mean 10000000.2, standard deviation 0.1, which naive sums lose. */
static void a_small_spread_on_a_large_mean_keeps_its_digits(void **state)
{
    double x[1001] = {10000000.2};
    struct summary s;

    for (size_t i = 1; i < 1001; i++)
        x[i] = i % 2 ? 10000000.1 : 10000000.3;
    summary_of(x, 1001, &s);
    assert_close(s.mean, 10000000.2, 1e-15);
    assert_close(s.sd, 0.1, 1e-7);
}

/* A statistic_fn: may reorder its sample, and does. */
static double biased_variance(double *x, size_t n)
{
    const double first = x[0];
    double mean = 0;
    double sum = 0;

    x[0] = x[n - 1];
    x[n - 1] = first;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean) / (double)n;
    return sum;
}

/*
 * Efron and Tibshirani, "An Introduction to the Bootstrap", table 14.1 and section 14.3: variance
 * 171.5, a = 0.061, 90 % BCa interval (115.8, 259.6) from 2000 replicates; R's boot.ci with 200 000
 * gives (115.6, 260.9).
 */
static void the_bca_interval_is_the_published_one(void **state)
{
    static const double x[] = {48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6,
                               0,  33, 28, 34, 4,  32, 24, 47, 41, 24, 26, 30, 41};
    struct bootstrap b;

    bootstrap_bca(x, 26, biased_variance, 0.9, 200000, 42, &b);
    assert_close(b.estimate, 171.534023668639, 1e-12);
    assert_true(fabs(b.acceleration - 0.061) < 0.0005);
    assert_true(fabs(b.low - 115.6) < 0.8 && fabs(b.high - 260.9) < 1.2);
}

/* The mouse data's treatment group; R's boot.ci: (46.00, 137.57). */
static void the_bca_interval_of_a_mean_agrees_with_r(void **state)
{
    static const double x[] = {94, 197, 16, 38, 99, 141, 23};
    struct bootstrap b;
    struct bootstrap again;

    bootstrap_bca(x, 7, statistic_mean, 0.95, 200000, 42, &b);
    assert_true(fabs(b.low - 46.00) < 0.8 && fabs(b.high - 137.57) < 0.9);
    bootstrap_bca(x, 7, statistic_mean, 0.95, 200000, 42, &again);
    assert_memory_equal(&b, &again, sizeof(b));
}

static void a_bootstrap_of_hardly_anything_says_so(void **state)
{
    static const double x[] = {5, 5, 5, 5};
    struct bootstrap b;

    bootstrap_median(x, 4, &b);
    assert_true(b.estimate == 5 && b.low == 5 && b.high == 5 && b.acceleration == 0);
    bootstrap_median(x, 2, &b);
    assert_true(b.estimate == 5 && isnan(b.low));
    bootstrap_median(x, 0, &b);
    assert_true(isnan(b.estimate));
}

static void the_median_interval_covers_the_truth(void **state)
{
    struct rng rng = RNG_SEED(99);
    int covered = 0;

    for (int round = 0; round < 400; round++) {
        double x[15];
        struct bootstrap b;

        for (size_t i = 0; i < 15; i++)
            x[i] = exp(rng_normal(&rng)); /* median 1 */
        bootstrap_bca(x, 15, statistic_median, 0.95, 600, (uint64_t)round, &b);
        covered += b.low <= 1 && 1 <= b.high;
    }
    assert_in_range(covered, 366, 396); /* 91.5 % to 99 %: known to be a little liberal at n = 15 */
}

/* R: exp(mean(log r)), exp(sd(log r)) and its t interval. */
static void the_mean_of_ratios_is_geometric(void **state)
{
    static const double r[] = {0.8, 1.25, 0.9, 0, 1.1, NAN, 0.75, -2};
    static const double up_down[] = {2, 0.5};
    struct ratio_mean m;

    ratio_mean_of(r, 8, &m);
    assert_true(m.n == 5 && m.excluded == 3);
    assert_close(m.mean, 0.942191737936378, 1e-13);
    assert_close(m.spread, 1.23979197816448, 1e-13);
    assert_close(m.low, 0.72149183403284, 1e-12);
    assert_close(m.high, 1.23040238178935, 1e-12);
    ratio_mean_of(up_down, 2, &m);
    assert_close(m.mean, 1, 1e-15);
    ratio_mean_of(up_down, 1, &m);
    assert_true(m.mean == 2 && isnan(m.spread));
    ratio_mean_of(NULL, 0, &m);
    assert_true(isnan(m.mean) && m.n == 0);
}

/* Hollander and Wolfe, table 4.1 (tritiated water): U = 15, p = 0.2544, shift -0.305 (-0.76, 0.15) */
static double segment_cost(const double *x, size_t begin, size_t end)
{
    double least = INFINITY;

    for (size_t c = begin; c < end; c++) { /* a median is among the values */
        double sum = 0;

        for (size_t i = begin; i < end; i++)
            sum += fabs(x[i] - x[c]);
        least = fmin(least, sum);
    }
    return least;
}

/* Cost of the partition whose cuts are the bits of `cuts`; INFINITY when a part is too short. */
static double partition_cost(const double *x, size_t n, unsigned cuts, size_t min, double penalty)
{
    double cost = 0;
    size_t begin = 0;

    for (size_t i = 1; i <= n; i++) {
        if (i < n && !(cuts >> (i - 1) & 1))
            continue;
        if (i - begin < min)
            return INFINITY;
        cost += segment_cost(x, begin, i) + (begin > 0 ? penalty : 0);
        begin = i;
    }
    return cost;
}

static void the_segmentation_costs_no_more_than_any_other(void **state)
{
    struct rng rng = RNG_SEED(31);

    for (int round = 0; round < 200; round++) {
        const size_t n = 6 + rng_below(&rng, 6);
        const struct change_options o = {.min_segment = 1 + rng_below(&rng, 3),
                                         .penalty = 0.5 + 3 * rng_unit(&rng)};
        struct change_segment found[12];
        double least = INFINITY;
        double cost = 0;
        double x[12];
        size_t count;

        for (size_t i = 0; i < n; i++)
            x[i] = rng_normal(&rng) + (i > n / 2) * 3.0;
        for (unsigned cuts = 0; cuts < (1u << n) / 2; cuts++)
            least = fmin(least, partition_cost(x, n, cuts, o.min_segment, o.penalty));
        count = change_find(x, n, &o, found);
        for (size_t i = 0; i < count; i++) {
            assert_true(found[i].end - found[i].begin >= o.min_segment);
            assert_int_equal(found[i].begin, i > 0 ? found[i - 1].end : 0);
            cost += segment_cost(x, found[i].begin, found[i].end) + (i > 0 ? o.penalty : 0);
        }
        assert_int_equal(found[count - 1].end, n);
        assert_close(cost, least, 1e-9);
    }
}

static void steps_are_found_where_they_are_and_outliers_are_not_steps(void **state)
{
    const struct change_options o = {0};
    struct rng rng = RNG_SEED(77);
    struct change_segment s[100];
    double x[100];

    for (size_t i = 0; i < 100; i++)
        x[i] = 1000 + rng_normal(&rng) + (i >= 40) * 500 + (i >= 70) * 8;
    x[20] += 300;
    x[55] -= 700;
    assert_int_equal(change_find(x, 100, &o, s), 3); /* the big step does not hide the small one */
    assert_int_equal(s[1].begin, 40);
    assert_int_equal(s[2].begin, 70);
    assert_true(fabs(s[0].median - 1000) < 1 && fabs(s[1].median - 1500) < 1);
    assert_true(fabs(s[2].median - 1508) < 1 && s[2].sigma > 0.5 && s[2].sigma < 2);
    assert_true(change_noise(x, 100) > 0.7 && change_noise(x, 100) < 1.4);
}

static void a_deterministic_series_shows_every_lasting_step(void **state)
{
    struct change_options o = {.min_segment = 1};
    double x[12] = {48, 48, 48, 48, 48, 49, 49, 49, 49, 49, 49, 49};
    struct change_segment s[12];

    assert_int_equal(change_find(x, 12, &o, s), 2);
    assert_true(s[1].begin == 5 && s[0].median == 48 && s[1].median == 49 && s[1].sigma == 0);
    o.noise = 5;
    assert_int_equal(change_find(x, 12, &o, s), 1);
    assert_int_equal(change_find(x, 2, &(struct change_options){0}, s), 1);
    assert_int_equal(change_find(x, 1, &o, s), 1);
    assert_int_equal(change_find(x, 0, &o, s), 0);
}

static void the_longest_history_is_cut_in_time(void **state)
{
    static double x[CHANGE_MAX];
    static struct change_segment s[CHANGE_MAX];
    const struct change_options o = {0};
    struct rng rng = RNG_SEED(1);

    for (size_t i = 0; i < CHANGE_MAX; i++)
        x[i] = rng_normal(&rng) + (double)(i / 100 % 2) * 6;
    assert_int_equal(change_find(x, CHANGE_MAX, &o, s), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_are_the_published_ones),
        cmocka_unit_test(normal_numbers_have_the_normal_distribution),
        cmocka_unit_test(a_summary_agrees_with_r),
        cmocka_unit_test(a_summary_flags_outliers_and_keeps_them),
        cmocka_unit_test(a_small_spread_on_a_large_mean_keeps_its_digits),
        cmocka_unit_test(the_bca_interval_is_the_published_one),
        cmocka_unit_test(the_bca_interval_of_a_mean_agrees_with_r),
        cmocka_unit_test(a_bootstrap_of_hardly_anything_says_so),
        cmocka_unit_test(the_median_interval_covers_the_truth),
        cmocka_unit_test(the_mean_of_ratios_is_geometric),
        cmocka_unit_test(the_segmentation_costs_no_more_than_any_other),
        cmocka_unit_test(steps_are_found_where_they_are_and_outliers_are_not_steps),
        cmocka_unit_test(a_deterministic_series_shows_every_lasting_step),
        cmocka_unit_test(the_longest_history_is_cut_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
