#include "harness/stats/evidence.h"

#include <math.h>
#include <stdlib.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/rank.h"

static int by_p(const void *a, const void *b)
{
    const double x = **(const double *const *)a;
    const double y = **(const double *const *)b;

    return (x > y) - (x < y);
}

void evidence_holm(const double *p, size_t n, double *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const double **order = arena_alloc(&scratch, (n + 1) * sizeof(*order));
    double *adjusted = arena_alloc(&scratch, (n + 1) * sizeof(*adjusted));
    double least = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = &p[i];
    qsort((void *)order, n, sizeof(*order), by_p);
    for (size_t i = 0; i < n; i++) {
        least = fmax(least, fmin((double)(n - i) * *order[i], 1));
        adjusted[order[i] - p] = least;
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = adjusted[i];
}

double evidence_detectable(double sigma, size_t na, size_t nb, double alpha, double power)
{
    double df;
    double t;

    if (na + nb < 3 || rank_smallest_p(na, nb) > alpha)
        return INFINITY;
    df = (double)(na + nb - 2);
    t = student_quantile(1 - alpha / 2, df) + student_quantile(power, df);
    return t * sigma * sqrt(1 / (double)na + 1 / (double)nb) / sqrt(3 / M_PI);
}

double evidence_student(double d, double sigma, double na, double nb, double df)
{
    if (d == 0 || !(df > 0) || !(na > 0) || !(nb > 0))
        return 1;
    if (!(sigma > 0))
        return 0;
    return 2 * student_cdf(-fabs(d) / (sigma * sqrt(1 / na + 1 / nb)), df);
}
