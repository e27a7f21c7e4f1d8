/*
 * Order statistics: the ground under every robust figure here.
 *
 * Values must be finite; an empty sample gives NAN. `select`, `median` reorder their input,
 * so callers work on a copy.
 */
#ifndef HARNESS_STATS_ORDER_H
#define HARNESS_STATS_ORDER_H

#include <stddef.h>

/* A normal sample's standard deviation is this times its MAD (1 / Phi^-1(3/4)). */
#define ORDER_MAD_TO_SIGMA 1.482602218505602

void order_sort(double *x, size_t n); /* ascending */

/* The k-th smallest, 0-based, k < n. Average O(n): Hoare's quickselect, median of three. */
double order_select(double *x, size_t n, size_t k);

double order_median(double *x, size_t n); /* mean of the two middle values when n is even */

/*
 * Quantile of an ascending sample by linear interpolation: h = (n - 1) p, between the values of
 * rank floor(h) and floor(h) + 1 counted from 0. That is definition 7 of Hyndman and Fan, "Sample
 * quantiles in statistical packages", Am. Stat. 50 (1996); the default of R, NumPy and Excel.
 */
double order_quantile(const double *sorted, size_t n, double p);

/* Median of |x - centre|, unscaled; scratch has room for n values and may not be x. */
double order_mad(const double *x, size_t n, double centre, double *scratch);

#endif
