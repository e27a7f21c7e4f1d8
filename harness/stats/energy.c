#include "harness/stats/energy.h"

#include <math.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/order.h"

#define BATCHES      20   /* sub-windows whose means give the baseline's error */
#define STEPS_LOOKED 4096 /* differences that the noise of a range is estimated from */
#define LOST_OF_IDLE 10   /* with every tenth sample lost or more, an idle level is not known */

const struct energy_method energy_method_default = {
    .guard_before_s = 1e-3,
    .guard_after_s = 5e-3,
    .idle_s = 1,
    .idle_least_s = 10e-3,
    .gate_tolerance = 0.01,
    .lost_tolerance = 0.001,
};

static double square(double x)
{
    return x * x;
}

double energy_budget_systematic(const struct energy_budget *b)
{
    return sqrt(square(b->gain) + square(b->offset) + square(b->voltage) + square(b->clock));
}

double energy_budget_random(const struct energy_budget *b)
{
    return sqrt(square(b->noise) + square(b->baseline) + square(b->drift) + square(b->lost) +
                square(b->edge));
}

double energy_budget_total(const struct energy_budget *b)
{
    return hypot(energy_budget_systematic(b), energy_budget_random(b));
}

/* ---- reading samples ---- */

static double volts(const struct energy_trace *t, size_t k)
{
    return t->voltage_v != NULL && isfinite(t->voltage_v[k]) ? (double)t->voltage_v[k]
                                                             : t->supply_v;
}

static unsigned range_of(const struct energy_trace *t, size_t k)
{
    return t->range != NULL ? t->range[k] % ENERGY_RANGES : 0;
}

/* What a stretch of samples adds up to, in sample periods. */
struct sums {
    double current;
    double power;
    double voltage;
    double power_in[ENERGY_RANGES];
    double volts_in[ENERGY_RANGES]; /* sum of v: what a zero error there is multiplied by */
    double peak;
    double low;
    size_t count;
    size_t lost;
};

static void add_sample(const struct energy_trace *t, size_t k, double current, struct sums *s)
{
    const double v = volts(t, k);
    const unsigned r = range_of(t, k);

    s->current += current;
    s->power += v * current;
    s->voltage += v;
    s->power_in[r] += v * current;
    s->volts_in[r] += v;
}

/* A run of lost samples takes the mean of its neighbours; all lost: they count as nothing. */
static void fill(const struct energy_trace *t, size_t from, size_t to, double before, double after,
                 struct sums *s)
{
    double value = 0;

    if (isfinite(before) && isfinite(after))
        value = (before + after) / 2;
    else if (isfinite(before) || isfinite(after))
        value = isfinite(before) ? before : after;
    for (size_t k = from; k < to; k++)
        add_sample(t, k, value, s);
    s->lost += to - from;
}

static struct sums add_up(const struct energy_trace *t, size_t from, size_t to)
{
    struct sums s = {.peak = -INFINITY, .low = INFINITY, .count = to - from};
    double last = NAN;
    size_t pending = from;

    for (size_t k = from; k < to; k++) {
        const double i = (double)t->current_a[k];

        if (!isfinite(i))
            continue;
        if (pending < k)
            fill(t, pending, k, last, i, &s);
        add_sample(t, k, i, &s);
        s.peak = fmax(s.peak, i);
        s.low = fmin(s.low, i);
        last = i;
        pending = k + 1;
    }
    if (pending < to)
        fill(t, pending, to, last, NAN, &s);
    return s;
}

/* Nearest sample boundary, inside the trace. */
static size_t boundary(const struct energy_trace *t, double at_s)
{
    const double k = round(at_s / t->period_s);

    return k < 0 ? 0 : k > (double)t->count ? t->count : (size_t)k;
}

