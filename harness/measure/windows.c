/* Warm-up, sizing, rounds of windows of N, 2N, 3N ..., and the line through them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/measure/allowance.h"
#include "harness/measure/internal.h"
#include "harness/stats/fit.h"
#include "harness/stats/order.h"

enum {
    RUN_MAX = 64,               /* windows asked for in one request */
    CLOCK_CHECK_NS = 300000000, /* the longest that the clock check is waited for */
    CLOCK_CHECK_FACTOR = 500,   /* a reading is off by its round trip at most: 0.2 % of the span */
    SLOW_WRAP_S = 60, /* agents/core/PORTING.md: faster counters are followed through their wraps */
    TRIAL_SHARE = 20, /* the trial that sizes windows is this part of one ... */
    TRIAL_LEAST = 10, /* ... unless that is so few inferences that one tells as much */
    INFERENCES_MAX = 100000000, /* in a window: what a suite may ask for */
    EXTRA_ROUNDS_MAX = 3,       /* of windows, each twice as long as the one before */
};

static const double clock_tolerance = 0.01;

unsigned attempt_allowance_ms(const struct attempt *a, uint64_t inferences)
{
    const uint64_t limit_ms = a->c->measure->timeout_ns / 1000000u;
    double expected_ms;

    if (a->warm_host_ns == 0)
        return limit_ms != 0
                   ? (unsigned)limit_ms
                   : allowance_first_ms(a->has_report ? &a->report : NULL, a->c->board, a->tries);
    /* The host is shared and emulators are slow on it: ten times what the last one took. */
    expected_ms = 10.0 * (double)a->warm_host_ns / 1e6 * (double)inferences + ALLOWANCE_SLACK_MS;
    return expected_ms > 3600e3 ? 3600000u : (unsigned)expected_ms;
}

/* Ticks that the largest window may take before the agent's counter could wrap unseen. */
static double counter_range(const struct wire_hello *hello)
{
    const double range = ldexp(1, hello->tick_bits);

    return hello->tick_bits >= 64 || range / hello->tick_hz < SLOW_WRAP_S ? INFINITY : 0.9 * range;
}

/* Most inferences of the shortest window: the largest must count without a wrap. */
static int most_inferences(const struct attempt *a, double *ret, struct err *err)
{
    const struct wire_hello *hello = client_hello(session_client(a->session));
    const double range = counter_range(hello) / a->warm_ticks;

    *ret = fmin(floor(range / a->c->measure->slope), INFERENCES_MAX);
    if (*ret < 1)
        return err_set(err, ERR_INVALID,
                       "one inference takes %.0f ticks, too many for windows on a %u-bit counter",
                       a->warm_ticks, hello->tick_bits);
    return 0;
}

/* One window that is not kept: what an inference takes on the board's clock and on the host's. */
static int try_window(struct attempt *a, uint32_t inferences, struct err *err)
{
    const struct client_run run = {
        .inferences = inferences, .windows = 1, .window_ms = attempt_allowance_ms(a, inferences)};
    const uint64_t started = clock_monotonic_ns();
    struct wire_record_info record;
    uint64_t spent;

    if (client_run(session_client(a->session), &run, &record, err) < 0)
        return (int)err->code;
    spent = (clock_monotonic_ns() - started) / inferences;
    a->warm_host_ns = spent > a->warm_host_ns ? spent : a->warm_host_ns;
    a->warm_ticks = record.ticks > 0 ? (double)record.ticks / inferences : 1.0 / inferences;
    return 0;
}

/* Inferences of a window of this length by the board's own clock. */
static double inferences_in(const struct attempt *a, double ns)
{
    return ceil(ns / a->timebase.ns_per_tick / a->warm_ticks);
}

/*
 * Inferences of the shortest window. One inference sizes a trial, the trial sizes the window: by
 * itself one is too long by the reading of the counter, by caches, and by whatever else ran.
 */
static int size_windows(struct attempt *a, struct err *err)
{
    const struct suite_measure *m = a->c->measure;
    const double trial = inferences_in(a, (double)m->window_ns / TRIAL_SHARE);
    double most;

    if (m->inferences == 0 && trial >= TRIAL_LEAST &&
        try_window(a, (uint32_t)fmin(trial, INFERENCES_MAX), err) < 0)
        return (int)err->code;
    if (most_inferences(a, &most, err) < 0)
        return (int)err->code;
    a->window_inferences = (uint32_t)fmin(
        most, m->inferences != 0 ? m->inferences : inferences_in(a, (double)m->window_ns));
    return 0;
}

static int warm_up(struct attempt *a, struct err *err)
{
    const uint32_t warmup = a->c->measure->warmup;

    if (try_window(a, warmup > 0 ? warmup : 1, err) < 0)
        return (int)err->code;
    return try_window(a, 1, err);
}

