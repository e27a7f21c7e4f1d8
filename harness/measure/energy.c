/*
 * Current and energy of a case (docs: harness/stats/energy.h has the arithmetic).
 *
 * A window: the agent is armed and waits in silence; the meter is started and has to deliver the
 * idle time before anything happens, so a late meter can never miss a window; then GO; the marker
 * rises, N inferences, it falls; the idle time after it; only then the meter is stopped. One window
 * is in memory at a time. The firmware is the one whose latency was measured just before.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/hash.h"
#include "harness/measure/energy.h"
#include "harness/stats/fit.h"
#include "harness/trace/trace.h"

enum {
    EEMBC_WINDOWS = 5,
    EEMBC_INFERENCES = 10,
    SLOPE_STEPS = 3,
    IDLE_SAMPLES = 60, /* of baseline on each side, at least */
};

#define EEMBC_WINDOW_S 10.0
#define ALIVE_S        0.02 /* of samples before anything happens: the meter is there */
#define GAP_SLACK      10   /* a virtual board on a busy host sleeps so much longer */
#define SLACK_S        2.0  /* how far the marker may be behind what the link says */
#define EMULATED_LAG_S 10.0 /* ... where the meter is a process that a busy host lets wait */
#define LATE_S         0.2 /* how far samples may be behind the link, without a marker to wait for */
#define NJ             1e9

/* ---- before ---- */

static int find_latency(struct energy_run *r, struct err *err)
{
    const struct attempt *a = r->a;
    const double s_per_unit = a->timebase.ticks_per_unit * a->timebase.ns_per_tick * 1e-9;
    struct fit_windows fit;

    if (fit_windows(a->windows.items, a->windows.count, &fit) == FIT_NO_POINTS)
        return err_set(err, ERR_INVALID, "no energy without a latency");
    r->latency_s = fit.line.slope * s_per_unit;
    r->overhead_s = isfinite(fit.line.intercept) ? fit.line.intercept * s_per_unit : 0;
    return 0;
}

static int size_window(struct energy_run *r, struct err *err)
{
    const double window_s = (double)r->e->window_ns * 1e-9;
    const double wanted = r->eembc && window_s < EEMBC_WINDOW_S ? EEMBC_WINDOW_S : window_s;
    double n = ceil(wanted / r->latency_s * 1.001); /* "at least": clocks differ */

    if (r->eembc && n < EEMBC_INFERENCES)
        n = EEMBC_INFERENCES;
    if (!(n >= 1) || n > 4e9)
        return err_set(err, ERR_INVALID, "%.0f inferences in an energy window make no sense", n);
    r->inferences = (uint32_t)n;
    if (((n * r->latency_s) + 2 * (double)r->e->idle_ns * 1e-9 + SLACK_S) * r->info->rate_hz >
        CAPTURE_MAX)
        return err_set(err, ERR_INVALID,
                       "an energy window of %.0f s at %.0f samples a second is "
                       "too long (limit %u samples)",
                       n * r->latency_s, r->info->rate_hz, CAPTURE_MAX);
    return 0;
}

static int check_meter(struct energy_run *r, struct err *err)
{
    if (!r->info->samples)
        return err_set(err, ERR_METER, "a %s takes no samples", r->info->model);
    return 0;
}

/*
 * Guards and baselines in samples of a slow instrument, and a gate that is known to a sample at
 * either end where no marker line shows it.
 */
static void fit_method(struct energy_run *r)
{
    struct energy_method *m = &r->method;
    const double period_s = 1 / r->info->rate_hz;

    m->idle_s = (double)r->e->idle_ns * 1e-9;
    m->guard_before_s = fmax(m->guard_before_s, 2 * period_s);
    m->guard_after_s = fmax(m->guard_after_s, 3 * period_s);
    m->idle_s = fmax(m->idle_s, IDLE_SAMPLES * period_s);
    if (r->info->markers == 0 || r->info->falls_only)
        m->gate_tolerance += 2 * period_s / (r->inferences * r->latency_s);
}

static const char *gate_name(const struct meter_info *i)
{
    return i->markers == 0 ? "current" : i->falls_only ? "falling edges" : "marker";
}

