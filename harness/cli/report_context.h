/* What a report shows beside its run: the run before it, the past of its series, mutes. */
#ifndef HARNESS_CLI_REPORT_CONTEXT_H
#define HARNESS_CLI_REPORT_CONTEXT_H

#include "harness/report/report.h"
#include "harness/store/store.h"

/*
 * Fill comparison, base and trends of `o`, whose data is one run (else nothing is added). against: a
 * selection as of 'compare'; NULL: the newest earlier run of the suite, when there is one.
 */
int report_context(struct store *s, const char *against, struct arena *arena,
                   struct report_options *o, struct err *err) MUST_CHECK;

#endif
