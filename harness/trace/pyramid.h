/* Minimum, maximum and mean over stretches of a trace, coarser and coarser. */
#ifndef HARNESS_TRACE_PYRAMID_H
#define HARNESS_TRACE_PYRAMID_H

#include "harness/trace/trace.h"

/* Lost samples (NAN) count for nothing. */
struct trace_point pyramid_point(const float *current_a, size_t count);
struct trace_point pyramid_join(const struct trace_point *points, size_t count);

/* Samples in an entry of a level. */
uint64_t pyramid_span(int level);

/* Entries of level 0 from samples; of level n + 1 from level n. ret has room for them. */
size_t pyramid_base(const float *current_a, size_t count, struct trace_point *ret);
size_t pyramid_up(const struct trace_point *points, size_t count, struct trace_point *ret);

#endif
