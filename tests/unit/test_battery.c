/*
 * Battery projections: figures are those of the data sheets and guides they came from, recomputed by
 * hand.
 */
#include <math.h>
#include <string.h>

#include "harness/stats/battery.h"
#include "tests/unit/close.h"

/* ---- battery ---- */

static struct battery_life life_of(struct battery b)
{
    struct battery_life life;
    struct err err = ERR_INIT;

    assert_int_equal(battery_project(&b, &life, &err), 0);
    return life;
}

static void the_given_projections_are_reproduced(void **state)
{
    struct battery_life l = life_of((struct battery){.capacity_ah = 2, .sleep_a = 12e-6});

    assert_close(l.hours, 166666.667, 1e-8);
    assert_close(l.years, 19.0, 0.001);
    l = life_of((struct battery){.capacity_ah = 2, .other_a = 176.4e-3});
    assert_close(l.hours, 11.34, 0.0005);
    assert_close(battery_current_for(&(struct battery){.capacity_ah = 2}, 10), 22.8e-6, 0.001);
    /* 8.4 mA for 100 ms every 10 s, on top of 12 uA */
    l = life_of((struct battery){.capacity_ah = 2,
                                 .sleep_a = 12e-6,
                                 .charge_c = (8.4e-3 - 12e-6) * 0.1,
                                 .inferences_per_hour = 360});
    assert_close(l.load_a, 95.9e-6, 0.0005);
    assert_close(l.years, 2.38, 0.001);
    assert_close(l.sleep_share + l.inference_share, 1, 1e-12);
}

/* 2 Ah at 12 uA with self-discharge: simple and exact, in years, as published with the method. */
static void self_discharge_shortens_life_as_published(void **state)
{
    static const double cases[][4] = {
        {0.01, 1, 16.0, 17.4}, {0.01, 0.85, 13.6, 14.6}, {0.02, 1, 13.8, 16.1}};

    for (size_t i = 0; i < 3; i++) {
        const struct battery b = {.capacity_ah = 2,
                                  .sleep_a = 12e-6,
                                  .self_discharge = cases[i][0],
                                  .usable = cases[i][1]};
        const struct battery_life l = life_of(b);

        assert_true(fabs(l.simple_hours / BATTERY_HOURS_PER_YEAR - cases[i][2]) < 0.05);
        assert_true(fabs(l.years - cases[i][3]) < 0.05);
        assert_close(battery_current_for(&b, l.years), 12e-6, 1e-9);
    }
}

static void a_duty_cycle_for_ten_years_is_found(void **state)
{
    struct battery b = {.capacity_ah = 2,
                        .usable = 0.85,
                        .self_discharge = 0.01,
                        .sleep_a = 3e-6,
                        .charge_c = 8.4e-4,
                        .efficiency = 0.9,
                        .load_v = 1.8,
                        .battery_v = 3.6};
    const double rate = battery_rate_for(&b, 10);

    assert_true(rate > 0);
    b.inferences_per_hour = rate;
    assert_close(life_of(b).years, 10, 1e-9);
    b.inferences_per_hour = 1.01 * rate;
    assert_true(life_of(b).years < 10);
    b.sleep_a = 1e-3; /* sleeping alone is too much */
    assert_true(battery_rate_for(&b, 10) < 0);
    b.sleep_a = 0;
    b.charge_c = 0;
    assert_true(isinf(battery_rate_for(&b, 10)));
    b.shelf_years = 8;
    assert_true(isnan(battery_rate_for(&b, 10)));
}

/* 1.8 V at 90 % from 3.6 V: 10 mA at the load are 5.56 mA at the battery. */
static void a_converter_scales_the_current(void **state)
{
    const struct battery_life l = life_of((struct battery){
        .capacity_ah = 1, .other_a = 10e-3, .efficiency = 0.9, .load_v = 1.8, .battery_v = 3.6});

    assert_close(l.battery_a, 10e-3 * 1.8 / (3.6 * 0.9), 1e-12);
    assert_close(l.hours, 180, 1e-9);
}

static void a_peak_that_browns_out_is_told(void **state)
{
    struct battery b = {.capacity_ah = 0.2,
                        .sleep_a = 1e-6,
                        .peak_a = 0.05,
                        .resistance_ohm = 15,
                        .open_v = 2.8,
                        .brownout_v = 2.0};
    struct battery_life l = life_of(b);

    assert_true(l.peak_known && l.peak_holds); /* 2.8 - 0.75 */
    assert_close(l.resistance_limit, 16, 1e-12);
    b.resistance_ohm = 20;
    assert_false(life_of(b).peak_holds);
    b.open_v = 0;
    l = life_of(b);
    assert_true(!l.peak_known && isnan(l.resistance_limit));
}

static void life_ends_on_the_shelf_and_never_without_a_load(void **state)
{
    struct battery_life l =
        life_of((struct battery){.capacity_ah = 2, .sleep_a = 1e-6, .shelf_years = 10});

    assert_true(l.shelf_limited && l.years == 10 && l.hours > 1e6);
    l = life_of((struct battery){.capacity_ah = 2});
    assert_true(isinf(l.hours) && isinf(l.years) && l.sleep_share == 0);
    l = life_of((struct battery){.capacity_ah = 2, .self_discharge = 0.05, .usable = 0.8});
    assert_close(l.years, log(5) / 0.05, 1e-9); /* e^(-s t) = 0.2 */
}

static void assert_refused(struct battery b, const char *text)
{
    struct battery_life l;
    struct err err = ERR_INIT;

    assert_int_equal(battery_project(&b, &l, &err), ERR_USAGE);
    assert_string_equal(err.text, text);
}

static void figures_that_make_no_sense_are_refused_by_name(void **state)
{
    assert_refused((struct battery){.sleep_a = 1}, "battery: the capacity is missing");
    assert_refused((struct battery){.capacity_ah = 1, .usable = 1.2},
                   "battery: usable share is 1.2, expected 0 to 1");
    assert_refused((struct battery){.capacity_ah = NAN},
                   "battery: capacity (Ah) is nan, expected 0 to 1e+06");
    assert_refused((struct battery){.capacity_ah = 1, .load_v = 3},
                   "battery: a converter needs both the load and the battery voltage");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_given_projections_are_reproduced),
        cmocka_unit_test(self_discharge_shortens_life_as_published),
        cmocka_unit_test(a_duty_cycle_for_ten_years_is_found),
        cmocka_unit_test(a_converter_scales_the_current),
        cmocka_unit_test(a_peak_that_browns_out_is_told),
        cmocka_unit_test(life_ends_on_the_shelf_and_never_without_a_load),
        cmocka_unit_test(figures_that_make_no_sense_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
