/*
 * Rank tests, shifts, corrections for many tests, detectable effects.
 *
 * Oracles: R 4.2.2, Hollander and Wolfe's table 4.1, and brute force written here.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/base.h"
#include "harness/stats/distribution.h"
#include "harness/stats/evidence.h"
#include "harness/stats/rank.h"
#include "harness/stats/rng.h"
#include "harness/stats/summary.h"
#include "tests/unit/close.h"

/* First outputs for seed 1234567, as listed with the reference implementation of SplitMix64. */
static void the_rank_test_gives_the_textbook_example(void **state)
{
    static const double a[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    static const double b[] = {1.15, 0.88, 0.90, 0.74, 1.21};
    struct rank_test t;
    struct rank_shift s;

    rank_test(a, 10, b, 5, &t);
    assert_true(t.exact && t.u == 15);
    assert_close(t.p, 0.254412254412254, 1e-13);
    assert_close(t.dominance, 0.3, 1e-15);
    rank_shift(a, 10, b, 5, 0.95, &s);
    assert_close(s.shift, -0.305, 1e-13);
    assert_close(s.low, -0.76, 1e-13);
    assert_close(s.high, 0.15, 1e-12);
    assert_true(s.confidence >= 0.95 && s.confidence < 0.97);
}

/* The smallest p-values that benchstat's documentation names for 4+4, 5+5 and 8+8 samples. */
static void small_samples_cannot_give_smaller_p_than_counting_allows(void **state)
{
    static const double a[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const double b[] = {11, 12, 13, 14, 15, 16, 17, 18};
    static const size_t n[] = {4, 5, 8};
    static const double p[] = {0.0286, 0.0079, 0.00016};

    for (size_t i = 0; i < 3; i++) {
        struct rank_test t;

        rank_test(a, n[i], b, n[i], &t);
        assert_close(t.p, p[i], 0.04);
        assert_close(t.p, rank_smallest_p(n[i], n[i]), 1e-12);
        assert_true(t.dominance == 1);
    }
    assert_int_equal(rank_needed(0.01), 5);
    assert_int_equal(rank_needed(0.05), 4);
    assert_int_equal(rank_needed(0.01 / 80), 9);
    assert_int_equal(rank_needed(1), 1);
}

/* Next subset of the same size, as bits (Gosper's hack). */
static unsigned next_subset(unsigned s)
{
    const unsigned lowest = s & -s;
    const unsigned ripple = s + lowest;

    return ripple | (((s ^ ripple) >> 2) / lowest);
}

static double pairs_above(const double *x, size_t n, unsigned in_b)
{
    double u = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if ((in_b >> j & 1) && !(in_b >> i & 1))
                u += x[j] > x[i] ? 1 : x[j] == x[i] ? 0.5 : 0;
        }
    }
    return u;
}

/* Every split of the pooled values, ties and all. */
static double permutation_p(const double *x, size_t na, size_t nb)
{
    const size_t n = na + nb;
    const unsigned given = ((1u << nb) - 1) << na;
    const double half = (double)(na * nb) / 2;
    const double distance = fabs(pairs_above(x, n, given) - half);
    size_t as_far = 0;
    size_t all = 0;

    for (unsigned s = (1u << nb) - 1; s < 1u << n; s = next_subset(s)) {
        as_far += fabs(pairs_above(x, n, s) - half) >= distance - 1e-9;
        all++;
    }
    return (double)as_far / (double)all;
}

static void the_exact_p_equals_counting_all_splits(void **state)
{
    struct rng rng = RNG_SEED(8);

    for (int round = 0; round < 300; round++) {
        const size_t na = 1 + rng_below(&rng, 6);
        const size_t nb = 1 + rng_below(&rng, 6);
        double x[12];
        struct rank_test t;

        for (size_t i = 0; i < na + nb; i++)
            x[i] = (double)rng_below(&rng, round % 3 == 0 ? 4 : 1000) + (i >= na) * (round % 2);
        rank_test(x, na, x + na, nb, &t);
        assert_true(t.exact);
        assert_close(t.p, permutation_p(x, na, nb), 1e-12);
    }
}

/* The same by brute force in R (combn), with ties. */
static void ties_are_counted_exactly(void **state)
{
    static const double a[] = {1, 2, 2, 3, 5, 5, 8};
    static const double b[] = {2, 4, 5, 5, 6, 9, 9, 9};
    static const double c[] = {10, 10, 10, 11, 12};
    static const double d[] = {10, 12, 12, 13};
    struct rank_test t;

    rank_test(a, 7, b, 8, &t);
    assert_true(t.u == 43);
    assert_close(t.p, 0.0895104895104895, 1e-13);
    rank_test(c, 5, d, 4, &t);
    assert_true(t.u == 15.5);
    assert_close(t.p, 0.26984126984127, 1e-12);
}

