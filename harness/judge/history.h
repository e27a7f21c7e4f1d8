/*
 * One series over time: where it changed level, what its level is now, how much runs scatter.
 *
 * Baselines come from the newest segment only, so that one step does not inflate the noise and
 * hide the next (what histories kept without segments do). A change of environment (compiler,
 * board, meter, voltage: the caller says where) always begins a segment.
 */
#ifndef HARNESS_JUDGE_HISTORY_H
#define HARNESS_JUDGE_HISTORY_H

#include "harness/base/arena.h"
#include "harness/judge/decide.h"
#include "harness/spec/dataset.h"
#include "harness/stats/change.h"

/* The newest points of a segment that a baseline is made of. */
#define HISTORY_BASELINE_RUNS 20

struct history_change {
    size_t at; /* index of the first point after the change */
    double before;
    double after;
    double change;        /* relative */
    enum verdict verdict; /* improved or regressed; within-noise below the floor of the class */
    bool environment;     /* the environment changed here */
};

struct history {
    const size_t
        *used;         /* indices of the series' points that count: passed or over budget, finite */
    size_t used_count; /* the newest CHANGE_MAX of them */
    const struct change_segment *segments; /* begin and end index `used` */
    size_t segment_count;
    const struct history_change *changes; /* at: index into the series' points */
    size_t change_count;
    struct decide_noise noise; /* runs around their segment's level, last HISTORY_BASELINE_RUNS */
    double level;              /* median of the baseline runs; NAN without points */
};

/* breaks: NULL, or one flag per point of the series: a new environment begins with this point. */
void history_of(const struct data_series *series, const bool *breaks,
                const struct decide_policy *policy, struct arena *arena, struct history *ret);

/* The newest points of the newest segment, oldest first, at most HISTORY_BASELINE_RUNS. */
size_t history_baseline(const struct data_series *series, const struct history *h,
                        struct arena *arena, const struct data_point **ret);

/*
 * Centres of runs in order of time: how many of the newest belong to the current level. What
 * compare() does with a baseline of many runs. floor: relative, as a decision's; 0: exact values.
 * ret_noise: NULL, or how much runs scatter around their levels, this one and those before it.
 */
size_t history_current(const double *runs, size_t count, double floor,
                       struct decide_noise *ret_noise);

/* Scatter of runs around their segments' medians, relative to the level. */
struct decide_noise history_noise(const double *runs, const struct change_segment *segments,
                                  size_t segment_count);

#endif
