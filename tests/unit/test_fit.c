/*
 * Order statistics, distributions and the slope fit.
 *
 * Oracles: R 4.2.2 (quantile type 7, mad, qt, pt, qnorm, pnorm, lm, confint), run once, and the
 * NIST Statistical Reference Datasets (Norris; certified values).
 */
#include <math.h>
#include <stdlib.h>

#include "harness/stats/distribution.h"
#include "harness/stats/fit.h"
#include "harness/stats/order.h"
#include "tests/unit/close.h"

/* Window sizes of the i-th of a run's windows: `per_level` windows of n, then of 2n, 3n, ... */
static double level(double n, size_t i, size_t per_level)
{
    const size_t number = 1 + i / per_level;

    return n * (double)number;
}

static void quantiles_median_and_mad_agree_with_r(void **state)
{
    static const double sample[] = {2.5, 3.1, 47, 1.2, 9.9, 8, 8, 15};
    double x[8];
    double scratch[8];

    for (size_t i = 0; i < 8; i++)
        x[i] = sample[i];
    assert_close(order_median(x, 8), 8, 0);
    assert_close(order_mad(x, 8, 8, scratch), 5.2, 1e-15);
    order_sort(x, 8);
    assert_close(order_quantile(x, 8, 0), 1.2, 0);
    assert_close(order_quantile(x, 8, 0.1), 2.11, 1e-15);
    assert_close(order_quantile(x, 8, 0.25), 2.95, 1e-15);
    assert_close(order_quantile(x, 8, 0.9), 24.6, 1e-15);
    assert_close(order_quantile(x, 8, 1), 47, 0);
    assert_true(isnan(order_median(x, 0)));
}

/* Against qsort, on small ranges so that ties are common. */
static void selection_equals_sorting_on_any_input(void **state)
{
    double x[40];
    double sorted[40];
    double copy[40];

    srand(7);
    for (int round = 0; round < 3000; round++) {
        const size_t n = 1 + (size_t)rand() % 40;

        for (size_t i = 0; i < n; i++)
            sorted[i] = x[i] = rand() % (round % 2 ? 4 : 1000);
        order_sort(sorted, n);
        for (size_t k = 0; k < n; k++) {
            for (size_t i = 0; i < n; i++)
                copy[i] = x[i];
            assert_close(order_select(copy, n, k), sorted[k], 0);
        }
        assert_close(order_median(x, n), (sorted[(n - 1) / 2] + sorted[n / 2]) / 2, 1e-15);
    }
}

static void distributions_agree_with_r(void **state)
{
    assert_close(normal_cdf(-8), 6.2209605742717849e-16, 1e-12);
    assert_close(normal_cdf(-1.96), 0.024997895148220428, 1e-12);
    assert_close(normal_cdf(0.5), 0.69146246127401301, 1e-12);
    assert_close(normal_quantile(1e-10), -6.3613409024040557, 1e-12);
    assert_close(normal_quantile(0.001), -3.0902323061678132, 1e-12);
    assert_close(normal_quantile(0.3), -0.52440051270804067, 1e-12);
    assert_close(normal_quantile(0.975), 1.9599639845400536, 1e-12);
    assert_close(student_cdf(2.5, 1), 0.87888105840915665, 1e-12);
    assert_close(student_cdf(2.5, 7.5), 0.98058987086318727, 1e-12);
    assert_close(student_cdf(-2.5, 1000), 1 - 0.99371071609945461, 1e-10);
    assert_close(student_quantile(0.975, 1), 12.706204736174694, 1e-12);
    assert_close(student_quantile(0.975, 2), 4.3026527297494619, 1e-12);
    assert_close(student_quantile(0.025, 13), -2.1603686564627917, 1e-12);
    assert_close(student_quantile(0.975, 120), 1.9799304050824222, 1e-12);
}

static void counters_on_a_line_give_the_exact_line(void **state)
{
    struct fit_point p[9];
    struct fit_line line;

    for (size_t i = 0; i < 9; i++) {
        const double n = level(4961, i, 3);

        p[i] = (struct fit_point){.n = n, .value = 37 + 2016 * n};
    }
    assert_int_equal(fit_line(p, 9, &line), FIT_DONE);
    assert_true(line.exact);
    assert_true(line.slope == 2016.0 && line.intercept == 37.0);
    assert_true(line.slope_se == 0 && line.slope_low == 2016.0 && line.slope_high == 2016.0);
    assert_true(line.residual_max == 0 && line.outliers == 0 && line.levels == 3);
    assert_true(fit_is_straight(&line, 0));
    assert_close(line.intercept_share, 37.0 / (37.0 + 2016.0 * 4961), 1e-15);
}

