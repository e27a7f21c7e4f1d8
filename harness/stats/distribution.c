#include "harness/stats/distribution.h"

#include <float.h>
#include <math.h>

double normal_cdf(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

/*
 * Starting value: Abramowitz and Stegun 26.2.23 (error < 4.5e-4); then Halley's iteration on the
 * exact cdf, which triples the digits each time.
 */
double normal_quantile(double p)
{
    const double tail = p < 0.5 ? p : 1 - p;
    double t;
    double z;

    if (!(p > 0))
        return p == 0 ? -INFINITY : NAN;
    if (!(p < 1))
        return p == 1 ? INFINITY : NAN;
    t = sqrt(-2 * log(tail));
    z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                  (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    for (int i = 0; i < 3; i++) {
        const double step = (normal_cdf(z) - tail) * sqrt(2 * M_PI) * exp(z * z / 2);

        z -= step / (1 + z * step / 2);
    }
    return p < 0.5 ? z : -z;
}

/* Continued fraction of the incomplete beta function, DLMF 8.17.22, by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double c = 1;
    double d = 1 - (a + b) * x / (a + 1);
    double f;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int m = 1; m <= 10000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double change = 1;

        for (int half = 0; half < 2; half++) {
            const double step = half == 0 ? even : odd;

            d = 1 + step * d;
            c = 1 + step / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            f *= change;
        }
        if (fabs(change - 1) < DBL_EPSILON)
            break;
    }
    return f;
}

/* log Gamma for positive arguments: lgamma() writes a global, which threads would share. */
static double log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

/* Regularised incomplete beta function I_x(a, b). */
static double beta_incomplete(double a, double b, double x)
{
    double front;

    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_cdf(double t, double df)
{
    const double tail = 0.5 * beta_incomplete(df / 2, 0.5, df / (df + t * t));

    return t > 0 ? 1 - tail : tail;
}

static double student_density(double t, double df)
{
    return exp(log_gamma((df + 1) / 2) - log_gamma(df / 2) - (df + 1) / 2 * log1p(t * t / df)) /
           sqrt(df * M_PI);
}

/*
 * In the left tail, Newton's iteration on log cdf (nearly linear there) inside a bracket: what would
 * leave the bracket bisects it.
 */
double student_quantile(double p, double df)
{
    const double tail = p < 0.5 ? p : 1 - p;
    double low = -1;
    double high = 0;
    double t;

    if (!(p > 0) || !(p < 1))
        return normal_quantile(p);
    if (tail == 0.5)
        return 0;
    while (student_cdf(low, df) > tail && low > -1e300) {
        high = low;
        low *= 2;
    }
    t = low + (high - low) / 2;
    for (int i = 0; i < 100; i++) {
        const double cdf = student_cdf(t, df);
        double next = t + cdf / student_density(t, df) * log(tail / cdf);

        if (cdf < tail)
            low = t;
        else
            high = t;
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        if (fabs(next - t) <= 1e-13 * fabs(t))
            break;
        t = next;
    }
    return p < 0.5 ? t : -t;
}
