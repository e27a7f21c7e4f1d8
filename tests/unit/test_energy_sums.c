/* Sums, integrals and budgets of energy windows that can be worked out by hand. */
#include <math.h>

#include "harness/stats/energy.h"
#include "tests/unit/close.h"

/* Constant 10 mA at 2 V over exact samples: every figure follows by hand. */
static void figures_of_a_rectangle_are_exact(void **state)
{
    static float current[4000];
    struct energy_trace t = {.current_a = current, .count = 4000, .period_s = 1e-3, .supply_v = 2};
    struct energy_gate g = {.on_s = 1.5, .off_s = 2.5, .inferences = 4, .expected_s = 1.0};
    struct energy_window w;
    struct energy_summary s;

    for (size_t k = 0; k < 4000; k++)
        current[k] = k >= 1500 && k < 2500 ? 0.015625f : 0.0009765625f; /* exact in binary */
    energy_measure(&t, &g, 1, &energy_method_default, &w);
    assert_int_equal(w.invalid, 0);
    assert_close(w.net_j, 2 * (0.015625 - 0.0009765625), 1e-12);
    assert_close(w.gross_j, 2 * 0.015625, 1e-12);
    assert_close(w.gross_c, 0.015625, 1e-12);
    assert_close(w.marker_j, 2 * 0.015625, 1e-12);
    assert_close(w.mean_a, 0.015625, 1e-12);
    assert_close(w.peak_a, 0.015625, 0);
    assert_true(w.duration_s == 1 && w.mean_v == 2 && w.lost == 0 && !w.drifts);
    assert_true(energy_budget_total(&w.net_budget) == 0);
    assert_close(w.gross_budget.edge, 2 * sqrt(2.0 / 12) * 1e-3 * 2 * 0.0009765625, 1e-12);
    assert_true(energy_summarise(&w, 1, &s));
    assert_close(s.net_j, w.net_j / 4, 1e-15);
    assert_true(s.windows == 1 && isnan(s.net.repeatability_j) && s.net.total_j == 0);
    t.ranges[0] = (struct energy_range){.gain = 0.1, .offset_a = 1e-3};
    t.voltage_error = 0.01;
    t.clock_error = 50e-6;
    energy_measure(&t, &g, 1, &energy_method_default, &w);
    assert_close(w.net_budget.gain, 0.1 * w.net_j, 1e-9);
    assert_true(w.net_budget.offset < 1e-12); /* one range: its zero error cancels in net */
    assert_close(w.gross_budget.gain, 0.1 * w.gross_j, 1e-9);
    assert_close(w.gross_budget.offset, 1e-3 * 2 * 1.0, 1e-9);
    assert_close(w.net_budget.voltage, 0.01 * w.net_j, 1e-12);
    assert_close(w.net_budget.clock, 50e-6 * w.net_j, 1e-12);
    /* What a report says of gross energy is not the smaller uncertainty of net energy. */
    assert_true(energy_summarise(&w, 1, &s));
    assert_close(s.net.total_j * 4, energy_budget_total(&w.net_budget), 1e-12);
    assert_close(s.gross.total_j * 4, energy_budget_total(&w.gross_budget), 1e-12);
    assert_close(s.marker.total_j, s.gross.total_j, 1e-12);
    assert_close(s.gross.systematic_j * 4,
                 sqrt(pow(0.1 * w.gross_j, 2) + pow(2e-3, 2) + pow(0.01 * w.gross_j, 2) +
                      pow(50e-6 * w.gross_j, 2)),
                 1e-9);
}

/* A level that was made up is no baseline: one side lost leaves the other, both leave none. */
static void an_idle_level_that_was_lost_is_none(void **state)
{
    static float current[4000];
    struct energy_trace t = {.current_a = current, .count = 4000, .period_s = 1e-3, .supply_v = 2};
    struct energy_gate g = {.on_s = 1.5, .off_s = 2.5, .inferences = 1, .expected_s = 1.0};
    struct energy_window w;

    (void)state;
    for (size_t k = 0; k < 4000; k++)
        current[k] = k >= 1500 && k < 2500 ? 0.015625f : 0.0009765625f;
    for (size_t k = 400; k < 1400; k++)
        current[k] = NAN;
    energy_measure(&t, &g, 1, &energy_method_default, &w);
    assert_int_equal(w.invalid, 0);
    assert_close(w.net_j, 2 * (0.015625 - 0.0009765625), 1e-12);
    for (size_t k = 2600; k < 4000; k++)
        current[k] = NAN;
    energy_measure(&t, &g, 1, &energy_method_default, &w);
    assert_true((w.invalid & INVALID(INVALID_SHORT)) != 0 && isnan(w.net_j));
}

