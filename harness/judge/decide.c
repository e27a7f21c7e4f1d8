#include "harness/judge/decide.h"

#include <math.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/evidence.h"
#include "harness/stats/rank.h"
#include "harness/stats/summary.h"

#define ENOUGH_RUNS 8 /* degrees of freedom from which the scatter of runs speaks alone */
#define FEW_WINDOWS 5 /* with fewer on a side, silence says nothing */

const struct decide_policy decide_policy_default = {
    .alpha = 0.01,
    .power = 0.8,
    .floor =
        {
            [METRIC_EXACT] = 0,
            [METRIC_CYCLE] = 0.005,
            [METRIC_TIME] = 0.01,
            [METRIC_ENERGY] = 0.02,
            [METRIC_SCORE] = 0.001,
            [METRIC_INFO] = INFINITY,
        },
    .floor_other_board = 0.02,
    .floor_other_bench = 0.05,
};

enum metric_class decide_class(const struct event_metric *metric)
{
    if (metric->class_ != METRIC_TIME && metric->class_ != METRIC_CYCLE)
        return metric->class_;
    switch (metric->unit) {
    case UNIT_INSTRUCTIONS:
        return METRIC_EXACT;
    case UNIT_CYCLES:
        return METRIC_CYCLE;
    default:
        return METRIC_TIME;
    }
}

double decide_floor(const struct decide_policy *policy, enum metric_class judged, bool other_board,
                    bool other_bench)
{
    const double least = policy->floor[judged];

    if (judged == METRIC_TIME && other_board)
        return fmax(least, policy->floor_other_board);
    if (judged == METRIC_ENERGY && (other_bench || other_board))
        return fmax(least, policy->floor_other_bench);
    return least;
}

/* One side, digested. */
struct side {
    struct summary values;
    struct summary runs;
    double centre;
    double sigma; /* of a value, absolute; NAN: unknown */
    size_t n;
};

static void digest(const struct decide_sample *sample, struct side *ret)
{
    summary_of(sample->values, sample->n, &ret->values);
    summary_of(sample->runs, sample->run_count, &ret->runs);
    if (sample->n > 0) {
        ret->centre = ret->values.median;
        ret->sigma = ret->values.sd;
        ret->n = sample->n;
    } else {
        ret->centre = ret->runs.median;
        ret->sigma = sample->sigma_n > 1 ? sample->sigma : NAN;
        ret->n = sample->sigma_n > 0 ? sample->sigma_n : sample->run_count;
    }
}

static double relative(double difference, double base)
{
    if (difference == 0)
        return 0;
    return base != 0 ? difference / fabs(base) : copysign(INFINITY, difference);
}

/* All values of a side the same; a single value says nothing about its scatter. */
static bool constant(const struct side *s)
{
    return s->values.n > 1 && s->values.all_equal;
}

static double pooled(double sa, size_t na, double sb, size_t nb)
{
    return sqrt(((double)(na - 1) * sa * sa + (double)(nb - 1) * sb * sb) / (double)(na + nb - 2));
}

/* Change, interval and p from the windows. */
static void from_windows(const struct decide_question *q, const struct side *a,
                         const struct side *b, double alpha_each, struct decision *d)
{
    const double df = (double)(a->n + b->n) - 2;
    struct rank_test test;
    struct rank_shift shift;
    double sigma;
    double half;

    d->method = "none";
    if (q->a.n > 0 && q->b.n > 0) {
        rank_shift(q->a.values, q->a.n, q->b.values, q->b.n, 0.95, &shift);
        d->change = relative(shift.shift, d->a);
        d->low = relative(shift.low, d->a);
        d->high = relative(shift.high, d->a);
        if (rank_smallest_p(q->a.n, q->b.n) <= alpha_each) {
            rank_test(q->a.values, q->a.n, q->b.values, q->b.n, &test);
            d->p = test.p;
            d->method = test.exact ? "Mann-Whitney, exact" : "Mann-Whitney, normal";
            d->tested = true;
            return;
        }
    }
    d->needed = rank_needed(alpha_each);
    if (!(a->sigma >= 0) || !(b->sigma >= 0) || df <= 0)
        return;
    sigma = pooled(a->sigma, a->n, b->sigma, b->n);
    d->p = evidence_student(d->b - d->a, sigma, (double)a->n, (double)b->n, df);
    d->method = "Student, pooled windows";
    d->tested = true;
    half = student_quantile(0.975, df) * sigma * sqrt(1 / (double)a->n + 1 / (double)b->n);
    d->low = relative(d->b - d->a - half, d->a);
    d->high = relative(d->b - d->a + half, d->a);
}

/* The smallest change that the windows could have shown, at 80 % power. */
static double detectable_windows(const struct side *a, const struct side *b,
                                 const struct decide_policy *policy, double alpha_each,
                                 const struct decision *d)
{
    const double df = (double)(a->n + b->n) - 2;
    double t;

    if (!(a->sigma >= 0) || !(b->sigma >= 0) || df <= 0)
        return INFINITY;
    if (d->needed == 0)
        return evidence_detectable(pooled(a->sigma, a->n, b->sigma, b->n), a->n, b->n, alpha_each,
                                   policy->power);
    t = student_quantile(1 - alpha_each / 2, df) + student_quantile(policy->power, df);
    return t * pooled(a->sigma, a->n, b->sigma, b->n) * sqrt(1 / (double)a->n + 1 / (double)b->n);
}

