/* Private to harness/plan: which cases are meant, and what fits where. */
#ifndef HARNESS_PLAN_CHOOSE_H
#define HARNESS_PLAN_CHOOSE_H

#include "harness/plan/plan.h"

/* Every field that the filter gives matches the case. */
bool choose_matches(const struct suite_filter *f, const struct plan_case *c);

/* The case passes any of the --filter texts, or there are none. */
bool choose_filtered(const char *const *filters, const struct plan_case *c);

/* --board and --filter name boards and fields that exist. ERR_USAGE otherwise. */
int choose_check(const struct suite *suite, const struct lab *lab,
                 const struct plan_options *options, struct arena *arena, struct err *err);

/* NULL when it fits the board, else the reason with its numbers. */
const char *choose_fit(const struct board *b, const struct plan_need *need, struct arena *arena);

/*
 * The budget as the case's board can judge it. A part's cycles and nanoseconds are the same thing
 * by its clock; emulated boards have no time. NULL when it cannot: wrong unit, or no instrument.
 */
const struct suite_budget *choose_budget(const struct suite_budget *budget,
                                         const struct plan_case *c, struct arena *arena);

/* " (did you mean 'x'?)" or "": the nearest of NULL-terminated candidates. */
const char *choose_suggest(const char *word, const char *const *candidates, struct arena *arena);

/* The same among the lab's board names, or its tags when pattern is tag:x. */
const char *choose_suggest_board(const struct lab *lab, const char *pattern, struct arena *arena);

#endif
