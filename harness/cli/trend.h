/* Histories with what harness/judge says about them, read for `history` and for reports. */
#ifndef HARNESS_CLI_TREND_H
#define HARNESS_CLI_TREND_H

#include "harness/judge/comparable.h"
#include "harness/judge/history.h"
#include "harness/report/report.h"
#include "harness/store/store.h"

struct trends {
    struct report_trend *list;
    size_t count;
};

/*
 * The series that match, each with its levels, changes, mutes in force, and flags where compiler,
 * board, meter or their settings changed: in the arena, series of fewer than two points left out
 * unless `all`. A series has one point per run.
 */
int trend_read(struct store *s, const struct store_selection *selection, const char *metric,
               bool all, struct arena *arena, struct trends *ret, struct err *err) MUST_CHECK;

/* What changed with the point at this index: the difference that matters most, or NULL. */
int trend_cause(struct store *s, const struct data_series *series, size_t at, struct arena *arena,
                const struct difference **ret, struct err *err) MUST_CHECK;

#endif
