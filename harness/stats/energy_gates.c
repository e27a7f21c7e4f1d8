/* Where the marked window of a trace is: by its marker line, or by the current itself. */
#include <math.h>
#include <stdlib.h>

#include "harness/stats/energy.h"
#include "harness/stats/order.h"

size_t energy_gates(const uint8_t *logic, size_t count, uint8_t mask, double period_s,
                    struct energy_gate *ret, size_t room)
{
    size_t found = 0;
    size_t on = 0; /* 0: not in a window that began inside the trace */

    for (size_t k = 1; k < count; k++) {
        const bool was = (logic[k - 1] & mask) != 0;
        const bool is = (logic[k] & mask) != 0;

        if (is && !was) {
            on = k;
        } else if (was && !is && on > 0) {
            if (found < room)
                ret[found] = (struct energy_gate){.on_s = ((double)on - 0.5) * period_s,
                                                  .off_s = ((double)k - 0.5) * period_s};
            found++;
            on = 0;
        }
    }
    return found;
}

size_t energy_edges(const uint8_t *logic, size_t count, uint8_t mask, size_t *ret, size_t room)
{
    size_t found = 0;

    for (size_t k = 0; k < count; k++) {
        if ((logic[k] & mask) == 0)
            continue;
        if (found < room)
            ret[found] = k;
        found++;
    }
    return found;
}

/* ---- without a marker line ---- */

#define SIGMAS      8    /* of the idle noise: no sample of it is so far off */
#define LEAST_SHARE 0.05 /* of the highest sample above idle */
#define BRIDGE      0.05 /* of the window: pauses within it may be so long */

/* Of the finite samples. */
static double median_of(const float *current_a, size_t count, double *scratch, size_t *ret_n)
{
    size_t n = 0;

    for (size_t k = 0; k < count; k++) {
        if (isfinite(current_a[k]))
            scratch[n++] = (double)current_a[k];
    }
    *ret_n = n;
    return n > 0 ? order_median(scratch, n) : NAN;
}

static double spread_of(const float *current_a, size_t count, double centre, double *scratch)
{
    size_t n = 0;

    for (size_t k = 0; k < count; k++) {
        if (isfinite(current_a[k]))
            scratch[n++] = fabs((double)current_a[k] - centre);
    }
    return n > 0 ? ORDER_MAD_TO_SIGMA * order_median(scratch, n) : NAN;
}

/* Half way between idle and what lies clearly above it; NAN when nothing does. */
static double threshold_of(const float *current_a, size_t count, size_t idle, double *scratch)
{
    size_t n = 0;
    const double level = median_of(current_a, idle, scratch, &n);
    const double sigma = spread_of(current_a, idle, level, scratch);
    double most = level;
    double above;

    for (size_t k = idle; k < count; k++)
        most = fmax(most, (double)current_a[k]);
    above = level + fmax(SIGMAS * sigma, LEAST_SHARE * (most - level));
    n = 0;
    for (size_t k = idle; k < count; k++) {
        if ((double)current_a[k] > above)
            scratch[n++] = (double)current_a[k];
    }
    return n > 0 ? (level + order_median(scratch, n)) / 2 : NAN;
}

/* Runs above the threshold, those with short pauses between them taken together; the one whose
 * length is nearest to what is expected. */
static bool best_run(const float *current_a, size_t count, double threshold, double expected,
                     size_t *ret_on, size_t *ret_off)
{
    const size_t bridge = (size_t)(expected * BRIDGE) + 1;
    double best = INFINITY;
    size_t on = 0;
    size_t off = 0; /* behind the last sample above; 0: no run yet */

    for (size_t k = 1; k <= count; k++) {
        const bool above = k < count && (double)current_a[k] > threshold;

        if (off != 0 && (k == count || (above && k - off > bridge))) {
            const double error = fabs((double)(off - on) - expected);

            if (error < best) {
                best = error;
                *ret_on = on;
                *ret_off = off;
            }
            off = 0;
        }
        if (above && off == 0)
            on = k;
        if (above)
            off = k + 1;
    }
    return isfinite(best) && *ret_off < count;
}

bool energy_gate_by_level(const float *current_a, size_t count, size_t idle, double expected_s,
                          double period_s, struct energy_gate *ret)
{
    double *scratch = malloc((count + 1) * sizeof(*scratch));
    double threshold;
    size_t on = 0;
    size_t off = 0;
    bool found;

    if (scratch == NULL)
        abort();
    threshold = idle > 0 && idle < count ? threshold_of(current_a, count, idle, scratch) : NAN;
    free(scratch);
    found = isfinite(threshold) &&
            best_run(current_a, count, threshold, expected_s / period_s, &on, &off);
    if (found) /* an edge lies between two samples */
        *ret = (struct energy_gate){.on_s = (double)on * period_s, .off_s = (double)off * period_s};
    return found;
}