static struct event_window *window_add(struct windows *w)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity == 0 ? 32 : w->capacity * 2;
        w->items = realloc(w->items, w->capacity * sizeof(w->items[0]));
        if (w->items == NULL)
            abort();
    }
    return &w->items[w->count++];
}

/* One level: `windows` windows of n inferences. */
static int run_level(struct attempt *a, struct windows *w, uint32_t n, struct err *err)
{
    const uint32_t overhead = client_hello(session_client(a->session))->tick_overhead;
    struct wire_record_info records[RUN_MAX];
    uint32_t left = a->c->measure->windows;

    while (left > 0) {
        const struct client_run run = {
            .inferences = n,
            .windows = left > RUN_MAX ? RUN_MAX : left,
            .flags = WIRE_RUN_MARKER,
            .window_ms = attempt_allowance_ms(a, n),
        };
        const uint64_t started = clock_monotonic_ns();
        uint64_t spent;

        if (a->options->stopping != NULL && a->options->stopping())
            return err_set(err, ERR_CANCELLED, "interrupted");
        if (client_run(session_client(a->session), &run, records, err) < 0)
            return (int)err->code;
        spent = (clock_monotonic_ns() - started) / run.windows;
        for (uint32_t i = 0; i < run.windows; i++) {
            *window_add(w) = (struct event_window){
                .repeat = a->repeat,
                .index = a->window_index++,
                .inferences = n,
                .ticks = records[i].ticks,
                .overhead = overhead,
                .value = timebase_value(&a->timebase, records[i].ticks, overhead),
                .unit = a->timebase.unit,
                .host_ns = spent,
            };
        }
        left -= run.windows;
    }
    return 0;
}

/* ---- the clock check ---- */

/* Emulated clocks do not follow the host's; everything else must. */
static bool clock_is_checked(const struct attempt *a)
{
    return a->c->board->realm == REALM_SILICON || a->timebase.unit == UNIT_NS;
}

static void clock_add(struct clock_checks *c, double ppm, double error_ppm)
{
    if (c->count == c->capacity) {
        c->capacity = c->capacity == 0 ? 8 : c->capacity * 2;
        c->ppm = realloc(c->ppm, c->capacity * sizeof(c->ppm[0]));
        if (c->ppm == NULL)
            abort();
    }
    c->low = c->count == 0 ? ppm - error_ppm : fmin(c->low, ppm - error_ppm);
    c->high = c->count == 0 ? ppm + error_ppm : fmax(c->high, ppm + error_ppm);
    c->ppm[c->count++] = ppm;
}

/* A metric is one row of an attempt, and each repeat has its check: the median, and how far any went. */
int attempt_clock(struct attempt *a, struct err *err)
{
    struct clock_checks *c = &a->clock;
    const uint32_t n = (uint32_t)c->count;

    if (n == 0)
        return 0;
    c->count = 0;
    return emit_metric(&a->out,
                       &(struct figure){.name = "clock.ppm",
                                        .value = order_median(c->ppm, n),
                                        .unit = UNIT_PPM,
                                        .low = c->low,
                                        .high = c->high,
                                        .n = n},
                       err);
}

static int check_clock(struct attempt *a, const struct client_time *first, bool *ret_bad,
                       struct err *err)
{
    const uint64_t round_trip_ns = first->after_ns - first->before_ns;
    const uint64_t span_ns = clock_monotonic_ns() - first->before_ns;
    const uint64_t wanted_ns = round_trip_ns < CLOCK_CHECK_NS / CLOCK_CHECK_FACTOR
                                   ? CLOCK_CHECK_FACTOR * round_trip_ns
                                   : CLOCK_CHECK_NS;
    struct client_time last;
    double host_ns;
    double error_ns;
    double ratio;

    if (span_ns < wanted_ns)
        clock_sleep_ms((unsigned)((wanted_ns - span_ns) / 1000000u) + 1);
    if (client_time(session_client(a->session), &last, err) < 0)
        return (int)err->code;
    host_ns = ((double)last.before_ns + (double)last.after_ns - (double)first->before_ns -
               (double)first->after_ns) /
              2;
    error_ns =
        ((double)(last.after_ns - last.before_ns) + (double)(first->after_ns - first->before_ns)) /
        2;
    ratio = (double)(last.ticks - first->ticks) * a->timebase.ns_per_tick / host_ns - 1;
    /* A record keeps what the clock said, not when. */
    *ret_bad = !session_replays(a->session) && fabs(ratio) - error_ns / host_ns > clock_tolerance;
    clock_add(&a->clock, ratio * 1e6, error_ns / host_ns * 1e6);
    return 0;
}

