/*
 * The values behind one metric: windows and runs of one case, or of several runs of it together.
 *
 * A window's value is (total - intercept) / inferences with the intercept of its own case's slope
 * fit, so that windows of N, 2N and 3N are values of one kind. Metrics without windows (footprint,
 * scores, or a dataset read without DATA_WINDOWS) have the stored figure, one a run.
 */
#ifndef HARNESS_JUDGE_SAMPLE_H
#define HARNESS_JUDGE_SAMPLE_H

#include "harness/base/arena.h"
#include "harness/judge/decide.h"
#include "harness/spec/dataset.h"

/*
 * All values of a metric over cases that the caller found fit to be pooled, oldest first. Cases
 * without the metric or with other units than the first are skipped. The arrays live in the arena.
 */
struct decide_sample sample_of(const struct data_case *const *cases, size_t count,
                               const char *metric, struct arena *arena);

/*
 * The same over the newest cases at the current level of the metric only (history_current() with
 * that floor), at most HISTORY_BASELINE_RUNS of them; ret_noise as there.
 */
struct decide_sample sample_current(const struct data_case *const *cases, size_t count,
                                    const char *metric, double floor, struct arena *arena,
                                    struct decide_noise *ret_noise);

/* Reasons (INVALID_* bits) why a metric that has windows has no valid one; 0 when it has. */
uint32_t sample_invalid(const struct data_case *c, const struct event_metric *metric);

#endif
