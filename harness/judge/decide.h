/*
 * Is one metric of one case better, worse or the same? Effect AND evidence.
 *
 * Two steps, because the correction for many questions needs all p-values: decide_evidence() for
 * every metric, then evidence_holm() over them, then decide_verdict(). harness/judge/compare.h does
 * that for whole datasets; call these directly only for a single question.
 *
 * Effect: |relative change| above the floor of the metric's class. The floors are what boards of the
 * same kind differ by in published results without any change: cycles 0.5 %, time 1 % (2 % between
 * specimens), energy 2 % (5 % between benches).
 *
 * Evidence, for a metric that scatters: Mann-Whitney on all windows; when the samples are too small
 * for ranks to reach the level asked for, Student's t on the pooled standard deviation. But windows
 * of one run agree better with each other than with the next run: what is known about the scatter of
 * runs (from several on each side, or from the history) must speak for a change too, and with eight
 * degrees of freedom it decides alone.
 *
 * Exact metrics need neither: any change is a change. A metric whose windows are all equal on each
 * side is exact too, if it is a counter (class cycle) or comes from the virtual lab; a clock that
 * shows equal values may only be coarse, so time keeps its floor then, but needs no test.
 */
#ifndef HARNESS_JUDGE_DECIDE_H
#define HARNESS_JUDGE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/spec/event.h"
#include "harness/spec/verdict.h"

struct decide_policy {
    double alpha;                  /* after correction */
    double power;                  /* of the minimum detectable effect */
    double floor[METRIC_INFO + 1]; /* relative, by class */
    double floor_other_board;      /* time, when the specimens differ */
    double floor_other_bench;      /* energy, when the meters differ */
};

extern const struct decide_policy decide_policy_default;

/* The class that decides: counts of instructions are exact, latencies in cycles are cycles. */
enum metric_class decide_class(const struct event_metric *metric);

/* One side. Centre: the median of the values, or of the runs when there are no values. */
struct decide_sample {
    const double *values; /* per inference, one a window, all runs together */
    size_t n;
    const double *runs; /* one centre a run (a reset) */
    size_t run_count;
    double sigma;   /* only without values: standard deviation of a value, NAN when unknown */
    size_t sigma_n; /* ... and of how many values */
};

/* Scatter of run centres of this series, from its history: relative standard deviation. */
struct decide_noise {
    double sigma;
    double df; /* 0: nothing known */
};

struct decide_question {
    enum metric_class class_; /* decide_class() */
    bool lower_is_better;
    bool deterministic; /* from the virtual lab */
    bool same;          /* same binary and environment: whatever is seen is noise */
    double floor;       /* relative; decide_floor() */
    struct decide_sample a;
    struct decide_sample b;
    struct decide_noise noise;
};

struct decision {
    enum verdict verdict;
    const char *reason; /* static text, never NULL */
    double a;           /* centres */
    double b;
    double change; /* b / a - 1 by Hodges and Lehmann's shift; INFINITY when a is 0 and b is not */
    double low;    /* 95 % interval of the change; NAN when unknown */
    double high;
    double floor;
    double p;           /* 1 when there is nothing to test */
    double p_adjusted;  /* set by the caller between the steps */
    const char *method; /* static text: "exact", "Mann-Whitney, exact", ... */
    double detectable;  /* relative; INFINITY when these samples cannot show anything */
    size_t na, nb;      /* windows */
    size_t runs_a, runs_b;
    size_t needed; /* windows per side that could settle it; 0: these can */
    bool tested;   /* has a p-value that belongs into the correction */
};

double decide_floor(const struct decide_policy *policy, enum metric_class judged, bool other_board,
                    bool other_bench);

/* Will decide_evidence() test, and so take part in the correction for many questions? */
bool decide_needs_test(const struct decide_question *q);

/* Everything but verdict, reason and p_adjusted. alpha_each: alpha over the number of questions. */
void decide_evidence(const struct decide_question *q, const struct decide_policy *policy,
                     double alpha_each, struct decision *ret);

void decide_verdict(const struct decide_question *q, const struct decide_policy *policy,
                    struct decision *d);

#endif