static int emit_facts(struct energy_run *r, struct err *err)
{
    struct emitter *out = &r->a->out;
    const struct meter_info *i = r->info;
    char digest[65];

    sha256_hex(buf_text(&r->meter->calibration), r->meter->calibration.len, digest);
    if (emit_fact(out, err, "meter.kind", "%s", r->meter->ops->name) < 0 ||
        emit_fact(out, err, "meter.name", "%s", instrument_name(r->instrument)) < 0 ||
        emit_fact(out, err, "meter.model", "%s", i->model) < 0 ||
        emit_fact(out, err, "meter.emulated", "%s", i->emulated ? "yes" : "no") < 0 ||
        emit_fact(out, err, "meter.mode", "%s",
                  instrument_source(r->instrument) ? "source" : "ampere") < 0 ||
        emit_fact(out, err, "meter.rate_hz", "%g", i->rate_hz) < 0 ||
        emit_fact(out, err, "meter.calibration_sha256", "%s", digest) < 0 ||
        emit_fact(out, err, "meter.calibration", "%s", buf_text(&r->meter->calibration)) < 0 ||
        emit_fact(out, err, "method.energy", "%s/1", r->eembc ? "eembc" : "guarded") < 0 ||
        emit_fact(out, err, "method.gate", "%s", gate_name(i)) < 0 ||
        emit_fact(out, err, "method.link", "silent from idle time to idle time") < 0 ||
        emit_fact(out, err, "voltage.uv", "%u", instrument_voltage_uv(r->instrument)) < 0 ||
        emit_fact(out, err, "voltage.source", "%s", meter_voltage_basis_name(i->basis)) < 0)
        return (int)err->code;
    if (i->serial[0] != '\0' && emit_fact(out, err, "meter.serial", "%s", i->serial) < 0)
        return (int)err->code;
    if (i->firmware[0] != '\0' && emit_fact(out, err, "meter.firmware", "%s", i->firmware) < 0)
        return (int)err->code;
    if (i->warning[0] != '\0' && emit_fact(out, err, "meter.warning", "%s", i->warning) < 0)
        return (int)err->code;
    return 0;
}

static int prepare(struct energy_run *r, struct err *err)
{
    if (session_instrument(r->a->session, r->e, &r->instrument, err) < 0)
        return (int)err->code;
    r->meter = instrument_meter(r->instrument);
    r->info = &r->meter->info;
    r->eembc = r->e->profile == ENERGY_EEMBC;
    r->method = energy_method_default;
    if (check_meter(r, err) < 0 || find_latency(r, err) < 0 || size_window(r, err) < 0)
        return (int)err->code;
    fit_method(r);
    return emit_facts(r, err);
}

/* ---- one window ---- */

/* The idle time behind the window: behind its marker, or behind what comes once it is over. */
static int await_rest(const struct energy_run *r, struct capture *c, double window_s, double rest_s,
                      struct err *err)
{
    const double slack_s = r->info->emulated ? EMULATED_LAG_S : SLACK_S;

    if (r->info->markers == 0)
        return capture_wait(c, capture_count(c) + energy_samples(r, rest_s + LATE_S), err);
    return capture_wait_falls(c, 1, energy_samples(r, rest_s),
                              energy_samples(r, 2 * window_s + slack_s), err);
}

/* Quiet time on either side of the marker, slept through by the agent with its link off. */
static int make_run(const struct energy_run *r, uint32_t n, double rest_s, struct client_run *ret,
                    struct err *err)
{
    const double gap_ticks = ceil(rest_s * 1e9 / r->a->timebase.ns_per_tick);

    if (!(gap_ticks < UINT32_MAX))
        return err_set(err, ERR_INVALID, "an idle time of %.1f s is more than the agent can count",
                       rest_s);
    *ret = (struct client_run){.inferences = n,
                               .windows = 1,
                               .gap_ticks = (uint32_t)gap_ticks,
                               .flags = WIRE_RUN_MARKER | WIRE_RUN_SLEEP,
                               .window_ms = attempt_allowance_ms(r->a, n) +
                                            (unsigned)(GAP_SLACK * 2e3 * rest_s)};
    return 0;
}

/*
 * Arm; let the meter show that it is there, so that a late one can never miss a window; go. The
 * agent is silent from before the idle time to after it: its answer comes when all is over.
 */
