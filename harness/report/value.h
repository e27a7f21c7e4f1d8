/* Numbers with their units as people read them. All results live in the arena. */
#ifndef HARNESS_REPORT_VALUE_H
#define HARNESS_REPORT_VALUE_H

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

/* "5,054,000", "12.5" */
const char *value_grouped(struct arena *arena, double value);

/* With its unit, scaled: "7.340 ms", "5,054,000 instructions", "70.4 KiB", "403.2 uJ". NaN: "-". */
const char *value_text(struct arena *arena, double value, enum unit unit);

/* For the ticks of an axis: "5 ms", "20 k", "64 KiB". */
const char *value_short(struct arena *arena, double value, enum unit unit);

/* Without the words that a column's heading already says: counts and exact bytes are bare. */
const char *value_bare(struct arena *arena, double value, enum unit unit);

/* value_text of a metric; scores that are no percentage stay plain numbers. "" when m is NULL. */
const char *value_of_metric(struct arena *arena, const struct event_metric *m);

/* "exact", "0.12 %": how much the windows scatter; "" when unknown. */
const char *value_spread(struct arena *arena, const struct data_case *c);

/*
 * Wall time of a count of cycles on silicon at the clock the case ran with, in ns; NaN when it has
 * none: counts of the virtual realm are never turned into time.
 */
double value_time_ns(const struct data_case *c, const struct event_metric *m);

const char *value_stamp(struct arena *arena, uint64_t realtime_ns); /* "2025-11-23 18:49 UTC" */
const char *value_duration(struct arena *arena, uint64_t ns);

#endif