/* Sums over [from_s, to_s) with the first and the last sample by their share. */
static void partial(const struct energy_trace *t, double from_s, double to_s, double *power,
                    double *current)
{
    const double a = fmin(fmax(from_s / t->period_s, 0), (double)t->count);
    const double b = fmin(fmax(to_s / t->period_s, a), (double)t->count);
    const size_t first = (size_t)a;
    const size_t last = (size_t)ceil(b);
    struct sums all;
    struct sums edge;

    *power = *current = 0;
    if (last <= first)
        return;
    all = add_up(t, first, last);
    *power = all.power;
    *current = all.current;
    edge = add_up(t, first, first + 1);
    *power -= edge.power * (a - (double)first);
    *current -= edge.current * (a - (double)first);
    edge = add_up(t, last - 1, last);
    *power -= edge.power * ((double)last - b);
    *current -= edge.current * ((double)last - b);
}

double energy_integral(const struct energy_trace *trace, double from_s, double to_s)
{
    double power;
    double current;

    partial(trace, from_s, to_s, &power, &current);
    return power * trace->period_s;
}

double energy_charge(const struct energy_trace *trace, double from_s, double to_s)
{
    double power;
    double current;

    partial(trace, from_s, to_s, &power, &current);
    return current * trace->period_s;
}

/* ---- the baseline ---- */

/* One side's idle: its sums, mean power and current, and the standard error of the mean power. */
struct idle {
    struct sums sums;
    double power;
    double current;
    double error; /* of power */
    bool known;
};

/* Samples of a trace remember their neighbours: the scatter of batch means tells what a plain
 * sigma / sqrt(n) hides. */
static struct idle idle_between(const struct energy_trace *t, size_t from, size_t to, size_t least)
{
    struct idle idle = {.known = to > from && to - from >= least && to - from >= 2 * BATCHES};
    double squares = 0;
    size_t length;

    if (!idle.known)
        return idle;
    idle.sums = add_up(t, from, to);
    if (idle.sums.lost * LOST_OF_IDLE > to - from)
        return (struct idle){.known = false};
    idle.power = idle.sums.power / (double)(to - from);
    idle.current = idle.sums.current / (double)(to - from);
    length = (to - from) / BATCHES;
    for (size_t b = 0; b < BATCHES; b++) {
        const struct sums batch = add_up(t, from + b * length, from + (b + 1) * length);

        squares += square(batch.power / (double)length - idle.power);
    }
    idle.error = sqrt(squares / (BATCHES - 1) / BATCHES);
    return idle;
}

/* Both sides, averaged: a linear drift cancels. */
struct baseline {
    double power;
    double current;
    double error;       /* standard error of power */
    double drift_power; /* after minus before */
    double drift_current;
    double power_in[ENERGY_RANGES]; /* mean per sample */
    double volts_in[ENERGY_RANGES];
    bool known;
    bool drifts;
};

static void add_side(struct baseline *b, const struct idle *side, double weight)
{
    b->power += weight * side->power;
    b->current += weight * side->current;
    b->error = hypot(b->error, weight * side->error);
    for (size_t r = 0; r < ENERGY_RANGES; r++) {
        b->power_in[r] += weight * side->sums.power_in[r] / (double)side->sums.count;
        b->volts_in[r] += weight * side->sums.volts_in[r] / (double)side->sums.count;
    }
}

static struct baseline baseline_of(const struct idle *before, const struct idle *after)
{
    struct baseline b = {.known = before->known || after->known};

    if (before->known)
        add_side(&b, before, after->known ? 0.5 : 1);
    if (after->known)
        add_side(&b, after, before->known ? 0.5 : 1);
    if (before->known && after->known) {
        b.drift_power = after->power - before->power;
        b.drift_current = after->current - before->current;
        b.drifts = fabs(b.drift_power) > 3 * hypot(before->error, after->error);
    }
    return b;
}

/* ---- one window ---- */

/*
 * Standard deviation of single samples in one range, from the median of successive differences: the
 * signal's own steps are few. W.
 */
