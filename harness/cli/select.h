/*
 * Which stored results does the user mean? Terms with commas between: "last", "last~2", "all", the
 * beginning of a run's id, a tag, or KEY=VALUE with run, tag, suite, model, board, engine or key.
 * Without a run or a tag the newest run that matches is meant.
 */
#ifndef HARNESS_CLI_SELECT_H
#define HARNESS_CLI_SELECT_H

#include "harness/report/comparison.h"
#include "harness/store/store.h"

/* ERR_USAGE: bad term, or no such run. An empty result is ERR_USAGE too. Read with windows, facts. */
int select_cases(struct store *s, const char *text, struct arena *arena, struct dataset *ret,
                 struct err *err) MUST_CHECK;

/* 0 and *ret says whether a run has this tag. */
int select_has_tag(struct store *s, const char *name, struct arena *arena, bool *ret,
                   struct err *err) MUST_CHECK;

/* "text" (NULL too), "markdown" or "json"; else ERR_USAGE. */
int select_format(const char *name, enum comparison_format *ret, struct err *err) MUST_CHECK;

/* Render it and print, or write the file when output is not NULL. */
int select_print(const struct comparison_report *r, enum comparison_format format,
                 const char *output, struct err *err) MUST_CHECK;

#endif