static int emit_windows(struct attempt *a, struct windows *w, size_t first, uint32_t invalid,
                        struct err *err)
{
    for (size_t i = first; i < w->count; i++) {
        struct event e = {.kind = EVENT_WINDOW};

        w->items[i].invalid |= invalid;
        e.window = w->items[i];
        if (emit(&a->out, &e, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* One round: windows of n, 2n, 3n ... inferences, and what the clock did meanwhile. */
static int run_round(struct attempt *a, uint32_t n, struct err *err)
{
    struct windows *w = &a->windows;
    const size_t first = w->count;
    struct client_time started = {0};
    bool bad_clock = false;

    if (clock_is_checked(a) && client_time(session_client(a->session), &started, err) < 0)
        return (int)err->code;
    for (uint32_t level = 1; level <= a->c->measure->slope; level++) {
        if (run_level(a, w, n * level, err) < 0)
            return (int)err->code;
    }
    if (clock_is_checked(a) && check_clock(a, &started, &bad_clock, err) < 0)
        return (int)err->code;
    return emit_windows(a, w, first, bad_clock ? INVALID(INVALID_CLOCK) : 0, err);
}

int attempt_windows(struct attempt *a, struct err *err)
{
    if (warm_up(a, err) < 0 || size_windows(a, err) < 0)
        return (int)err->code;
    return run_round(a, a->window_inferences, err);
}

/* ---- the result ---- */

static bool tells_from_zero(const struct fit_line *line)
{
    return line->slope > 0 && !(isfinite(line->slope_low) && line->slope_low <= 0);
}

/*
 * A line that scatter hides is asked for again, by more and longer windows; all of them count. A
 * bend is not: more of the same would not make it straighter.
 */
static int fit_rounds(struct attempt *a, struct fit_windows *ret_fit, enum fit_outcome *ret_outcome,
                      struct err *err)
{
    const struct windows *w = &a->windows;
    double most;

    *ret_outcome = fit_windows(w->items, w->count, ret_fit);
    if (most_inferences(a, &most, err) < 0)
        return (int)err->code;
    for (unsigned extra = 0; extra < EXTRA_ROUNDS_MAX && *ret_outcome != FIT_NO_POINTS &&
                             !tells_from_zero(&ret_fit->line);
         extra++) {
        if (a->c->measure->inferences == 0)
            a->window_inferences = (uint32_t)fmin(most, 2.0 * a->window_inferences);
        log_line(LOG_LAB, "%s: noise hides the latency: once more, with windows of %" PRIu32,
                 a->c->key, a->window_inferences);
        if (run_round(a, a->window_inferences, err) < 0 || attempt_check_again(a, err) < 0)
            return (int)err->code;
        *ret_outcome = fit_windows(w->items, w->count, ret_fit);
    }
    return 0;
}

int attempt_latency(struct attempt *a, struct err *err)
{
    const enum unit unit = a->timebase.unit;
    struct fit_windows fit;
    enum fit_outcome outcome;
    const int r = fit_rounds(a, &fit, &outcome, err);
    const bool interval = isfinite(fit.line.slope_low) && isfinite(fit.line.slope_high);
    const struct figure figures[] = {
        {"latency", fit.line.slope, unit, interval ? fit.line.slope_low : 0,
         interval ? fit.line.slope_high : 0, (uint32_t)fit.line.points},
        {"latency.overhead", fit.line.intercept, unit, 0, 0, (uint32_t)fit.line.points},
        {"latency.residual", fit.line.residual_share, UNIT_RATIO, 0, 0, (uint32_t)fit.line.points},
    };

    if (r < 0)
        return r;
    if (outcome == FIT_NO_POINTS && (fit.invalid & INVALID(INVALID_CLOCK)) != 0) {
        (void)err_set(err, ERR_INVALID, "the board's clock disagrees with the host's by over 1 %%");
        return err_hint(err, "check clock_hz and timebase_hz in %s", a->c->board->path);
    }
    if (outcome == FIT_NO_POINTS)
        return err_set(err, ERR_INVALID, "no window is valid");
    if (!fit_is_straight(&fit.line, 0.01))
        return err_set(err, ERR_INVALID, "windows do not lie on a line (bend of %.2f %%)",
                       fit.line.curvature * 100);
    if (!tells_from_zero(&fit.line)) {
        (void)err_set(err, ERR_INVALID, "the windows are too noisy to tell the latency from zero");
        return err_hint(err, "use longer windows (measure: window_time) or a quieter host");
    }
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        if (isfinite(figures[i].value) && emit_metric(&a->out, &figures[i], err) < 0)
            return (int)err->code;
    }
    return 0;
}