static double noise_in(const struct energy_trace *t, size_t from, size_t to, unsigned range,
                       double *steps)
{
    const size_t stride = (to - from) / STEPS_LOOKED + 1;
    size_t n = 0;

    for (size_t k = from; k + 1 < to; k += stride) {
        const double step = (double)t->current_a[k + 1] - (double)t->current_a[k];

        if (isfinite(step) && range_of(t, k) == range && range_of(t, k + 1) == range)
            steps[n++] = fabs(step) * volts(t, k);
    }
    return n > 0 ? ORDER_MAD_TO_SIGMA * order_median(steps, n) / M_SQRT2 : 0;
}

static double noise_of(const struct energy_trace *t, size_t from, size_t to, const struct sums *s)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *steps = arena_alloc(&scratch, (STEPS_LOOKED + 2) * sizeof(*steps));
    double variance = 0;
    size_t in_range[ENERGY_RANGES] = {0};

    for (size_t k = from; k < to; k++)
        in_range[range_of(t, k)]++;
    for (unsigned r = 0; r < ENERGY_RANGES; r++) {
        if (in_range[r] > 1)
            variance += (double)in_range[r] * square(noise_in(t, from, to, r, steps));
    }
    return s->count > 0 ? sqrt(variance) * t->period_s : 0;
}

/* Guarded window and idle of one gate, in samples. */
struct stretch {
    size_t from, to;             /* guarded */
    size_t idle_from, idle_to;   /* before */
    size_t after_from, after_to; /* after */
    bool inside;                 /* the trace covers the guarded window */
};

static struct stretch stretch_of(const struct energy_trace *t, const struct energy_gate *gates,
                                 size_t count, size_t at, const struct energy_method *m)
{
    const struct energy_gate *g = &gates[at];
    const double end_s = (double)t->count * t->period_s;
    const double first = g->on_s - m->guard_before_s;
    const double last = g->off_s + m->guard_after_s;
    const double earliest = at > 0 ? gates[at - 1].off_s + m->guard_after_s : 0;
    const double latest = at + 1 < count ? gates[at + 1].on_s - m->guard_before_s : end_s;
    struct stretch s = {
        .from = boundary(t, first),
        .to = boundary(t, last),
        .inside = g->off_s > g->on_s && first >= 0 && last <= end_s && first >= earliest &&
                  last <= latest,
    };

    s.idle_to = s.from;
    s.idle_from = boundary(t, fmax(first - m->idle_s, earliest));
    s.after_from = s.to;
    s.after_to = boundary(t, fmin(last + m->idle_s, latest));
    return s;
}

/* What the meter's promises allow: range by range, less the idle samples that are taken off. */
static void systematic(const struct energy_trace *t, const struct sums *s,
                       const struct baseline *base, double idle, struct energy_budget *b)
{
    for (size_t r = 0; r < ENERGY_RANGES; r++) {
        const double energy = s->power_in[r] - idle * base->power_in[r];
        const double volt_samples = s->volts_in[r] - idle * base->volts_in[r];

        b->gain += t->ranges[r].gain * fabs(energy) * t->period_s;
        b->offset += t->ranges[r].offset_a * fabs(volt_samples) * t->period_s;
    }
}

/* Of `energy_j`: the sum of all samples less so many idle ones. */
static struct energy_budget budget(const struct energy_trace *t, const struct sums *sums,
                                   const struct baseline *base, double idle, double energy_j,
                                   const struct energy_window *w)
{
    const double idle_s = idle * t->period_s;
    struct energy_budget b = {.voltage = t->voltage_error * fabs(energy_j),
                              .clock = t->clock_error * fabs(energy_j),
                              .baseline = 2 * base->error * idle_s};

    systematic(t, sums, base, idle, &b);
    /* A step anywhere in the window: half the drift at most, evenly likely up to that. */
    b.drift = fabs(base->drift_power) / sqrt(3) * idle_s;
    /* Each lost sample may have been anywhere between the lowest and the highest. */
    if (sums->lost > 0)
        b.lost =
            2 / sqrt(12) * (double)sums->lost * (sums->peak - sums->low) * w->mean_v * t->period_s;
    return b;
}

