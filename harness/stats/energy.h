/*
 * Energy and charge of measured windows out of a sampled current trace; pure arithmetic.
 *
 * Between the two marker edges alone the answer is wrong for short windows: decoupling capacitors
 * deliver early and refill late (a loss of tau / T), and an edge is known to half a sample. So the
 * integral runs from the idle before to the idle after, with guards around the edges, and the idle
 * current measured on both sides is taken off:
 *
 *     net   = sum over [on - guard, off + guard] of (p - p_idle) dt
 *     idle  = p_idle (off - on)
 *     gross = net + idle                          per window; divide by the inferences
 *
 * with p = v i of each sample; charge likewise with i. In simulations (0.1 ms to 100 ms windows,
 * RC of 0 to 100 us) this is unbiased to 0.06 %, where edge to edge is 5 to 61 % low.
 *
 * A sample stands for the mean current of its period: sample k for [k, k + 1) periods.
 */
#ifndef HARNESS_STATS_ENERGY_H
#define HARNESS_STATS_ENERGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/event.h"

#define ENERGY_RANGES 8

/* What the instrument promises for one of its ranges. */
struct energy_range {
    double gain;     /* limit of the relative gain error: 0.1 is 10 % */
    double offset_a; /* limit of the zero error, resolution included */
};

struct energy_trace {
    const float *current_a; /* NAN: lost, in its place (time never shifts) */
    const float *voltage_v; /* NULL: supply_v throughout */
    const uint8_t *range;   /* below ENERGY_RANGES; NULL: range 0 throughout */
    size_t count;
    double period_s;
    double supply_v;
    double voltage_error; /* limit of the relative error of the voltage, however it is known */
    double clock_error;   /* limit of the relative error of the period; 50e-6 for a crystal */
    struct energy_range ranges[ENERGY_RANGES];
};

/* One marked window; times since the beginning of the trace. */
struct energy_gate {
    double on_s;
    double off_s;
    uint32_t inferences;
    double expected_s; /* inferences * latency by the board's clock; 0: not known */
};

struct energy_method {
    double guard_before_s;
    double guard_after_s;  /* at least five time constants of the decoupling */
    double idle_s;         /* of baseline on each side; less where there is less */
    double idle_least_s;   /* with less than this on both sides, or too much of it lost, there is
                            * no baseline */
    double gate_tolerance; /* gate against expected_s, relative; above: INVALID_GATE */
    double lost_tolerance; /* share of lost samples in a window; above: INVALID_METER */
};

/* 1 ms, 5 ms, 1 s, 10 ms, 1 %, 0.1 % */
extern const struct energy_method energy_method_default;

/*
 * Uncertainty of an energy by its causes, J, each at about 95 %. Systematic: the same on every
 * window, cancels when one meter compares two builds in the same ranges. Random: averages out.
 */
struct energy_budget {
    double gain;     /* systematic: gain limits weighted by the energy taken in each range */
    double offset;   /* systematic: zero error of each range over the time spent there */
    double voltage;  /* systematic */
    double clock;    /* systematic */
    double noise;    /* random: scatter of samples around the signal */
    double baseline; /* random: the idle level's own error over the guarded window */
    double drift;    /* random: the idle level differs before and after */
    double lost;     /* random: interpolated samples */
    double edge;     /* random: half a sample at each edge; of gross only */
};

double energy_budget_systematic(const struct energy_budget *b); /* root sum of squares */
double energy_budget_random(const struct energy_budget *b);
double energy_budget_total(const struct energy_budget *b);

/* Totals of one window, not yet divided by its inferences. NAN where there is no baseline. */
struct energy_window {
    uint32_t inferences;
    double duration_s; /* edge to edge */
    double net_j, idle_j, gross_j;
    double net_c, idle_c, gross_c;
    double idle_a; /* baseline */
    double idle_w;
    double drift_a; /* baseline after minus before; 0 when only one side is known */
    double mean_a;  /* gross_c / duration_s */
    double peak_a;  /* highest sample between the edges */
    double mean_v;
    double marker_j; /* the plain integral edge to edge, idle included; what EEMBC counts */
    struct energy_budget net_budget;
    struct energy_budget gross_budget; /* idle's zero error does not cancel here; marker_j's too */
    size_t samples;                    /* in the guarded window */
    size_t lost;                       /* of them */
    bool drifts;      /* the baseline moved by more than three of its standard errors */
    uint32_t invalid; /* INVALID_* bits: GATE, METER, SHORT (no baseline, or outside the trace) */
};

/*
 * Every gate's figures. Gates in order of time and not overlapping: a neighbour's window (with its
 * guards) is never taken for idle. ret has room for gate_count.
 */
void energy_measure(const struct energy_trace *trace, const struct energy_gate *gates,
                    size_t gate_count, const struct energy_method *method,
                    struct energy_window *ret);

/*
 * Gates out of sampled marker lines: high while (logic & mask) is not 0. The edge lies between two
 * samples; its middle is given. A window cut off by the trace's begin or end is left out. Returns
 * how many were found; at most `room` are written, with inferences and expected_s 0.
 */
size_t energy_gates(const uint8_t *logic, size_t count, uint8_t mask, double period_s,
                    struct energy_gate *ret, size_t room);

/*
 * The gate of the one window in a trace whose instrument has no marker lines: where the current lies
 * above half of its step, judged by the first `idle` samples, for about expected_s. False when
 * nothing stands out. Its edges are known to a sample period, which the caller has to allow for.
 */
bool energy_gate_by_level(const float *current_a, size_t count, size_t idle, double expected_s,
                          double period_s, struct energy_gate *ret);

/*
 * Falling edges of a line that are told as moments (a set bit): how many, and the first `room` of
 * them in samples.
 */
size_t energy_edges(const uint8_t *logic, size_t count, uint8_t mask, size_t *ret, size_t room);

/* Integral of v i (or of i alone) over [from_s, to_s), edge samples by their share; clipped to the
 * trace; lost samples interpolated. */
double energy_integral(const struct energy_trace *trace, double from_s, double to_s);
double energy_charge(const struct energy_trace *trace, double from_s, double to_s);

/*
 * Integral of points (t, y), t increasing, over [from, to] by the trapezoidal rule with
 * interpolated ends: for imported traces with uneven steps. NAN when the points do not cover it.
 */
double energy_trapezoid(const double *t, const double *y, size_t count, double from, double to);

/* How far off the median of several windows may be, at about 95 %, per inference. */
struct energy_error {
    double repeatability_j; /* from the windows' scatter; NAN below 3 */
    double systematic_j;    /* median over windows */
    double random_j;        /* root mean square over windows, over sqrt(windows) */
    double total_j;         /* all together: the larger of the random figures counts */
};

/* Several windows of one kind put together, per inference. */
struct energy_summary {
    size_t windows;                                /* valid ones */
    double gross_j, net_j, idle_j, gross_c, net_c; /* medians, per inference */
    double marker_j; /* the same of the plain integral: EEMBC's figure */
    struct energy_error net, gross, marker;
};

/* False when no window is valid. */
bool energy_summarise(const struct energy_window *windows, size_t count,
                      struct energy_summary *ret);

#endif
