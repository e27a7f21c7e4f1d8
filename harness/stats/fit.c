#include "harness/stats/fit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/order.h"

__extension__ typedef __int128 int128;

#define OUTLIER_Z 3.5
/* Deviations below these interest nobody, however regular the other windows are. */
#define FLOOR_COUNTS   1.0
#define FLOOR_RELATIVE 1e-5
#define FLAG_FROM      5 /* with fewer points nobody can say which one is wrong */

/* Counters up to 2^53 and windows up to 2^32 inferences: what the integer sums are sized for. */
static bool is_whole(const struct fit_point *p)
{
    return p->n == floor(p->n) && p->n <= 4294967296.0 && p->value == floor(p->value) &&
           fabs(p->value) <= 9007199254740992.0;
}

static bool all_whole(const struct fit_point *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_whole(&p[i]))
            return false;
    }
    return true;
}

static bool one_level(const struct fit_point *p, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (p[i].n != p[0].n)
            return false;
    }
    return true;
}

/* All on one line, in integers? Needs two levels. */
static bool collinear(const struct fit_point *p, size_t count)
{
    size_t other = 1;
    int128 dx;
    int128 dy;

    while (p[other].n == p[0].n)
        other++;
    dx = (int128)(p[other].n - p[0].n);
    dy = (int128)(p[other].value - p[0].value);
    for (size_t i = 1; i < count; i++) {
        if ((int128)(p[i].value - p[0].value) * dx != dy * (int128)(p[i].n - p[0].n))
            return false;
    }
    return true;
}

