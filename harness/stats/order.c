#include "harness/stats/order.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

void order_sort(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof(*x), ascending);
}

static void swap(double *a, double *b)
{
    const double t = *a;

    *a = *b;
    *b = t;
}

/* Middle of three as pivot: sorted input, the usual case here, stays linear. */
static double pivot_of(double a, double b, double c)
{
    if ((a <= b && b <= c) || (c <= b && b <= a))
        return b;
    return (b <= a && a <= c) || (c <= a && a <= b) ? a : c;
}

double order_select(double *x, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;

    while (low < high) {
        const double pivot = pivot_of(x[low], x[low + (high - low) / 2], x[high]);
        size_t i = low;
        size_t j = high;

        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i > j)
                break;
            swap(&x[i++], &x[j]);
            if (j == 0)
                break;
            j--;
        }
        if (k <= j && j < high)
            high = j;
        else if (k >= i)
            low = i;
        else
            return x[k];
    }
    return x[k];
}

double order_median(double *x, size_t n)
{
    double upper;
    double lower;

    if (n == 0)
        return NAN;
    upper = order_select(x, n, n / 2);
    if (n % 2 == 1)
        return upper;
    lower = x[0]; /* select left the smaller half in front */
    for (size_t i = 1; i < n / 2; i++)
        lower = fmax(lower, x[i]);
    return lower + (upper - lower) / 2;
}

double order_quantile(const double *sorted, size_t n, double p)
{
    double h;
    size_t i;

    if (n == 0)
        return NAN;
    h = (double)(n - 1) * fmin(fmax(p, 0), 1);
    i = (size_t)h;
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (h - (double)i) * (sorted[i + 1] - sorted[i]);
}

double order_mad(const double *x, size_t n, double centre, double *scratch)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = fabs(x[i] - centre);
    return order_median(scratch, n);
}
