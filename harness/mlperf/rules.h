/*
 * MLPerf Tiny: its benchmarks and run rules, checked on stored cases. Pure.
 *
 * The rules are those of MLPerfTiny_Rules.adoc for single-stream runs: five windows of at least ten
 * seconds and ten inferences, the closed division's accuracy targets, and a real device.
 */
#ifndef HARNESS_MLPERF_RULES_H
#define HARNESS_MLPERF_RULES_H

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

enum {
    MLPERF_WINDOWS = 5,
    MLPERF_SECONDS = 10,
    MLPERF_INFERENCES = 10
};

struct mlperf_benchmark {
    const char *name;   /* of its folder: "kws" */
    const char *metric; /* "accuracy" or "auc" */
    double target;      /* of the closed division */
};
extern const struct mlperf_benchmark mlperf_benchmarks[]; /* ends with a NULL name */

/* By the model's name: "kws", or "kws-" and more. NULL: none. */
const struct mlperf_benchmark *mlperf_benchmark_of(const char *model);

struct mlperf_window {
    double seconds;
    uint32_t inferences;
};

/*
 * Valid windows of silicon, first those as long as the rules ask for, at most five. Returns how many
 * of them are long enough; 0 windows on a virtual board: it has no time.
 */
size_t mlperf_windows(const struct data_case *c, struct mlperf_window ret[static MLPERF_WINDOWS],
                      size_t *ret_count);

/* Every rule that the case breaks, a sentence each. */
size_t mlperf_check(const struct data_case *c, bool closed, struct arena *arena,
                    const char *const **ret);

#endif