/* What is known about the scatter between runs: the history's, else the runs' at hand. */
static struct decide_noise between(const struct decide_question *q, const struct side *a,
                                   const struct side *b, double base)
{
    const size_t runs = a->runs.n + b->runs.n;
    struct decide_noise n = q->noise;

    if (n.df > 0 || a->runs.n == 0 || b->runs.n == 0 || runs < 4 || base == 0)
        return n;
    n.df = (double)(runs - 2);
    n.sigma = pooled(a->runs.n > 1 ? a->runs.sd : 0, a->runs.n, b->runs.n > 1 ? b->runs.sd : 0,
                     b->runs.n) /
              fabs(base);
    return n;
}

/*
 * The run is what repeats, the window is not: once the scatter of runs is well known it decides
 * alone, and one disturbed window does not hide a step. Until then both must agree: the larger p,
 * the wider interval.
 */
static void from_runs(const struct side *a, const struct side *b, struct decide_noise noise,
                      const struct decide_policy *policy, double alpha_each, struct decision *d)
{
    const double na = (double)a->runs.n;
    const double nb = (double)b->runs.n;
    const double error = noise.sigma * sqrt(1 / na + 1 / nb);
    double p;
    double half;

    if (!(noise.df > 0) || na == 0 || nb == 0 || !isfinite(d->change))
        return;
    p = evidence_student(d->change, noise.sigma, na, nb, noise.df);
    if (p > d->p || !d->tested || noise.df >= ENOUGH_RUNS) {
        d->p = p;
        d->method = "Student, between runs";
    }
    d->tested = true;
    half = student_quantile(0.975, noise.df) * error;
    if (noise.df >= ENOUGH_RUNS || isnan(d->low))
        d->low = d->high = d->change;
    d->low = fmin(d->low, d->change - half);
    d->high = fmax(d->high, d->change + half);
    half = (student_quantile(1 - alpha_each / 2, noise.df) +
            student_quantile(policy->power, noise.df)) *
           error;
    if (noise.df >= ENOUGH_RUNS || isinf(d->detectable))
        d->detectable = 0;
    d->detectable = fmax(d->detectable, half);
}

static bool is_exact(const struct decide_question *q, const struct side *a, const struct side *b)
{
    if (q->class_ == METRIC_EXACT || q->class_ == METRIC_SCORE)
        return true;
    return constant(a) && constant(b) && (q->class_ == METRIC_CYCLE || q->deterministic);
}

bool decide_needs_test(const struct decide_question *q)
{
    struct side a;
    struct side b;

    digest(&q->a, &a);
    digest(&q->b, &b);
    return !q->same && !is_exact(q, &a, &b) && !(constant(&a) && constant(&b));
}

void decide_evidence(const struct decide_question *q, const struct decide_policy *policy,
                     double alpha_each, struct decision *ret)
{
    struct side a;
    struct side b;

    digest(&q->a, &a);
    digest(&q->b, &b);
    *ret = (struct decision){
        .verdict = VERDICT_INCONCLUSIVE,
        .reason = "",
        .a = a.centre,
        .b = b.centre,
        .change = relative(b.centre - a.centre, a.centre),
        .low = NAN,
        .high = NAN,
        .floor = q->floor,
        .p = 1,
        .p_adjusted = 1,
        .na = a.n,
        .nb = b.n,
        .runs_a = q->a.run_count,
        .runs_b = q->b.run_count,
    };
    if (is_exact(q, &a, &b) || (constant(&a) && constant(&b))) {
        if (q->class_ != METRIC_SCORE && is_exact(q, &a, &b))
            ret->floor = 0;
        ret->low = ret->high = ret->change;
        ret->method = "exact";
        ret->p = ret->p_adjusted = ret->change == 0;
        return;
    }
    from_windows(q, &a, &b, alpha_each, ret);
    ret->detectable = a.centre != 0
                          ? detectable_windows(&a, &b, policy, alpha_each, ret) / fabs(a.centre)
                          : INFINITY;
    from_runs(&a, &b, between(q, &a, &b, a.centre), policy, alpha_each, ret);
    ret->p_adjusted = ret->p;
    if (ret->tested)
        ret->needed = isinf(ret->detectable) ? ret->needed : 0;
}

static enum verdict direction(const struct decide_question *q, double change)
{
    return (change < 0) == q->lower_is_better ? VERDICT_IMPROVED : VERDICT_REGRESSED;
}

static void say(struct decision *d, enum verdict verdict, const char *reason)
{
    d->verdict = verdict;
    d->reason = reason;
}

void decide_verdict(const struct decide_question *q, const struct decide_policy *policy,
                    struct decision *d)
{
    const bool effect = fabs(d->change) > d->floor;
    const bool few = d->na < FEW_WINDOWS || d->nb < FEW_WINDOWS;

    if (isnan(d->change))
        say(d, VERDICT_INVALID, "no value");
    else if (q->same && effect)
        say(d, VERDICT_WITHIN_NOISE, "same binary and environment: what differs is noise");
    else if (effect && d->p_adjusted <= policy->alpha)
        say(d, direction(q, d->change), "effect above the floor, and evidence for it");
    else if (!d->tested && effect)
        say(d, VERDICT_INCONCLUSIVE, "the scatter is not known");
    else if (effect && (few || isinf(d->detectable)))
        say(d, VERDICT_INCONCLUSIVE, "too few windows");
    else if (effect)
        say(d, VERDICT_WITHIN_NOISE, "above the floor, but so is the noise");
    else if (d->low >= -d->floor && d->high <= d->floor)
        say(d, VERDICT_UNCHANGED,
            d->a == d->b && d->low == d->high ? "equal" : "any change is below the floor");
    else
        say(d, VERDICT_WITHIN_NOISE, "below the floor, as far as the noise lets see");
}
