/* The current traces that were kept of a report's cases, thinned out for its page. */
#ifndef HARNESS_CLI_REPORT_TRACES_H
#define HARNESS_CLI_REPORT_TRACES_H

#include "harness/base/arena.h"
#include "harness/report/report.h"

/*
 * Fill traces of `o` from the file of traces at `path`: for each case of its data the trace of one
 * window (the first invalid one, else the first). Nothing is added when there is no such file; a
 * damaged one is an error.
 */
int report_traces(const char *path, struct arena *arena, struct report_options *o,
                  struct err *err) MUST_CHECK;

#endif