static int record(struct energy_run *r, uint32_t n, struct capture **ret,
                  struct wire_record_info *record, struct err *err)
{
    struct client *client = session_client(r->a->session);
    const double window_s = n * r->latency_s + r->overhead_s;
    const double rest_s = r->method.idle_s + r->method.guard_before_s + r->method.guard_after_s;
    const size_t most = energy_samples(r, 3 * (window_s + 2 * rest_s) + 60);
    struct client_run run;
    AUTO(capture_free_auto) struct capture *c = NULL;

    if (make_run(r, n, rest_s, &run, err) < 0 || client_arm(client, &run, err) < 0)
        return (int)err->code;
    if (capture_start(r->meter, r->info->markers, most < CAPTURE_MAX ? most : CAPTURE_MAX, &c,
                      err) < 0 ||
        capture_wait(c, energy_samples(r, ALIVE_S) + 1, err) < 0 ||
        client_go(client, &run, record, err) < 0 || await_rest(r, c, window_s, rest_s, err) < 0 ||
        capture_stop(c, err) < 0)
        return (int)err->code;
    *ret = MOVE(c);
    return 0;
}

static struct energy_trace trace_of(const struct energy_run *r, const struct capture_samples *s)
{
    struct energy_trace t = {
        .current_a = s->current_a,
        .voltage_v = s->voltage_v,
        .range = s->range,
        .count = s->count,
        .period_s = 1 / r->info->rate_hz,
        .supply_v = instrument_voltage_uv(r->instrument) * 1e-6,
        .voltage_error = r->info->voltage_error,
        .clock_error = r->info->clock_error,
    };

    for (size_t i = 0; i < METER_RANGES && i < ENERGY_RANGES; i++)
        t.ranges[i] = (struct energy_range){.gain = r->info->ranges[i].gain,
                                            .offset_a = r->info->ranges[i].offset_a};
    return t;
}

static void add_counts(struct meter_counts *to, const struct meter_counts *c)
{
    to->samples += c->samples;
    to->lost += c->lost;
    to->lost_by_clock += c->lost_by_clock;
    to->gaps += c->gaps;
    to->corrupted += c->corrupted;
    to->resyncs += c->resyncs;
    to->saturated += c->saturated;
    to->overloaded += c->overloaded;
    to->unconverted += c->unconverted;
    to->switches += c->switches;
}

static uint32_t meter_faults(const struct energy_run *r)
{
    const struct meter_counts *c = &r->meter->counts;

    return c->lost_by_clock > 0 || c->overloaded > 0 || c->unconverted > 0 ? INVALID(INVALID_METER)
                                                                           : 0;
}

static int emit_window(struct energy_run *r, const struct energy_window *w, bool full,
                       const struct wire_record_info *record, struct err *err)
{
    const uint32_t index = r->a->window_index++; /* behind the last repeat's others */
    struct event e = {.kind = EVENT_WINDOW};
    struct event detail = {.kind = EVENT_ENERGY};

    e.window = (struct event_window){
        .repeat = r->a->repeat,
        .index = index,
        .inferences = w->inferences,
        .ticks = record->ticks,
        .value = (r->eembc ? w->marker_j : w->gross_j) * NJ,
        .unit = UNIT_NJ,
        .invalid = w->invalid,
        .host_ns = (uint64_t)(w->duration_s * 1e9),
    };
    detail.energy = (struct event_energy){
        .index = index,
        .inferences = w->inferences,
        .full = full,
        .invalid = w->invalid,
        .duration_s = w->duration_s,
        .gross_nj = w->gross_j * NJ,
        .net_nj = w->net_j * NJ,
        .idle_nj = w->idle_j * NJ,
        .marker_nj = w->marker_j * NJ,
        .gross_nc = w->gross_c * NJ,
        .net_nc = w->net_c * NJ,
        .mean_na = w->mean_a * NJ,
        .idle_na = w->idle_a * NJ,
        .peak_na = w->peak_a * NJ,
        .drift_na = w->drift_a * NJ,
        .mean_uv = w->mean_v * 1e6,
        .systematic_nj = energy_budget_systematic(&w->net_budget) * NJ,
        .random_nj = energy_budget_random(&w->net_budget) * NJ,
        .samples = w->samples,
        .lost = w->lost,
    };
    if (emit(&r->a->out, &e, err) < 0)
        return (int)err->code;
    return emit(&r->a->out, &detail, err);
}

