/*
 * Two selections of measurements, case by case and metric by metric, with a verdict on each.
 *
 * a is the base ("before"), b the candidate. Several runs of a case in one selection are pooled as
 * far as they are comparable with the newest of them; of a base with many runs only those of the
 * current level count (history_current()). Cases are paired by suite, model, board, engine and
 * parameters; a part that has one value in a and another one in b (two boards, two engines, ...) is
 * compared across: it does not take part in the pairing and its facts do not block.
 *
 * Holm's correction runs over all metrics that need a test. Everything lives in the arena.
 */
#ifndef HARNESS_JUDGE_COMPARE_H
#define HARNESS_JUDGE_COMPARE_H

#include "harness/judge/comparable.h"
#include "harness/judge/decide.h"
#include "harness/stats/summary.h"

struct compare_options {
    const struct decide_policy *policy; /* NULL: the default */
    const struct data_history *history; /* NULL, or for the noise between runs */
    const struct mute *mutes;
    size_t mute_count;
    uint64_t now_ns; /* realtime, for the mutes */
};

struct compare_row {
    const char *metric;
    enum metric_class class_; /* decide_class() */
    enum unit unit;
    bool lower_is_better;
    struct decision d;                   /* figures are NAN where there was nothing to decide */
    const struct difference *blocked_by; /* with VERDICT_INCOMPARABLE, or NULL */
    const struct mute *mute;             /* NULL: not muted */
    const char *budget;                  /* the candidate's, or NULL */
    bool over_budget;
    bool same;     /* an A/A pair */
    bool emulated; /* a meter of either side is emulated: made up */
};

struct compare_case {
    const char *key;           /* the candidate's, or the base's when there is none */
    const struct data_case *a; /* newest of the pooled; NULL: only in b */
    const struct data_case *b; /* NULL: only in a */
    size_t runs_a, runs_b;     /* cases pooled */
    size_t left_out; /* cases of the selections that were not: older level, other things */
    struct differences differences;
    const struct compare_row *rows;
    size_t row_count;
    enum verdict verdict; /* the worst of the rows that are not muted; see compare_worst() */
    const char *reason;   /* of that verdict; never NULL; may quote stored text: escape it */
};

/* Geometric mean of b / a over the comparable cases of one metric and unit. */
struct compare_mean {
    const char *metric;
    enum unit unit;
    bool lower_is_better;
    struct ratio_mean ratio;
    size_t incomparable; /* cases with the metric that are not in it */
};

struct comparison {
    const struct compare_case *cases; /* in b's order, then what only a has */
    size_t case_count;
    const struct compare_mean *means;
    size_t mean_count;
    size_t verdicts[VERDICT_FAILED + 1]; /* rows by verdict, muted ones apart */
    size_t muted;
    size_t tests;    /* metrics in Holm's correction */
    size_t skipped;  /* cases planned away on both sides */
    unsigned across; /* bits ACROSS(part) compared on purpose */
};

void compare(const struct dataset *a, const struct dataset *b,
             const struct compare_options *options, struct arena *arena, struct comparison *ret);

/*
 * The verdict people must look at first: failed, regressed, invalid, incomparable, no-baseline,
 * inconclusive, improved, within-noise, unchanged.
 */
enum verdict compare_worst(enum verdict x, enum verdict y);

#endif