/* 64-bit counters, slope with a fraction, odd window sizes: still exact, by integer arithmetic. */
static void exactness_survives_large_counts_and_any_slope(void **state)
{
    srand(11);
    for (int round = 0; round < 2000; round++) {
        const int64_t per = 1 + rand() % 1000000007 + (int64_t)(rand() % 1000) * 100003;
        const int64_t n0 = 1 + rand() % 2000;
        const int64_t a = rand() % 100000 - 500;
        const int denominator = 1 << (rand() % 4); /* whole totals, slope in eighths */
        struct fit_point p[12];
        struct fit_line line;

        for (int i = 0; i < 12; i++) {
            const int64_t n = n0 * denominator * (1 + i % 4);

            const int64_t total = a + per * n / denominator;

            p[i] = (struct fit_point){.n = (double)n, .value = (double)total};
        }
        assert_int_equal(fit_line(p, 12, &line), FIT_DONE);
        assert_true(line.exact);
        assert_true(line.slope == (double)per / denominator);
        assert_true(line.intercept == (double)a);
    }
}

static void noisy_windows_agree_with_lm_of_r(void **state)
{
    static const double y[] = {1012.4, 1010.9, 1013.3, 2011.8, 2014.1,
                               2012.7, 3012.9, 3010.2, 3015.6};
    struct fit_point p[9];
    struct fit_line line;

    for (size_t i = 0; i < 9; i++)
        p[i] = (struct fit_point){.n = level(10, i, 3), .value = y[i]};
    assert_int_equal(fit_line(p, 9, &line), FIT_DONE);
    assert_false(line.exact);
    assert_int_equal(line.outliers, 0);
    assert_close(line.slope, 100.035, 1e-12);
    assert_close(line.intercept, 11.955555555555597, 1e-10);
    assert_close(line.slope_se, 0.069705540912199854, 1e-10);
    assert_close(line.slope_low, 99.8701725874886108, 1e-12);
    assert_close(line.slope_high, 100.199827412511382, 1e-12);
    assert_close(line.residual_max, 2.8055555555556935, 1e-9);
}

/* NIST StRD Norris: B1 = 1.00211681802045, B0 = -0.262323073774029, s(B1) = 0.000429796848199937 */
static void nist_norris_gives_the_certified_line(void **state)
{
    static const double yx[36][2] = {{0.1, 0.2},     {338.8, 337.4}, {118.1, 118.2}, {888.0, 884.6},
                                     {9.2, 10.1},    {228.1, 226.5}, {668.5, 666.3}, {998.5, 996.3},
                                     {449.1, 448.6}, {778.9, 777.0}, {559.2, 558.2}, {0.3, 0.4},
                                     {0.1, 0.6},     {778.1, 775.5}, {668.8, 666.9}, {339.3, 338.0},
                                     {448.9, 447.5}, {10.8, 11.6},   {557.7, 556.0}, {228.3, 228.1},
                                     {998.0, 995.8}, {888.8, 887.6}, {119.6, 120.2}, {0.3, 0.3},
                                     {0.6, 0.3},     {557.6, 556.8}, {339.3, 339.1}, {888.0, 887.2},
                                     {998.5, 999.0}, {778.9, 779.0}, {10.2, 11.1},   {117.6, 118.3},
                                     {228.9, 229.2}, {668.4, 669.1}, {449.2, 448.9}, {0.2, 0.5}};
    struct fit_point p[36];
    struct fit_line line;

    for (size_t i = 0; i < 36; i++)
        p[i] = (struct fit_point){.n = yx[i][1], .value = yx[i][0]};
    assert_int_equal(fit_line(p, 36, &line), FIT_DONE);
    assert_int_equal(line.outliers, 0);
    assert_close(line.slope, 1.00211681802045, 1e-14);
    assert_close(line.intercept, -0.262323073774029, 1e-12);
    assert_close(line.slope_se, 0.000429796848199937, 1e-12);
}

