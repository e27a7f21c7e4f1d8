/* Where a window is in the samples of an instrument: marker lines, falling edges, or the current. */
#include <math.h>

#include "harness/measure/energy.h"

enum {
    FALL_PERIODS = 4 /* a fall may be so far from that of the current */
};

static int gate_by_current(const struct energy_run *r, const struct capture_samples *s,
                           double expected_s, struct energy_gate *ret, struct err *err)
{
    if (energy_gate_by_level(s->current_a, s->count, energy_samples(r, r->method.idle_s),
                             expected_s, 1 / r->info->rate_hz, ret))
        return 0;
    return err_set(err, ERR_METER,
                   "a %s does not show where a window begins, and its current does not either",
                   r->info->model);
}

/* Two falls bracket a window, as EEMBC has it; of our own marker only the end is a fall: it has to
 * be where the current falls too. */
static int gate_by_falls(const struct energy_run *r, const struct capture_samples *s,
                         double expected_s, struct energy_gate *ret, struct err *err)
{
    const double period_s = 1 / r->info->rate_hz;
    size_t at[2];
    const size_t n = energy_edges(s->logic, s->count, r->info->markers, at, 2);

    if (n == 2) {
        *ret = (struct energy_gate){.on_s = (double)at[0] * period_s,
                                    .off_s = (double)at[1] * period_s};
        return 0;
    }
    if (n != 1)
        return err_set(err, ERR_METER, "%zu falling edges around a window: the line bounces", n);
    if (gate_by_current(r, s, expected_s, ret, err) < 0)
        return (int)err->code;
    if (fabs(ret->off_s - (double)at[0] * period_s) > FALL_PERIODS * period_s)
        return err_set(err, ERR_METER, "the marker falls at %.4f s, the current at %.4f s",
                       (double)at[0] * period_s, ret->off_s);
    return 0;
}

static int gate_by_marker(const struct energy_run *r, const struct capture_samples *s,
                          struct energy_gate *ret, struct err *err)
{
    const size_t found =
        energy_gates(s->logic, s->count, r->info->markers, 1 / r->info->rate_hz, ret, 1);

    return found == 1 ? 0
                      : err_set(err, ERR_METER,
                                "%zu marked windows instead of one: the line bounces", found);
}

int energy_find_gate(const struct energy_run *r, const struct capture_samples *s, uint32_t n,
                     struct energy_gate *ret, struct err *err)
{
    const double expected_s = n * r->latency_s + r->overhead_s;
    int found;

    if (r->info->markers == 0)
        found = gate_by_current(r, s, expected_s, ret, err);
    else if (r->info->falls_only)
        found = gate_by_falls(r, s, expected_s, ret, err);
    else
        found = gate_by_marker(r, s, ret, err);
    ret->inferences = n;
    ret->expected_s = expected_s;
    return found;
}