static void integrals_take_edge_samples_by_their_share(void **state)
{
    static const float i[] = {1, 2, 4, NAN, 8, 16};
    const struct energy_trace t = {.current_a = i, .count = 6, .period_s = 0.5, .supply_v = 3};

    assert_close(energy_charge(&t, 0, 3), 0.5 * (1 + 2 + 4 + 6 + 8 + 16), 1e-15);
    assert_close(energy_charge(&t, 0.25, 1.25), 0.5 * (0.5 + 2 + 2), 1e-15);
    assert_close(energy_charge(&t, 0.6, 0.7), 0.1 * 2, 1e-12);
    assert_close(energy_integral(&t, 0.25, 1.25), 3 * 0.5 * 4.5, 1e-15);
    assert_close(energy_integral(&t, -1, 99), 3 * 0.5 * 37, 1e-15);
    assert_true(energy_charge(&t, 2, 2) == 0 && energy_charge(&t, 5, 6) == 0);
}

static void uneven_points_are_integrated_by_trapezoids(void **state)
{
    static const double t[] = {0, 1, 1.5, 4};
    static const double y[] = {2, 4, 5, 0}; /* areas 3, 2.25, 6.25 */

    assert_close(energy_trapezoid(t, y, 4, 0, 4), 11.5, 1e-15);
    assert_close(energy_trapezoid(t, y, 4, 0.5, 1.25), 0.5 * 3.5 + 0.25 * 4.25, 1e-15);
    assert_true(energy_trapezoid(t, y, 4, 2, 2) == 0);
    assert_true(isnan(energy_trapezoid(t, y, 4, -0.1, 2)));
    assert_true(isnan(energy_trapezoid(t, y, 4, 2, 4.1)));
    assert_true(isnan(energy_trapezoid(t, y, 1, 0, 0)));
}

static void five_windows_give_their_median_and_their_scatter(void **state)
{
    struct energy_window w[6] = {{.inferences = 10, .net_j = 100, .gross_j = 110, .marker_j = 111},
                                 {.inferences = 10, .net_j = 101, .gross_j = 111, .marker_j = 111},
                                 {.inferences = 20, .net_j = 204, .gross_j = 224, .marker_j = 222},
                                 {.inferences = 10, .net_j = 103, .gross_j = 113, .marker_j = 111},
                                 {.inferences = 10, .net_j = 150, .gross_j = 160, .marker_j = 111},
                                 {.inferences = 10, .net_j = 999, .invalid = 1}};
    struct energy_summary s;

    for (size_t i = 0; i < 6; i++)
        w[i].net_budget = (struct energy_budget){
            .gain = 3 * w[i].inferences / 10.0, .voltage = 4 * w[i].inferences / 10.0, .noise = 2};
    assert_true(energy_summarise(w, 6, &s));
    assert_int_equal(s.windows, 5);
    assert_close(s.net_j, 10.2, 1e-15);
    assert_close(s.gross_j, 11.2, 1e-15);
    assert_close(s.marker_j, 11.1, 1e-15);
    assert_close(s.net.systematic_j, 0.5, 1e-15);
    assert_close(s.net.random_j, sqrt(4 * 0.04 + 0.01) / 5, 1e-12);
    /* t(0.975, 4) sqrt(pi/2) 0.14826 / sqrt(5) */
    assert_close(s.net.repeatability_j, 2.776445105 * 1.2533141 * 0.1482602 / 2.2360680, 1e-6);
    assert_close(s.net.total_j, hypot(0.5, s.net.repeatability_j), 1e-12);
    assert_false(energy_summarise(w + 5, 1, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_a_rectangle_are_exact),
        cmocka_unit_test(an_idle_level_that_was_lost_is_none),
        cmocka_unit_test(integrals_take_edge_samples_by_their_share),
        cmocka_unit_test(uneven_points_are_integrated_by_trapezoids),
        cmocka_unit_test(five_windows_give_their_median_and_their_scatter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