/* Beside the results, for those who want to see: of invalid windows, or of all. */
static int keep_trace(struct energy_run *r, const struct energy_window *w,
                      const struct energy_gate *gate, const struct capture_samples *s,
                      struct err *err)
{
    const struct measure_options *o = r->a->options;
    AUTO(trace_close_auto) struct trace_file *f = NULL;
    const struct trace_info info = {
        .case_key = r->a->c->key,
        .meter = r->info->model,
        .calibration = buf_text(&r->meter->calibration),
        .window = (uint32_t)r->count,
        .at_ns = clock_realtime_ns(),
        .rate_hz = r->info->rate_hz,
        .supply_v = instrument_voltage_uv(r->instrument) * 1e-6,
        .lost = r->meter->counts.lost,
        .on_s = gate->on_s,
        .off_s = gate->off_s,
        .inferences = w->inferences,
        .invalid = w->invalid,
        .emulated = r->info->emulated,
    };
    const struct trace_arrays arrays = {
        .current_a = s->current_a, .logic = s->logic, .range = s->range, .count = s->count};
    int64_t id;

    if (o->traces == NULL || (w->invalid == 0 && !o->keep_traces && !r->e->keep_trace))
        return 0;
    if (trace_open(o->traces, true, &f, err) < 0)
        return (int)err->code;
    return trace_add(f, &info, &arrays, &id, err);
}

static int measure_window(struct energy_run *r, uint32_t n, struct err *err)
{
    struct energy_window *w = &r->windows[r->count];
    struct energy_window filtered = {0};
    struct wire_record_info info;
    AUTO(capture_free_auto) struct capture *c = NULL;
    struct capture_samples s;
    struct energy_gate gate;
    struct energy_trace trace;

    if (r->a->options->stopping != NULL && r->a->options->stopping())
        return err_set(err, ERR_CANCELLED, "interrupted");
    if (record(r, n, &c, &info, err) < 0)
        return (int)err->code;
    s = capture_samples(c);
    trace = trace_of(r, &s);
    if (energy_find_gate(r, &s, n, &gate, err) < 0)
        return (int)err->code;
    energy_measure(&trace, &gate, 1, &r->method, w);
    w->invalid |= meter_faults(r);
    r->filtered_net_j[r->count] = NAN;
    if (s.filtered_a != NULL) {
        trace.current_a = s.filtered_a;
        energy_measure(&trace, &gate, 1, &r->method, &filtered);
        r->filtered_net_j[r->count] = filtered.net_j;
    }
    add_counts(&r->counts, &r->meter->counts);
    if (emit_window(r, w, n == r->inferences, &info, err) < 0 ||
        keep_trace(r, w, &gate, &s, err) < 0)
        return (int)err->code;
    r->count++;
    return 0;
}

/* Full windows; then shorter ones, so that a line through all says what a window costs by itself. */
static int measure_windows(struct energy_run *r, struct err *err)
{
    const uint32_t windows = r->eembc ? EEMBC_WINDOWS : r->e->windows;

    for (uint32_t i = 0; i < windows; i++) {
        if (measure_window(r, r->inferences, err) < 0)
            return (int)err->code;
    }
    r->full = r->count;
    if (r->eembc || r->inferences < SLOPE_STEPS)
        return 0;
    for (uint32_t k = 1; k < SLOPE_STEPS; k++) {
        if (measure_window(r, (uint32_t)((uint64_t)r->inferences * k / SLOPE_STEPS), err) < 0)
            return (int)err->code;
    }
    return 0;
}

int attempt_energy(struct attempt *a, struct err *err)
{
    struct energy_run *r;
    int result;

    if (a->c->energy == NULL)
        return 0;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->a = a;
    r->e = a->c->energy;
    result = prepare(r, err);
    if (result == 0)
        result = measure_windows(r, err);
    if (result == 0)
        result = energy_conclude(r, err);
    /* A refusal is no fault of the meter, which may be the board's supply. */
    if (result < 0 && result != ERR_INVALID && r->instrument != NULL)
        session_drop_instrument(a->session);
    free(r);
    return result;
}
