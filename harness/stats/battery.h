/*
 * How long would a battery last? `tinyrig battery`, the metric battery_life and its budgets.
 *
 * Average current at the load:    I = sleep + other + rate * charge            (rate in 1/s)
 *   charge is net: what one inference takes on top of sleeping.
 * At the battery:                 I / efficiency                 without voltages (a charge view)
 *                                 I * load_v / (battery_v * efficiency)     with both (a converter)
 * Self-discharge loses a share s of what is left: dQ/dt = -I - s Q, so from Q0 = capacity down to
 * Qe = capacity (1 - usable):     t = (1/s) ln((I + s Q0) / (I + s Qe)),  (Q0 - Qe) / I for s = 0.
 * The simple figure that data sheets use takes s Q0 for constant: t = (Q0 - Qe) / (I + s Q0). It is
 * always the smaller one. A year has 8766 h.
 */
#ifndef HARNESS_STATS_BATTERY_H
#define HARNESS_STATS_BATTERY_H

#include <stdbool.h>

#include "harness/base/err.h"

#define BATTERY_HOURS_PER_YEAR 8766.0

struct battery {
    double capacity_ah;
    double usable;         /* share of it until the voltage is too low; 0: 1 */
    double self_discharge; /* share of what is left, a year; 0.01 is 1 % */
    double shelf_years;    /* no longer than this, whatever the current; 0: no limit */
    double sleep_a;
    double other_a;  /* everything else, on average: sensors, radio */
    double charge_c; /* net, one inference */
    double inferences_per_hour;
    double efficiency; /* of the regulator; 0: 1 */
    double load_v;     /* with a converter: both; else 0 */
    double battery_v;
    /* Will it hold up under the peak? All four, or 0. */
    double peak_a;
    double resistance_ohm; /* internal, at the end of life */
    double open_v;         /* of the battery without load, at the end of life */
    double brownout_v;
};

struct battery_life {
    double load_a;    /* average at the load */
    double battery_a; /* ... at the battery */
    double sleep_share;
    double inference_share; /* of load_a; the rest is `other` */
    double hours;           /* with exponential self-discharge; INFINITY when nothing is drawn */
    double simple_hours;    /* with constant self-discharge */
    double years;           /* of hours, not beyond the shelf life */
    bool shelf_limited;
    bool peak_known;
    bool peak_holds;         /* open_v - peak_a * resistance_ohm >= brownout_v */
    double resistance_limit; /* the resistance up to which it holds; NAN when not known */
};

/* ERR_USAGE names the figure that makes no sense. */
int battery_project(const struct battery *b, struct battery_life *ret, struct err *err) MUST_CHECK;

/* The current at the battery that lasts so long (exact formula); below 0: no current does. */
double battery_current_for(const struct battery *b, double years);

/*
 * Inferences per hour that still reach so many years, everything else as given. 0 or less: sleeping
 * alone takes too much. INFINITY when an inference takes nothing. NAN when the shelf life is less.
 */
double battery_rate_for(const struct battery *b, double years);

#endif