static void stalled_windows_are_flagged_and_do_not_bend_the_line(void **state)
{
    struct fit_point p[15];
    struct fit_line line;

    for (size_t i = 0; i < 15; i++) {
        const double n = level(100, i, 5);

        p[i] = (struct fit_point){.n = n, .value = 50 + 1000 * n};
    }
    p[3].value += 70000; /* an interrupt storm in the first level, two stalls in the last */
    p[11].value += 40000;
    p[14].value += 90000;
    assert_int_equal(fit_line(p, 15, &line), FIT_DONE);
    assert_int_equal(line.outliers, 3);
    assert_true(p[3].outlier && p[11].outlier && p[14].outlier);
    assert_true(line.slope == 1000 && line.intercept == 50);
    assert_false(line.exact);
}

static void a_second_mode_is_not_called_an_outlier(void **state)
{
    struct fit_point p[12];
    struct fit_line line;

    for (size_t i = 0; i < 12; i++) {
        const double n = level(100, i, 4);

        p[i] = (struct fit_point){.n = n, .value = 1000 * n + (i % 4 == 0 || i == 6) * 5000.0};
    }
    assert_int_equal(fit_line(p, 12, &line), FIT_DONE);
    assert_int_equal(line.outliers, 0);
    assert_true(line.residual_max > 1000);
}

static void one_count_of_jitter_is_not_an_outlier(void **state)
{
    struct fit_point p[15];
    struct fit_line line;

    for (size_t i = 0; i < 15; i++) {
        const double n = level(10, i, 5);

        p[i] = (struct fit_point){.n = n, .value = 100 * n + (i == 4 || i == 9)};
    }
    assert_int_equal(fit_line(p, 15, &line), FIT_DONE);
    assert_int_equal(line.outliers, 0);
    assert_false(line.exact);
}

static void a_throttling_part_is_bent_and_a_noisy_one_is_not(void **state)
{
    struct fit_point p[15];
    struct fit_line line;

    for (size_t i = 0; i < 15; i++) {
        const double n = level(100, i, 5);

        p[i] = (struct fit_point){.n = n, .value = 1000 * n + 0.4 * n * n + (double)(i * 7 % 5)};
    }
    assert_int_equal(fit_line(p, 15, &line), FIT_DONE);
    assert_true(line.levels == 3 && !fit_is_straight(&line, 0.01));
    srand(5);
    for (size_t i = 0; i < 15; i++)
        p[i].value = p[i].n * (1000 + rand() % 80);
    assert_int_equal(fit_line(p, 15, &line), FIT_DONE);
    assert_true(line.curvature < line.curvature_noise && fit_is_straight(&line, 0.001));
}

/* A plain line through least squares must not depend on units or on the order of windows. */
static void the_fit_follows_scaling_and_order(void **state)
{
    srand(3);
    for (int round = 0; round < 500; round++) {
        struct fit_point p[12];
        struct fit_point q[12];
        struct fit_line a;
        struct fit_line b;

        for (size_t i = 0; i < 12; i++) {
            p[i].n = 64 * (double)(1 + i % 3);
            p[i].value = 3 + 1.7 * p[i].n + rand() % 1000 * 1e-3;
        }
        for (size_t i = 0; i < 12; i++)
            q[i] = (struct fit_point){.n = p[11 - i].n, .value = 1e6 * p[11 - i].value};
        assert_int_equal(fit_line(p, 12, &a), FIT_DONE);
        assert_int_equal(fit_line(q, 12, &b), FIT_DONE);
        assert_close(b.slope, 1e6 * a.slope, 1e-11);
        assert_close(b.slope_se, 1e6 * a.slope_se, 1e-9);
        assert_int_equal(a.outliers, b.outliers);
    }
}

static void one_window_size_gives_a_quotient_and_says_so(void **state)
{
    struct fit_point p[] = {
        {.n = 10, .value = 100}, {.n = 10, .value = 104}, {.n = 10, .value = 99}};
    struct fit_line line;

    assert_int_equal(fit_line(p, 3, &line), FIT_ONE_LEVEL);
    assert_close(line.slope, 10, 1e-15);
    assert_true(isnan(line.intercept) && line.levels == 1 && !line.exact);
    /* sqrt(pi/2) * 1.4826 * MAD 0.1 / sqrt(3) */
    assert_close(line.slope_se, 0.10728129, 1e-7);
    assert_int_equal(fit_line(p, 1, &line), FIT_ONE_LEVEL);
    assert_true(line.slope == 10 && isnan(line.slope_se));
}