/* Of gross energy only the idle of the guards is taken off; but its end is the gate's. */
static void budgets(const struct energy_trace *t, const struct stretch *s, const struct sums *sums,
                    const struct baseline *base, struct energy_window *w)
{
    const double all = (double)sums->count;
    const double guards = fmax(all - w->duration_s / t->period_s, 0);

    w->net_budget = budget(t, sums, base, all, w->net_j, w);
    w->gross_budget = budget(t, sums, base, guards, w->gross_j, w);
    w->net_budget.noise = w->gross_budget.noise = 2 * noise_of(t, s->from, s->to, sums);
    /* Two edges, each within half a sample, evenly: sqrt(2) / sqrt(12), at 95 %. */
    w->gross_budget.edge = 2 * sqrt(2.0 / 12) * t->period_s * fabs(base->power);
}

static void check_gate(const struct energy_gate *g, const struct energy_method *m,
                       struct energy_window *w)
{
    if (g->expected_s > 0 &&
        fabs(w->duration_s - g->expected_s) > m->gate_tolerance * g->expected_s)
        w->invalid |= INVALID(INVALID_GATE);
    if ((double)w->lost > m->lost_tolerance * (double)w->samples)
        w->invalid |= INVALID(INVALID_METER);
}

static void without_baseline(struct energy_window *w)
{
    w->net_j = w->idle_j = w->gross_j = w->net_c = w->idle_c = w->gross_c = NAN;
    w->idle_a = w->idle_w = w->mean_a = NAN;
    w->invalid |= INVALID(INVALID_SHORT);
}

static void measure(const struct energy_trace *t, const struct energy_gate *gates, size_t count,
                    size_t at, const struct energy_method *m, struct energy_window *w)
{
    const struct energy_gate *g = &gates[at];
    const struct stretch s = stretch_of(t, gates, count, at, m);
    const size_t least = (size_t)(m->idle_least_s / t->period_s);
    const struct idle before = idle_between(t, s.idle_from, s.idle_to, least);
    const struct idle after = idle_between(t, s.after_from, s.after_to, least);
    const struct baseline base = baseline_of(&before, &after);
    const struct sums guarded = add_up(t, s.from, s.to);
    const struct sums gate = add_up(t, boundary(t, g->on_s), boundary(t, g->off_s));

    *w = (struct energy_window){.inferences = g->inferences,
                                .duration_s = g->off_s - g->on_s,
                                .peak_a = isfinite(gate.peak) ? gate.peak : NAN,
                                .mean_v = guarded.voltage / (double)guarded.count,
                                .marker_j = energy_integral(t, g->on_s, g->off_s),
                                .samples = guarded.count,
                                .lost = guarded.lost,
                                .drifts = base.drifts};
    check_gate(g, m, w);
    if (!s.inside || !base.known) {
        without_baseline(w);
        return;
    }
    w->net_j = (guarded.power - (double)guarded.count * base.power) * t->period_s;
    w->net_c = (guarded.current - (double)guarded.count * base.current) * t->period_s;
    w->idle_j = base.power * w->duration_s;
    w->idle_c = base.current * w->duration_s;
    w->gross_j = w->net_j + w->idle_j;
    w->gross_c = w->net_c + w->idle_c;
    w->idle_a = base.current;
    w->idle_w = base.power;
    w->drift_a = base.drift_current;
    w->mean_a = w->gross_c / w->duration_s;
    budgets(t, &s, &guarded, &base, w);
}

void energy_measure(const struct energy_trace *trace, const struct energy_gate *gates,
                    size_t gate_count, const struct energy_method *method,
                    struct energy_window *ret)
{
    for (size_t i = 0; i < gate_count; i++)
        measure(trace, gates, gate_count, i, method, &ret[i]);
}

static double interpolate(const double *t, const double *y, size_t i, double at)
{
    return y[i] + (y[i + 1] - y[i]) * (at - t[i]) / (t[i + 1] - t[i]);
}