/* wilcox.test(y, x), exact, 20 + 20 values. */
static void twenty_against_twenty_agrees_with_r(void **state)
{
    double x[20];
    double y[20];
    struct rank_test t;
    struct rank_shift s;

    for (int i = 0; i < 20; i++) {
        x[i] = (i + 1) * 17 % 41 + 0.5;
        y[i] = (i + 1) * 23 % 43 + 4.25;
    }
    rank_test(x, 20, y, 20, &t);
    assert_true(t.exact && t.u == 225);
    assert_close(t.p, 0.511661243702, 1e-11);
    rank_shift(x, 20, y, 20, 0.95, &s);
    assert_true(s.shift == 2.75 && s.low == -5.25 && s.high == 11.75);
}

/* wilcox.test(y, x, exact = FALSE, correct = TRUE); the first has ties. */
static void large_samples_agree_with_r(void **state)
{
    double x[60];
    double y[55];
    struct rank_test t;
    struct rank_shift s;

    for (int i = 0; i < 60; i++)
        x[i] = 7 * (i + 1);
    for (int i = 0; i < 45; i++)
        y[i] = (i + 1) * 11 % 37 + 3;
    rank_test(x, 40, y, 45, &t);
    assert_true(!t.exact && t.u == 111.5);
    assert_close(t.p, 3.96202391086396e-12, 1e-9);
    for (int i = 0; i < 60; i++)
        x[i] = 100 + (i + 1) * 37 / 10.0;
    for (int i = 0; i < 55; i++)
        y[i] = 100.8 + (i + 1) * 29 / 10.0;
    rank_test(x, 60, y, 55, &t);
    assert_true(t.u == 1191);
    assert_close(t.p, 0.01025479187536, 1e-11);
    rank_shift(x, 60, y, 55, 0.95, &s);
    assert_true(fabs(s.shift + 30.878) < 0.11);
    assert_true(fabs(s.low + 54.4) < 0.31 && fabs(s.high + 7.3) < 0.31);
}

static void rank_figures_mirror_when_the_samples_swap(void **state)
{
    struct rng rng = RNG_SEED(21);

    for (int round = 0; round < 300; round++) {
        const size_t na = 1 + rng_below(&rng, 20);
        const size_t nb = 1 + rng_below(&rng, 40);
        double a[20];
        double b[40];
        struct rank_test t[2];
        struct rank_shift s[2];

        for (size_t i = 0; i < na; i++)
            a[i] = (double)rng_below(&rng, 30);
        for (size_t i = 0; i < nb; i++)
            b[i] = (double)rng_below(&rng, 30) + 2;
        rank_test(a, na, b, nb, &t[0]);
        rank_test(b, nb, a, na, &t[1]);
        assert_close(t[0].p, t[1].p, 1e-12);
        assert_true(t[0].p > 0 && t[0].p <= 1 + 1e-12);
        assert_close(t[0].u + t[1].u, (double)(na * nb), 1e-12);
        rank_shift(a, na, b, nb, 0.9, &s[0]);
        rank_shift(b, nb, a, na, 0.9, &s[1]);
        assert_true(s[0].shift == -s[1].shift && s[0].low == -s[1].high);
        assert_true(s[0].low <= s[0].shift && s[0].shift <= s[0].high);
    }
}

static void equal_and_empty_samples_show_nothing(void **state)
{
    static const double x[60] = {0};
    struct rank_test t;
    struct rank_shift s;

    rank_test(x, 5, x, 7, &t);
    assert_true(t.p == 1 && t.u == 17.5);
    rank_test(x, 60, x, 60, &t);
    assert_true(t.p == 1 && !t.exact);
    rank_test(x, 0, x, 7, &t);
    assert_true(t.p == 1 && isnan(t.u));
    rank_shift(x, 0, x, 7, 0.95, &s);
    assert_true(isnan(s.shift) && isnan(s.low));
    assert_true(rank_smallest_p(0, 5) == 1);
}

static void the_shift_interval_covers_the_truth(void **state)
{
    struct rng rng = RNG_SEED(4);
    int covered = 0;

    for (int round = 0; round < 2000; round++) {
        double a[8];
        double b[8];
        struct rank_shift s;

        for (size_t i = 0; i < 8; i++) {
            a[i] = rng_normal(&rng);
            b[i] = rng_normal(&rng) + 1.5;
        }
        rank_shift(a, 8, b, 8, 0.95, &s);
        covered += s.low <= 1.5 && 1.5 <= s.high;
    }
    assert_in_range(covered, 1890, 1955); /* exact confidence is 0.9500 or a little more */
}

