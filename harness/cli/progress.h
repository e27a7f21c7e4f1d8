/*
 * Shows a run while it happens, on stderr: a live view of all boards with the time left on a
 * terminal, one plain line per finished case otherwise. An event sink like any other.
 */
#ifndef HARNESS_CLI_PROGRESS_H
#define HARNESS_CLI_PROGRESS_H

#include <stdio.h>

#include "harness/spec/event.h"

struct progress;

/*
 * `out` is stderr in the program. `live` asks for the redrawn view; false gives plain lines. `done` says
 * of each case whether an earlier process finished it; NULL: none.
 */
struct progress *progress_new(const struct plan *plan, const bool *done, FILE *out, bool live,
                              bool quiet);
void progress_free(struct progress *p); /* leaves the cursor below the view; NULL is fine */
DEFINE_AUTO(struct progress, progress_free)

struct event_sink *progress_sink(struct progress *p);
void progress_tick(struct progress *p); /* redraws at most ten times a second */

/* How many cases ended in each status, for the exit status and the closing line. */
struct progress_counts {
    unsigned of[CASE_CANCELLED + 1];
};
struct progress_counts progress_counts(const struct progress *p);

#endif
