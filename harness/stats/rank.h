/*
 * Is sample b different from sample a, and by how much? Without assuming a distribution.
 *
 * Used by harness/judge on windows and runs, so samples are small; see the limits below.
 */
#ifndef HARNESS_STATS_RANK_H
#define HARNESS_STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

/* Up to this many values in both samples together the p-value is exact, ties included. */
#define RANK_EXACT_MAX 50

struct rank_test {
    double u;         /* pairs with b > a, ties counting half */
    double p;         /* two-sided */
    double dominance; /* u / (na nb): probability that a value of b exceeds one of a */
    bool exact;
};

/*
 * Mann-Whitney U. Exact: the permutation distribution of the midrank sum, counted by dynamic
 * programming; p is the probability of a sum at least as far from its mean. Otherwise: normal with
 * continuity and tie correction (Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods",
 * 3rd ed., section 4.1). An empty sample, or all values equal, gives p = 1.
 */
void rank_test(const double *a, size_t na, const double *b, size_t nb, struct rank_test *ret);

/* The smallest p that rank_test() can give for samples of these sizes (no ties). */
double rank_smallest_p(size_t na, size_t nb);

/* Values per sample from which equal-sized samples can reach p <= alpha at all. */
size_t rank_needed(double alpha);

struct rank_shift {
    double shift; /* Hodges-Lehmann: median of all differences b - a */
    double low;   /* distribution-free interval, from the order statistics of the differences */
    double high;
    double confidence; /* that interval's own: at least what was asked, less only when the samples
                          are too small to give it */
};

/* Samples above this size are thinned to that many evenly spaced order statistics. */
#define RANK_SHIFT_MAX 1000

/* All NAN when a sample is empty. Hollander, Wolfe and Chicken, sections 4.2 and 4.3. */
void rank_shift(const double *a, size_t na, const double *b, size_t nb, double confidence,
                struct rank_shift *ret);

#endif