double energy_trapezoid(const double *t, const double *y, size_t count, double from, double to)
{
    double sum = 0;

    if (count < 2 || !(from >= t[0]) || !(to <= t[count - 1]) || !(from <= to))
        return NAN;
    for (size_t i = 0; i + 1 < count; i++) {
        const double a = fmax(t[i], from);
        const double b = fmin(t[i + 1], to);

        if (b > a)
            sum += (interpolate(t, y, i, a) + interpolate(t, y, i, b)) / 2 * (b - a);
    }
    return sum;
}

/* ---- several windows ---- */

/* Median over valid windows of a field, per inference. */
static double column_median(const struct energy_window *w, size_t count, size_t field,
                            double *scratch)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        double value;

        if (w[i].invalid != 0 || w[i].inferences == 0)
            continue;
        memcpy(&value, (const char *)&w[i] + field, sizeof(value));
        scratch[n++] = value / w[i].inferences;
    }
    return order_median(scratch, n);
}

/* Errors of a median over valid windows: their energies and budgets are the fields so far in. */
static struct energy_error error_of(const struct energy_window *w, size_t count, size_t energy,
                                    size_t budget, double median, double *scratch, double *values)
{
    struct energy_error e = {.repeatability_j = NAN};
    double squares = 0;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct energy_budget b;
        double value;

        if (w[i].invalid != 0 || w[i].inferences == 0)
            continue;
        memcpy(&b, (const char *)&w[i] + budget, sizeof(b));
        memcpy(&value, (const char *)&w[i] + energy, sizeof(value));
        squares += square(energy_budget_random(&b) / w[i].inferences);
        scratch[n] = energy_budget_systematic(&b) / w[i].inferences;
        values[n++] = value / w[i].inferences;
    }
    e.systematic_j = order_median(scratch, n);
    e.random_j = sqrt(squares) / (double)n;
    if (n > 2) /* the median's error is sqrt(pi / 2) that of the mean */
        e.repeatability_j = student_quantile(0.975, (double)(n - 1)) * sqrt(M_PI / 2) *
                            ORDER_MAD_TO_SIGMA * order_mad(values, n, median, scratch) /
                            sqrt((double)n);
    e.total_j = hypot(e.systematic_j, fmax(e.random_j, n > 2 ? e.repeatability_j : 0));
    return e;
}

bool energy_summarise(const struct energy_window *windows, size_t count, struct energy_summary *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    double *x = arena_alloc(&scratch, (count + 1) * sizeof(*x));
    double *y = arena_alloc(&scratch, (count + 1) * sizeof(*y));
    struct energy_summary s = {.windows = 0};

    for (size_t i = 0; i < count; i++)
        s.windows += windows[i].invalid == 0 && windows[i].inferences > 0;
    if (s.windows == 0)
        return false;
    s.gross_j = column_median(windows, count, offsetof(struct energy_window, gross_j), x);
    s.net_j = column_median(windows, count, offsetof(struct energy_window, net_j), x);
    s.idle_j = column_median(windows, count, offsetof(struct energy_window, idle_j), x);
    s.marker_j = column_median(windows, count, offsetof(struct energy_window, marker_j), x);
    s.gross_c = column_median(windows, count, offsetof(struct energy_window, gross_c), x);
    s.net_c = column_median(windows, count, offsetof(struct energy_window, net_c), x);
    s.net = error_of(windows, count, offsetof(struct energy_window, net_j),
                     offsetof(struct energy_window, net_budget), s.net_j, x, y);
    s.gross = error_of(windows, count, offsetof(struct energy_window, gross_j),
                       offsetof(struct energy_window, gross_budget), s.gross_j, x, y);
    s.marker = error_of(windows, count, offsetof(struct energy_window, marker_j),
                        offsetof(struct energy_window, gross_budget), s.marker_j, x, y);
    *ret = s;
    return true;
}