static void nothing_usable_gives_no_line(void **state)
{
    struct fit_point p[] = {
        {.n = 0, .value = 100}, {.n = 5, .value = NAN}, {.n = INFINITY, .value = 1}};
    struct fit_line line = {.slope = 42};

    assert_int_equal(fit_line(p, 3, &line), FIT_NO_POINTS);
    assert_int_equal(fit_line(NULL, 0, &line), FIT_NO_POINTS);
    assert_true(line.slope == 42);
}

static void two_windows_give_a_line_without_an_error_bar(void **state)
{
    struct fit_point p[] = {{.n = 10, .value = 1007}, {.n = 20, .value = 2007}};
    struct fit_line line;

    assert_int_equal(fit_line(p, 2, &line), FIT_DONE);
    assert_true(line.slope == 100 && line.intercept == 7);
    assert_true(isnan(line.slope_se) && !line.exact);
}

static void cold_and_invalid_windows_stay_apart(void **state)
{
    const struct event_window w[] = {
        {.cold = true, .inferences = 1, .value = 9000},
        {.inferences = 10, .value = 1007},
        {.inferences = 20, .value = 2007},
        {.inferences = 30, .value = 9999, .invalid = INVALID(INVALID_LINK)},
        {.inferences = 30, .value = 3007},
        {.inferences = 0, .value = 3007, .invalid = INVALID(INVALID_CLOCK)},
        {.cold = true, .inferences = 1, .value = 9100},
    };
    struct fit_windows fit;

    assert_int_equal(fit_windows(w, 7, &fit), FIT_DONE);
    assert_true(fit.line.exact && fit.line.slope == 100 && fit.line.intercept == 7);
    assert_true(fit.cold == 9050 && fit.cold_windows == 2);
    assert_int_equal(fit.invalid_windows, 2);
    assert_int_equal(fit.invalid, INVALID(INVALID_LINK) | INVALID(INVALID_CLOCK));
    assert_int_equal(fit_windows(w, 1, &fit), FIT_NO_POINTS);
    assert_true(fit.cold == 9000 && isnan(fit.line.slope));
}

/* A known line with normal-ish noise: the 95 % interval must hold it about 95 times in 100. */
static void the_interval_covers_the_truth(void **state)
{
    int covered = 0;

    srand(17);
    for (int round = 0; round < 2000; round++) {
        struct fit_point p[15];
        struct fit_line line;

        for (size_t i = 0; i < 15; i++) {
            double noise = -6;

            for (int k = 0; k < 12; k++)
                noise += rand() / (RAND_MAX + 1.0);
            p[i].n = level(1000, i, 5);
            p[i].value = 80.5 + 123.25 * p[i].n + 40 * noise;
        }
        assert_int_equal(fit_line(p, 15, &line), FIT_DONE);
        covered += line.slope_low <= 123.25 && 123.25 <= line.slope_high;
    }
    assert_in_range(covered, 1850, 1950);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_median_and_mad_agree_with_r),
        cmocka_unit_test(selection_equals_sorting_on_any_input),
        cmocka_unit_test(distributions_agree_with_r),
        cmocka_unit_test(counters_on_a_line_give_the_exact_line),
        cmocka_unit_test(exactness_survives_large_counts_and_any_slope),
        cmocka_unit_test(noisy_windows_agree_with_lm_of_r),
        cmocka_unit_test(nist_norris_gives_the_certified_line),
        cmocka_unit_test(stalled_windows_are_flagged_and_do_not_bend_the_line),
        cmocka_unit_test(a_second_mode_is_not_called_an_outlier),
        cmocka_unit_test(one_count_of_jitter_is_not_an_outlier),
        cmocka_unit_test(a_throttling_part_is_bent_and_a_noisy_one_is_not),
        cmocka_unit_test(the_fit_follows_scaling_and_order),
        cmocka_unit_test(one_window_size_gives_a_quotient_and_says_so),
        cmocka_unit_test(nothing_usable_gives_no_line),
        cmocka_unit_test(two_windows_give_a_line_without_an_error_bar),
        cmocka_unit_test(cold_and_invalid_windows_stay_apart),
        cmocka_unit_test(the_interval_covers_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
