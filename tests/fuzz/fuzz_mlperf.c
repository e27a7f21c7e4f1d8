/* results.txt of strangers: no figure is negative or infinite, no window is made up. */
#include <math.h>
#include <stdlib.h>

#include "harness/mlperf/results.h"
#include "tests/fuzz/fuzz.h"

static void check(double value)
{
    if (!isnan(value) && (!isfinite(value) || value < 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mlperf_results r;

    mlperf_parse((const char *)data, size, &r);
    check(r.throughput);
    check(r.energy_uj);
    check(r.accuracy);
    check(r.auc);
    if (r.window_count > MLPERF_WINDOWS)
        abort();
    for (size_t i = 0; i < r.window_count; i++)
        check(r.windows[i].seconds);
    return 0;
}
