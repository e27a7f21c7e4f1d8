/* The figures of a case's energy windows: medians, uncertainty, battery life. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/measure/energy.h"
#include "harness/stats/battery.h"
#include "harness/stats/fit.h"
#include "harness/stats/order.h"

#define NJ 1e9

/* Median over the valid full windows of one field (a double at `offset`), divided by inferences
 * where it is a total. NAN without a valid one. */
static double median_of(const struct energy_run *r, size_t offset, bool total)
{
    double *x = calloc(r->full + 1, sizeof(*x));
    double median;
    size_t n = 0;

    if (x == NULL)
        abort();
    for (size_t i = 0; i < r->full; i++) {
        const struct energy_window *w = &r->windows[i];
        double value;

        if (w->invalid != 0)
            continue;
        memcpy(&value, (const char *)w + offset, sizeof(value));
        x[n++] = total ? value / w->inferences : value;
    }
    median = n > 0 ? order_median(x, n) : NAN;
    free(x);
    return median;
}

#define MEDIAN(r, field, total) median_of((r), offsetof(struct energy_window, field), (total))

static double peak_of(const struct energy_run *r)
{
    double peak = 0;

    for (size_t i = 0; i < r->full; i++)
        peak = r->windows[i].invalid == 0 ? fmax(peak, r->windows[i].peak_a) : peak;
    return peak;
}

/* What one more inference costs: the slope of net energy over N / 3, 2 N / 3, N. */
static double marginal_of(const struct energy_run *r)
{
    struct fit_point *points = calloc(r->count + 1, sizeof(*points));
    struct fit_line line = {.slope = NAN};
    size_t n = 0;

    if (points == NULL)
        abort();
    for (size_t i = 0; i < r->count; i++) {
        if (r->windows[i].invalid == 0)
            points[n++] =
                (struct fit_point){.n = r->windows[i].inferences, .value = r->windows[i].net_j};
    }
    if (r->count == r->full || fit_line(points, n, &line) != FIT_DONE)
        line.slope = NAN;
    free(points);
    return line.slope;
}

/* Net energy from the vendor's filter against the raw one, relative. */
static double filter_bias_of(const struct energy_run *r)
{
    double worst = NAN;

    for (size_t i = 0; i < r->full; i++) {
        const struct energy_window *w = &r->windows[i];
        const double bias = r->filtered_net_j[i] / w->net_j - 1;

        if (w->invalid == 0 && isfinite(bias) && !(fabs(bias) <= fabs(worst)))
            worst = bias;
    }
    return worst;
}

static double gate_error_of(const struct energy_run *r)
{
    double worst = 0;

    for (size_t i = 0; i < r->full; i++) {
        const double expected = r->inferences * r->latency_s + r->overhead_s;
        const double error = r->windows[i].duration_s / expected - 1;

        worst = fabs(error) > fabs(worst) ? error : worst;
    }
    return worst;
}

/* A struct figure, ordered so that tables of it have no holes. */
struct row {
    const char *name;
    double value, low, high;
    enum unit unit;
    uint32_t n;
};