/* Of two numbers that are not negative, b > 0. */
static int128 common_divisor(int128 a, int128 b)
{
    while (b != 0) {
        const int128 rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static double quotient(int128 a, int128 b)
{
    const int128 whole = a / b;

    return (double)((long double)whole + (long double)(a % b) / (long double)b);
}

/* Least squares in integers around the first point; at least two levels. */
static void least_squares_whole(const struct fit_point *p, size_t count, double *slope,
                                double *intercept)
{
    const int128 m = (int128)count;
    const int128 x0 = (int128)p[0].n;
    const int128 y0 = (int128)p[0].value;
    int128 sx = 0;
    int128 sy = 0;
    int128 sxx = 0;
    int128 sxy = 0;
    int128 num;
    int128 den;
    int128 divisor;
    int128 left;
    int128 right;

    for (size_t i = 0; i < count; i++) {
        const int128 x = (int128)p[i].n - x0;
        const int128 y = (int128)p[i].value - y0;

        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    num = m * sxy - sx * sy;
    den = m * sxx - sx * sx;
    assert(den > 0); /* Cauchy-Schwarz: two levels */
    divisor = common_divisor(num < 0 ? -num : num, den);
    num /= divisor;
    den /= divisor;
    *slope = quotient(num, den);
    /* intercept = (sum y - slope * sum x) / m, exact as long as it fits, as it does for counters */
    if (__builtin_mul_overflow(y0 * m + sy, den, &left) ||
        __builtin_mul_overflow(x0 * m + sx, num, &right) ||
        __builtin_sub_overflow(left, right, &left) || __builtin_mul_overflow(m, den, &right))
        *intercept = (double)(((long double)(y0 * m + sy) -
                               (long double)num / (long double)den * (long double)(x0 * m + sx)) /
                              (long double)m);
    else
        *intercept = quotient(left, right);
}

static void least_squares_real(const struct fit_point *p, size_t count, double *slope,
                               double *intercept)
{
    long double mean_x = 0;
    long double mean_y = 0;
    long double sxx = 0;
    long double sxy = 0;

    for (size_t i = 0; i < count; i++) {
        mean_x += p[i].n;
        mean_y += p[i].value;
    }
    mean_x /= (long double)count;
    mean_y /= (long double)count;
    for (size_t i = 0; i < count; i++) {
        sxx += (p[i].n - mean_x) * (p[i].n - mean_x);
        sxy += (p[i].n - mean_x) * (p[i].value - mean_y);
    }
    *slope = (double)(sxy / sxx);
    *intercept = (double)(mean_y - sxy / sxx * mean_x);
}

static void least_squares(const struct fit_point *p, size_t count, double *slope, double *intercept)
{
    if (all_whole(p, count))
        least_squares_whole(p, count, slope, intercept);
    else
        least_squares_real(p, count, slope, intercept);
}

/* Siegel's repeated median: the median over i of the median over j of the slopes i-j. */
static double repeated_median(const struct fit_point *p, size_t count, double *outer, double *inner)
{
    for (size_t i = 0; i < count; i++) {
        size_t slopes = 0;

        for (size_t j = 0; j < count; j++) {
            if (p[j].n != p[i].n)
                inner[slopes++] = (p[j].value - p[i].value) / (p[j].n - p[i].n);
        }
        outer[i] = order_median(inner, slopes); /* two levels: at least one slope */
    }
    return order_median(outer, count);
}

/* Keep what is not flagged, in order. */
static size_t unflagged(const struct fit_point *p, size_t count, struct fit_point *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (!p[i].outlier)
            ret[kept++] = p[i];
    }
    return kept;
}

/*
 * Flag against the robust line. When a third or more would be flagged, they are not outliers but
 * a second mode, and when they take a whole level along there is no line left: flag none then.
 */
static size_t flag_outliers(struct fit_point *p, size_t count, struct arena *scratch,
                            struct fit_point *kept)
{
    double *a = arena_alloc(scratch, count * sizeof(*a));
    double *b = arena_alloc(scratch, count * sizeof(*b));
    const double slope = repeated_median(p, count, a, b);
    const double floor_counts = all_whole(p, count) ? FLOOR_COUNTS : 0;
    double intercept;
    double sigma;
    size_t left;

    for (size_t i = 0; i < count; i++)
        a[i] = p[i].value - slope * p[i].n;
    for (size_t i = 0; i < count; i++)
        b[i] = a[i];
    intercept = order_median(b, count);
    sigma = ORDER_MAD_TO_SIGMA * (1 + 5 / (double)(count - 2)) * order_mad(a, count, intercept, b);
    for (size_t i = 0; i < count; i++) {
        const double least = fmax(floor_counts, FLOOR_RELATIVE * fabs(p[i].value));

        p[i].outlier = fabs(a[i] - intercept) > OUTLIER_Z * fmax(sigma, least);
    }
    left = unflagged(p, count, kept);
    if ((count - left) * 3 < count && !one_level(kept, left))
        return left;
    for (size_t i = 0; i < count; i++)
        p[i].outlier = false;
    return unflagged(p, count, kept);
}

static int by_level(const void *a, const void *b)
{
    const struct fit_point *p = a;
    const struct fit_point *q = b;

    return (p->n > q->n) - (p->n < q->n);
}

/*
 * Bend of the level means against the line, and how much of it the scatter within the levels
 * explains (pure error, Draper and Smith, "Applied Regression Analysis", lack of fit). Points are
 * sorted by level.
 */
static void judge_levels(const struct fit_point *p, size_t count, struct fit_line *line)
{
    double within = 0;
    double worst_error = 0;

    line->levels = 0;
    line->curvature = 0;
    for (size_t i = 0, end; i < count; i = end) {
        const double fitted = fabs(line->intercept + line->slope * p[i].n);
        double mean = 0;

        for (end = i; end < count && p[end].n == p[i].n; end++)
            mean += p[end].value;
        mean /= (double)(end - i);
        for (size_t k = i; k < end; k++)
            within += (p[k].value - mean) * (p[k].value - mean);
        line->curvature =
            fmax(line->curvature, fabs(mean - line->intercept - line->slope * p[i].n) / fitted);
        worst_error = fmax(worst_error, 1 / (sqrt((double)(end - i)) * fitted));
        line->levels++;
    }
    line->curvature_noise = 0;
    if (count > line->levels)
        line->curvature_noise = 4 * sqrt(within / (double)(count - line->levels)) * worst_error;
}

static void judge_residuals(const struct fit_point *p, size_t count, struct fit_line *line)
{
    double squares = 0;
    double mean = 0;
    double sxx = 0;

    line->residual_max = 0;
    line->residual_share = 0;
    for (size_t i = 0; i < count; i++) {
        const double fitted = line->intercept + line->slope * p[i].n;
        const double r = line->exact ? 0 : p[i].value - fitted;

        line->residual_max = fmax(line->residual_max, fabs(r));
        line->residual_share = fmax(line->residual_share, fabs(r / fitted));
        squares += r * r;
        mean += p[i].n / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        sxx += (p[i].n - mean) * (p[i].n - mean);
    if (count > 2) {
        const double t = student_quantile(0.975, (double)(count - 2));

        line->slope_se = sqrt(squares / (double)(count - 2) / sxx);
        line->slope_low = line->slope - t * line->slope_se;
        line->slope_high = line->slope + t * line->slope_se;
    }
}

/* One N only: the quotient is all there is; the error of a median is that of the mean times
 * sqrt(pi / 2) for normal noise. */
static void fit_quotient(const struct fit_point *p, size_t count, struct arena *scratch,
                         struct fit_line *line)
{
    double *x = arena_alloc(scratch, count * sizeof(*x));
    double *y = arena_alloc(scratch, count * sizeof(*y));

    for (size_t i = 0; i < count; i++)
        x[i] = y[i] = p[i].value / p[i].n;
    line->slope = order_median(y, count);
    line->levels = 1;
    if (count > 2) {
        const double t = student_quantile(0.975, (double)(count - 1));

        line->slope_se = sqrt(M_PI / 2) * ORDER_MAD_TO_SIGMA * order_mad(x, count, line->slope, y) /
                         sqrt((double)count);
        line->slope_low = line->slope - t * line->slope_se;
        line->slope_high = line->slope + t * line->slope_se;
    }
}

/* Usable points, copied with the index they came from in mind: same order, flags by walking. */
static size_t usable(struct fit_point *p, size_t count, struct fit_point *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        p[i].outlier = false;
        if (p[i].n > 0 && isfinite(p[i].n) && isfinite(p[i].value))
            ret[kept++] = p[i];
    }
    return kept;
}

static void copy_flags(const struct fit_point *used, struct fit_point *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p[i].n > 0 && isfinite(p[i].n) && isfinite(p[i].value))
            p[i].outlier = (used++)->outlier;
    }
}

