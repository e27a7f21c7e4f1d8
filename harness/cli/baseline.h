/* What a run is compared with: a name, a selection, the last good runs, or a file. */
#ifndef HARNESS_CLI_BASELINE_H
#define HARNESS_CLI_BASELINE_H

#include "harness/store/store.h"

#define BASELINE_LAST_GOOD "last-good"

/*
 * 0, or 1 when there is no baseline: neither a tag nor a run of that name, no such file, or nothing
 * older than the candidate. A selection with '=' in it that finds nothing is a slip of the user's
 * and an error. "FILE.db" is another database; "FILE.csv" what `export --format csv` wrote.
 */
int baseline_read(struct store *s, const char *name, const struct dataset *candidate,
                  struct arena *arena, struct dataset *ret, struct err *err) MUST_CHECK;

/* "1%", "0.5 %" or a share such as 0.01; NULL leaves *ret as it is. */
int baseline_tolerance(const char *text, double *ret, struct err *err) MUST_CHECK;

#endif
