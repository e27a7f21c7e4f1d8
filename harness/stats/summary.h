/*
 * What a sample looks like in a few robust figures, and how well its centre is known.
 *
 * Used for every table and plot that shows more than one window. Values must be finite.
 */
#ifndef HARNESS_STATS_SUMMARY_H
#define HARNESS_STATS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct summary {
    size_t n;
    double min;
    double max;
    double mean;
    double sd; /* sample standard deviation (n - 1); NAN when n < 2 */
    double median;
    double mad;   /* median |x - median|, unscaled */
    double sigma; /* 1.4826 mad: what a normal sample's sd would be, outliers ignored */
    double p05;   /* quantiles by definition 7 (order.h) */
    double p25;
    double p75;
    double p95;
    size_t outliers; /* modified z-score above 3.5; counted, never removed */
    bool all_equal;  /* n > 0 and min == max */
};

/* n may be 0: figures are NAN then. */
void summary_of(const double *x, size_t n, struct summary *ret);

/* |0.6745 (x - median) / mad| > 3.5, Iglewicz and Hoaglin 1993; false when mad is 0. */
bool summary_is_outlier(const struct summary *s, double x);

/* A statistic of a sample; may reorder x. */
typedef double (*statistic_fn)(double *x, size_t n);

double statistic_median(double *x, size_t n);
double statistic_mean(double *x, size_t n);

struct bootstrap {
    double estimate; /* the statistic of the sample itself */
    double low;
    double high;
    double bias;         /* z0: normal quantile of the share of replicates below the estimate */
    double acceleration; /* a: skewness of the jackknife values / 6 */
};

#define BOOTSTRAP_REPLICATES 2000

/*
 * Bias-corrected and accelerated interval: Efron, "Better bootstrap confidence intervals", JASA 82
 * (1987); Efron and Tibshirani 1993, section 14.3. Deterministic for a seed. low and high are NAN
 * when n < 3: two values say nothing about their spread. Cost: (replicates + n) * n.
 */
void bootstrap_bca(const double *x, size_t n, statistic_fn statistic, double confidence,
                   size_t replicates, uint64_t seed, struct bootstrap *ret);

/* The usual one: 95 % interval of the median, fixed seed. */
void bootstrap_median(const double *x, size_t n, struct bootstrap *ret);

struct ratio_mean {
    size_t n;        /* ratios used */
    size_t excluded; /* not positive or not finite: they have no logarithm */
    double mean;     /* geometric mean; NAN when n is 0 */
    double spread;   /* geometric standard deviation, >= 1; NAN when n < 2 */
    double low;      /* 95 % interval of the mean: Student's t on the logarithms; NAN when n < 2 */
    double high;
};

/* The only mean of ratios that does not depend on which side is the base (Fleming, Wallace 1986).*/
void ratio_mean_of(const double *ratios, size_t n, struct ratio_mean *ret);

#endif