static int emit_figures(struct energy_run *r, const struct row *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct figure figure = {.name = rows[i].name,
                                      .value = rows[i].value,
                                      .unit = rows[i].unit,
                                      .low = rows[i].low,
                                      .high = rows[i].high,
                                      .n = rows[i].n};

        if (isfinite(figure.value) && emit_metric(&r->a->out, &figure, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static int emit_energies(struct energy_run *r, const struct energy_summary *s, struct err *err)
{
    const double energy = r->eembc ? s->marker_j : s->gross_j;
    const double net = s->net.total_j;
    const double gross = r->eembc ? s->marker.total_j : s->gross.total_j;
    const uint32_t n = (uint32_t)s->windows;
    const struct row figures[] = {
        {"energy", energy * NJ, (energy - gross) * NJ, (energy + gross) * NJ, UNIT_NJ, n},
        {"energy.net", s->net_j * NJ, (s->net_j - net) * NJ, (s->net_j + net) * NJ, UNIT_NJ, n},
        {"energy.idle", s->idle_j * NJ, 0, 0, UNIT_NJ, n},
        {"energy.marker", s->marker_j * NJ, 0, 0, UNIT_NJ, n},
        {"energy.marginal", marginal_of(r) * NJ, 0, 0, UNIT_NJ, (uint32_t)r->count},
        {"energy.uncertainty", net * NJ, 0, 0, UNIT_NJ, n},
        {"energy.repeatability", s->net.repeatability_j * NJ, 0, 0, UNIT_NJ, n},
        {"energy.filter_bias", filter_bias_of(r), 0, 0, UNIT_RATIO, n},
        {"energy.gate_error", gate_error_of(r), 0, 0, UNIT_RATIO, n},
        {"charge", s->gross_c * NJ, 0, 0, UNIT_NC, n},
        {"charge.net", s->net_c * NJ, 0, 0, UNIT_NC, n},
        {"current", MEDIAN(r, mean_a, false) * NJ, 0, 0, UNIT_NA, n},
        {"current.idle", MEDIAN(r, idle_a, false) * NJ, 0, 0, UNIT_NA, n},
        {"current.peak", peak_of(r) * NJ, 0, 0, UNIT_NA, n},
        {"voltage", MEDIAN(r, mean_v, false) * 1e6, 0, 0, UNIT_UV, n},
        {"meter.samples", (double)r->counts.samples, 0, 0, UNIT_COUNT, n},
        {"meter.lost", (double)r->counts.lost, 0, 0, UNIT_COUNT, n},
        {"meter.saturated", (double)r->counts.saturated, 0, 0, UNIT_COUNT, n},
    };

    return emit_figures(r, figures, ARRAY_SIZE(figures), err);
}

/* The parts of the uncertainty of net energy, per inference. */
static int emit_budget(struct energy_run *r, struct err *err)
{
    const struct row parts[] = {
        {"energy.uncertainty.gain", MEDIAN(r, net_budget.gain, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.offset", MEDIAN(r, net_budget.offset, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.voltage", MEDIAN(r, net_budget.voltage, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.clock", MEDIAN(r, net_budget.clock, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.noise", MEDIAN(r, net_budget.noise, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.baseline", MEDIAN(r, net_budget.baseline, true) * NJ, 0, 0, UNIT_NJ,
         0},
        {"energy.uncertainty.drift", MEDIAN(r, net_budget.drift, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.lost", MEDIAN(r, net_budget.lost, true) * NJ, 0, 0, UNIT_NJ, 0},
        {"energy.uncertainty.edge", MEDIAN(r, gross_budget.edge, true) * NJ, 0, 0, UNIT_NJ, 0},
    };

    return emit_figures(r, parts, ARRAY_SIZE(parts), err);
}

static int emit_battery(struct energy_run *r, const struct energy_summary *s, struct err *err)
{
    const struct suite_battery *b = &r->e->battery;
    const struct battery battery = {
        .capacity_ah = b->capacity_mah * 1e-3,
        .usable = b->usable,
        .self_discharge = b->self_discharge,
        .sleep_a = b->sleep_na * 1e-9,
        .charge_c = s->net_c > 0 ? s->net_c : 0,
        .inferences_per_hour = b->inferences_per_hour,
        .efficiency = b->efficiency,
    };
    struct battery_life life;

    if (!r->e->has_battery)
        return 0;
    if (battery_project(&battery, &life, err) < 0)
        return (int)err->code;
    if (!isfinite(life.years))
        return 0;
    return emit_metric(&r->a->out,
                       &(struct figure){.name = "battery_life",
                                        .value = life.years * BATTERY_HOURS_PER_YEAR * 3600e9,
                                        .unit = UNIT_NS},
                       err);
}

int energy_conclude(struct energy_run *r, struct err *err)
{
    struct energy_summary s;

    if (!energy_summarise(r->windows, r->full, &s))
        return err_set(err, ERR_INVALID, "no energy window is valid: %s",
                       invalid_reason(r->full > 0 ? r->windows[0].invalid : 0));
    if (emit_energies(r, &s, err) < 0 || emit_budget(r, err) < 0)
        return (int)err->code;
    return emit_battery(r, &s, err);
}
