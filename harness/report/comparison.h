/*
 * Two selections and the verdicts on them, for people and programs. Called by `tinyrig compare` and
 * `gate`. Verdicts first, then each case with what decided; text from files and boards is made inert.
 */
#ifndef HARNESS_REPORT_COMPARISON_H
#define HARNESS_REPORT_COMPARISON_H

#include "harness/judge/compare.h"
#include "harness/judge/gate.h"
#include "harness/report/report.h"

struct comparison_report {
    const struct comparison *comparison;
    const struct gate *gate; /* NULL: nothing is decided */
    const char *a;           /* how the user named the two sides */
    const char *b;
    bool all; /* metrics that did not change, too */
};

enum comparison_format {
    COMPARISON_TEXT,
    COMPARISON_MARKDOWN,
    COMPARISON_JSON,
};

/* look: colour and width for COMPARISON_TEXT; of it nothing else is used. */
void comparison_render(const struct comparison_report *r, enum comparison_format format,
                       const struct report_options *look, struct buf *out);

/* Numbers as stored and unscaled; those that are not finite become null. */
void comparison_json(const struct comparison_report *r, struct buf *out);

#endif