static void thinning_large_samples_keeps_the_shift(void **state)
{
    static double a[5000];
    static double b[3000];
    struct rng rng = RNG_SEED(6);
    struct rank_shift s;

    for (size_t i = 0; i < 5000; i++)
        a[i] = rng_normal(&rng);
    for (size_t i = 0; i < 3000; i++)
        b[i] = rng_normal(&rng) + 0.5;
    rank_shift(a, 5000, b, 3000, 0.95, &s);
    assert_true(fabs(s.shift - 0.5) < 0.08 && s.low < 0.5 && s.high > 0.5);
}

/* p.adjust(p, "holm") of R. */
static void holm_agrees_with_r(void **state)
{
    double p[] = {0.01, 0.02, 0.03, 0.04, 0.05, 0.0001};
    static const double expected[] = {0.05, 0.08, 0.09, 0.09, 0.09, 0.0006};
    static const double q[] = {0.04, 0.001, 0.3, 0.012};
    static const double q_expected[] = {0.08, 0.004, 0.3, 0.036};
    double adjusted[4];

    evidence_holm(p, 6, p); /* in place */
    for (size_t i = 0; i < 6; i++)
        assert_close(p[i], expected[i], 1e-12);
    evidence_holm(q, 4, adjusted);
    for (size_t i = 0; i < 4; i++)
        assert_close(adjusted[i], q_expected[i], 1e-12);
    evidence_holm(NULL, 0, NULL);
}

/* power.t.test(sd = 1, power = 0.8)$delta over the rank test's efficiency sqrt(3/pi). */
static void the_detectable_effect_is_near_the_exact_power_calculation(void **state)
{
    const double efficiency = sqrt(3 / M_PI);

    assert_close(evidence_detectable(1, 5, 5, 0.01, 0.8), 2.74444114043797 / efficiency, 0.03);
    assert_close(evidence_detectable(1, 10, 10, 0.01, 0.8), 1.68611051438944 / efficiency, 0.01);
    assert_close(evidence_detectable(1, 30, 30, 0.05, 0.8), 0.735628901530183 / efficiency, 0.002);
    assert_close(evidence_detectable(3, 30, 30, 0.05, 0.8), 3 * 0.7356 / efficiency, 0.002);
    assert_true(isinf(evidence_detectable(1, 3, 3, 0.01, 0.8)));
    assert_true(isinf(evidence_detectable(1, 0, 30, 0.01, 0.8)));
}

static void the_detectable_effect_is_detected_as_often_as_it_says(void **state)
{
    const double shift = evidence_detectable(1, 10, 10, 0.01, 0.8);
    struct rng rng = RNG_SEED(12);
    int found = 0;

    for (int round = 0; round < 1000; round++) {
        double a[10];
        double b[10];
        struct rank_test t;

        for (size_t i = 0; i < 10; i++) {
            a[i] = rng_normal(&rng);
            b[i] = rng_normal(&rng) + shift;
        }
        rank_test(a, 10, b, 10, &t);
        found += t.p <= 0.01;
    }
    assert_in_range(found, 750, 850);
}

/* 2 * pt(-2 / sqrt(1/5 + 1), 8) and friends, by R. */
static void student_evidence_agrees_with_r(void **state)
{
    assert_close(evidence_student(2, 1, 5, 1, 8), 0.105321921117337, 1e-9);
    assert_close(evidence_student(-2, 1, 5, 1, 8), 0.105321921117337, 1e-9);
    assert_true(evidence_student(0, 0, 5, 5, 8) == 1);
    assert_true(evidence_student(1, 0, 5, 5, 8) == 0);
    assert_true(evidence_student(1, 1, 5, 5, 0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_test_gives_the_textbook_example),
        cmocka_unit_test(small_samples_cannot_give_smaller_p_than_counting_allows),
        cmocka_unit_test(the_exact_p_equals_counting_all_splits),
        cmocka_unit_test(ties_are_counted_exactly),
        cmocka_unit_test(twenty_against_twenty_agrees_with_r),
        cmocka_unit_test(large_samples_agree_with_r),
        cmocka_unit_test(rank_figures_mirror_when_the_samples_swap),
        cmocka_unit_test(equal_and_empty_samples_show_nothing),
        cmocka_unit_test(the_shift_interval_covers_the_truth),
        cmocka_unit_test(thinning_large_samples_keeps_the_shift),
        cmocka_unit_test(holm_agrees_with_r),
        cmocka_unit_test(the_detectable_effect_is_near_the_exact_power_calculation),
        cmocka_unit_test(the_detectable_effect_is_detected_as_often_as_it_says),
        cmocka_unit_test(student_evidence_agrees_with_r),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
