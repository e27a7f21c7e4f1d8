/* A trace of current as an SVG picture: the range between minimum and maximum, the mean, and the
 * marked window shaded. */
#ifndef HARNESS_CLI_TRACE_PLOT_H
#define HARNESS_CLI_TRACE_PLOT_H

#include "harness/base/buf.h"
#include "harness/trace/trace.h"

#define TRACE_PLOT_COLUMNS 1000

/* points[TRACE_PLOT_COLUMNS] cover `samples` samples from `first` on. */
void trace_plot(const struct trace_info *t, uint64_t first, uint64_t samples,
                const struct trace_point *points, struct buf *out);

#endif