static const struct fit_line unknown_line = {
    .slope = NAN,
    .slope_se = NAN,
    .slope_low = NAN,
    .slope_high = NAN,
    .intercept = NAN,
    .intercept_share = NAN,
    .residual_max = NAN,
    .residual_share = NAN,
    .curvature = NAN,
    .curvature_noise = NAN,
};

enum fit_outcome fit_line(struct fit_point *points, size_t count, struct fit_line *ret_line)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct fit_point *used = arena_alloc(&scratch, (count + 1) * sizeof(*used));
    struct fit_point *kept = arena_alloc(&scratch, (count + 1) * sizeof(*kept));
    const size_t given = usable(points, count, used);
    struct fit_line line = unknown_line;
    size_t left;

    if (given == 0)
        return FIT_NO_POINTS;
    line.points = given;
    if (one_level(used, given)) {
        fit_quotient(used, given, &scratch, &line);
        *ret_line = line;
        return FIT_ONE_LEVEL;
    }
    left = given < FLAG_FROM ? unflagged(used, given, kept)
                             : flag_outliers(used, given, &scratch, kept);
    copy_flags(used, points, count);
    qsort(kept, left, sizeof(*kept), by_level);
    least_squares(kept, left, &line.slope, &line.intercept);
    line.outliers = given - left;
    line.exact = left > 2 && left == given && all_whole(kept, left) && collinear(kept, left);
    line.intercept_share = fabs(line.intercept) / fabs(line.intercept + line.slope * kept[0].n);
    judge_residuals(kept, left, &line);
    judge_levels(kept, left, &line);
    *ret_line = line;
    return FIT_DONE;
}

bool fit_is_straight(const struct fit_line *line, double tolerance)
{
    return line->levels < 3 || line->exact ||
           line->curvature <= fmax(tolerance, line->curvature_noise);
}

enum fit_outcome fit_windows(const struct event_window *windows, size_t count,
                             struct fit_windows *ret_fit)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct fit_point *points = arena_alloc(&scratch, (count + 1) * sizeof(*points));
    double *cold = arena_alloc(&scratch, (count + 1) * sizeof(*cold));
    size_t used = 0;

    *ret_fit = (struct fit_windows){.line = unknown_line};
    for (size_t i = 0; i < count; i++) {
        const struct event_window *w = &windows[i];

        if (w->invalid != 0 || w->inferences == 0 || !isfinite(w->value)) {
            ret_fit->invalid_windows++;
            ret_fit->invalid |= w->invalid;
        } else if (w->cold) {
            cold[ret_fit->cold_windows++] = w->value / w->inferences;
        } else {
            points[used++] = (struct fit_point){.n = w->inferences, .value = w->value};
        }
    }
    ret_fit->cold = order_median(cold, ret_fit->cold_windows);
    return fit_line(points, used, &ret_fit->line);
}
