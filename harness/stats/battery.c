#include "harness/stats/battery.h"

#include <math.h>

static double or_one(double x)
{
    return x > 0 ? x : 1;
}

static int check(const struct battery *b, struct err *err)
{
    const struct {
        double value;
        double most;
        const char *what;
    } figures[] = {
        {b->capacity_ah, 1e6, "capacity (Ah)"},
        {b->usable, 1, "usable share"},
        {b->self_discharge, 10, "self-discharge a year"},
        {b->shelf_years, 1e4, "shelf life (years)"},
        {b->sleep_a, 1e6, "sleep current (A)"},
        {b->other_a, 1e6, "other current (A)"},
        {b->charge_c, 1e9, "charge of an inference (C)"},
        {b->inferences_per_hour, 1e12, "inferences an hour"},
        {b->efficiency, 1, "regulator efficiency"},
        {b->load_v, 1e4, "load voltage (V)"},
        {b->battery_v, 1e4, "battery voltage (V)"},
        {b->peak_a, 1e6, "peak current (A)"},
        {b->resistance_ohm, 1e9, "internal resistance (ohm)"},
        {b->open_v, 1e4, "open-circuit voltage (V)"},
        {b->brownout_v, 1e4, "brown-out voltage (V)"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        if (!(figures[i].value >= 0 && figures[i].value <= figures[i].most))
            return err_set(err, ERR_USAGE, "battery: %s is %g, expected 0 to %g", figures[i].what,
                           figures[i].value, figures[i].most);
    }
    if (b->capacity_ah == 0)
        return err_set(err, ERR_USAGE, "battery: the capacity is missing");
    if ((b->load_v > 0) != (b->battery_v > 0))
        return err_set(err, ERR_USAGE,
                       "battery: a converter needs both the load and the battery voltage");
    return 0;
}

/* What one ampere at the load draws from the battery. */
static double conversion(const struct battery *b)
{
    const double ratio = b->load_v > 0 ? b->load_v / b->battery_v : 1;

    return ratio / or_one(b->efficiency);
}

static double empty_ah(const struct battery *b)
{
    return b->capacity_ah * (1 - or_one(b->usable));
}

static double hours_at(const struct battery *b, double current_a)
{
    const double s = b->self_discharge / BATTERY_HOURS_PER_YEAR;
    const double used = b->capacity_ah - empty_ah(b);

    if (s == 0)
        return current_a > 0 ? used / current_a : INFINITY;
    /* ln(x / y) as log1p of the difference: s may be tiny */
    return log1p(s * used / (current_a + s * empty_ah(b))) / s;
}

static void judge_peak(const struct battery *b, struct battery_life *life)
{
    life->resistance_limit = NAN;
    life->peak_known = b->peak_a > 0 && b->resistance_ohm > 0 && b->open_v > 0 && b->brownout_v > 0;
    if (!life->peak_known)
        return;
    life->peak_holds = b->open_v - b->peak_a * b->resistance_ohm >= b->brownout_v;
    life->resistance_limit = fmax(b->open_v - b->brownout_v, 0) / b->peak_a;
}

int battery_project(const struct battery *b, struct battery_life *ret, struct err *err)
{
    const double inference_a = b->charge_c * b->inferences_per_hour / 3600;
    struct battery_life life = {.load_a = b->sleep_a + b->other_a + inference_a};
    const int r = check(b, err);

    if (r < 0)
        return r;
    life.battery_a = life.load_a * conversion(b);
    if (life.load_a > 0) {
        life.sleep_share = b->sleep_a / life.load_a;
        life.inference_share = inference_a / life.load_a;
    }
    life.hours = hours_at(b, life.battery_a);
    life.simple_hours =
        (b->capacity_ah - empty_ah(b)) /
        (life.battery_a + b->self_discharge * b->capacity_ah / BATTERY_HOURS_PER_YEAR);
    life.years = life.hours / BATTERY_HOURS_PER_YEAR;
    life.shelf_limited = b->shelf_years > 0 && life.years > b->shelf_years;
    if (life.shelf_limited)
        life.years = b->shelf_years;
    judge_peak(b, &life);
    *ret = life;
    return 0;
}

/* The exact formula solved for I: I = s (Q0 - e Qe) / (e - 1) with e = exp(s t). */
double battery_current_for(const struct battery *b, double years)
{
    const double growth = expm1(b->self_discharge * years);

    if (growth == 0)
        return (b->capacity_ah - empty_ah(b)) / (years * BATTERY_HOURS_PER_YEAR);
    return b->self_discharge / BATTERY_HOURS_PER_YEAR *
           (b->capacity_ah - (1 + growth) * empty_ah(b)) / growth;
}

double battery_rate_for(const struct battery *b, double years)
{
    const double load_a = battery_current_for(b, years) / conversion(b);
    const double left_a = load_a - b->sleep_a - b->other_a;

    if (b->shelf_years > 0 && b->shelf_years < years)
        return NAN;
    if (b->charge_c == 0)
        return left_a > 0 ? INFINITY : 0;
    return left_a * 3600 / b->charge_c;
}
