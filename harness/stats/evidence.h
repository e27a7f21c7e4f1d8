/* Many questions at once, and how small an answer could have been seen. */
#ifndef HARNESS_STATS_EVIDENCE_H
#define HARNESS_STATS_EVIDENCE_H

#include <stddef.h>

/*
 * Holm's step-down correction ("A simple sequentially rejective multiple test procedure", Scand. J.
 * Stat. 6, 1979): with all p <= alpha after it called real, the chance of a single false call among
 * all n is at most alpha, whatever the dependence between them. ret may be p.
 */
void evidence_holm(const double *p, size_t n, double *ret);

/*
 * Minimum detectable effect: the true shift that a two-sided rank test at alpha finds with
 * probability `power` when values scatter with standard deviation sigma,
 *     (t(1 - alpha/2) + t(power)) sigma sqrt(1/na + 1/nb) / sqrt(3/pi),  na + nb - 2 degrees,
 * the two-sample t formula (Zar, "Biostatistical Analysis", 8.4) over the square root of the rank
 * test's efficiency at the normal (Hodges and Lehmann 1956). INFINITY when samples of these sizes
 * cannot reach alpha at all, or a sample is empty.
 */
double evidence_detectable(double sigma, size_t na, size_t nb, double alpha, double power);

/*
 * Two-sided p of a difference between two centres when sigma, the standard deviation between runs,
 * is known with `df` degrees of freedom: Student's t of d / (sigma sqrt(1/na + 1/nb)). For samples
 * too small for ranks. 1 when d is 0; 0 when sigma is 0 and d is not; 1 when df or a size is 0.
 */
double evidence_student(double d, double sigma, double na, double nb, double df);

#endif
