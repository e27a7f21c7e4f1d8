/* What the files of energy.c share: one case's energy under way. */
#ifndef HARNESS_MEASURE_ENERGY_H
#define HARNESS_MEASURE_ENERGY_H

#include "harness/measure/capture.h"
#include "harness/measure/internal.h"
#include "harness/stats/energy.h"

#define ENERGY_WINDOWS_MAX 1002

struct energy_run {
    struct attempt *a;
    const struct suite_energy *e;
    struct instrument *instrument;
    struct meter *meter;
    const struct meter_info *info;
    struct energy_method method;
    double latency_s; /* of one inference, on the board's own clock */
    double overhead_s;
    bool eembc;
    uint32_t inferences; /* of a full window */
    struct energy_window windows[ENERGY_WINDOWS_MAX];
    double filtered_net_j[ENERGY_WINDOWS_MAX];
    size_t count;               /* all */
    size_t full;                /* the first so many have `inferences` */
    struct meter_counts counts; /* summed up */
};

/* Where the window of n inferences is in the samples, by what the instrument has for it. */
int energy_find_gate(const struct energy_run *r, const struct capture_samples *s, uint32_t n,
                     struct energy_gate *ret, struct err *err) MUST_CHECK;

/* Figures of all windows, as metrics. */
int energy_conclude(struct energy_run *r, struct err *err) MUST_CHECK;

/* Samples in a stretch of time. */
static inline size_t energy_samples(const struct energy_run *r, double seconds)
{
    return (size_t)(seconds * r->info->rate_hz);
}

#endif
