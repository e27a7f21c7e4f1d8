/*
 * The line through measured windows: value = intercept + slope * inferences.
 *
 * The slope is the cost of one inference; the intercept is what a window costs once (time stamps,
 * call overhead), which a plain quotient would spread over the inferences. harness/measure calls
 * fit_windows() on what it emitted; reports call it again on stored windows.
 *
 * Estimator: repeated median (Siegel, "Robust regression using repeated medians", Biometrika 69,
 * 1982; half of the windows may be wrong), then one least-squares step over the windows whose
 * residual is not an outlier (reweighted least squares, Rousseeuw and Leroy 1987, ch. 1). Outlier:
 * |r| > 3.5 sigma (Iglewicz and Hoaglin 1993), sigma = 1.4826 (1 + 5 / (n - 2)) MAD (the correction
 * for small n is Rousseeuw and Leroy's). Flagged windows are counted and marked, never removed from
 * the record.
 *
 * Whole-number values (counters) are summed in 128-bit integers, so that windows which lie exactly
 * on a line give exactly that line: 2016.000, not 2015.9999999998.
 */
#ifndef HARNESS_STATS_FIT_H
#define HARNESS_STATS_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/event.h"

struct fit_point {
    double n;     /* inferences in the window, > 0 */
    double value; /* the window's total, in the unit of the series */
    bool outlier; /* written by fit_line() */
};

/* All in the unit of the values; what cannot be known from the points given is NAN. */
struct fit_line {
    double slope;           /* per inference */
    double slope_se;        /* standard error; 0 when exact, NAN with fewer than 3 points */
    double slope_low;       /* 95 % interval by Student's t; equal to slope when exact */
    double slope_high;      /* ... both NAN when slope_se is */
    double intercept;       /* per window */
    double intercept_share; /* |intercept| / fitted total of the smallest window */
    double residual_max;    /* largest |value - line| over unflagged windows */
    double residual_share;  /* largest |value - line| / fitted total, same windows */
    double curvature;       /* largest |mean of a level - line| / fitted total: bend, not noise */
    double curvature_noise; /* what noise alone explains of it: 4 standard errors (see fit.c) */
    size_t points;          /* given */
    size_t outliers;        /* flagged */
    size_t levels;          /* different n among the points used */
    bool exact;             /* whole numbers, all on the line, none flagged */
};

enum fit_outcome {
    FIT_DONE = 0,
    FIT_ONE_LEVEL = 1, /* all windows have the same n: slope is the median quotient, no intercept */
    FIT_NO_POINTS = 2, /* nothing usable: *ret_line not written */
};

/*
 * Fit a line; marks outliers in `points`. O(count^2): meant for windows, not for samples.
 * Points with n <= 0 or a value that is not finite are not looked at.
 */
enum fit_outcome fit_line(struct fit_point *points, size_t count, struct fit_line *ret_line);

/*
 * Do the levels lie on a line, within `tolerance` (relative; 0.01 = 1 %)? A bend (a part that
 * throttles, a counter that stops) is a reason not to believe a slope; noise is not. The answer is
 * true when there are too few levels to tell.
 */
bool fit_is_straight(const struct fit_line *line, double tolerance);

/* A relative intercept above this deserves a remark: the windows are too short. */
#define FIT_INTERCEPT_SHARE_NOTICE 0.001

/* What a case's windows say. Cold windows are apart; invalid ones are counted and left out. */
struct fit_windows {
    struct fit_line line;
    double cold;            /* per inference, median over the cold windows; NAN without one */
    size_t cold_windows;    /* valid cold windows */
    size_t invalid_windows; /* cold or not */
    uint32_t invalid;       /* their INVALID_* bits, or-ed */
};

/*
 * Fit the windows of one series (one unit, one metric). Outcomes as fit_line(); with FIT_NO_POINTS
 * the cold and invalid fields are filled all the same and the line's figures are NAN.
 */
enum fit_outcome fit_windows(const struct event_window *windows, size_t count,
                             struct fit_windows *ret_fit);

#endif
