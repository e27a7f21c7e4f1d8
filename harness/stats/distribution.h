/* The distributions that intervals and p-values come from. All are accurate to about 1e-12. */
#ifndef HARNESS_STATS_DISTRIBUTION_H
#define HARNESS_STATS_DISTRIBUTION_H

double normal_cdf(double z);
double normal_quantile(double p); /* -INFINITY at 0, INFINITY at 1 */

/* Student's t; degrees of freedom > 0, not necessarily whole. */
double student_cdf(double t, double df);
double student_quantile(double p, double df);

#endif
