/*
 * Which stored results does the user mean? Terms with commas between: "last", "last~2", "all", the
 * beginning of a run's id, a tag, or KEY=VALUE with run, tag, git, suite, model, board, engine or
 * key. Without a run, a tag or a revision the newest run that matches is meant.
 */
#ifndef HARNESS_CLI_SELECT_H
#define HARNESS_CLI_SELECT_H

#include "harness/report/comparison.h"
#include "harness/store/store.h"

/* The terms as a selection, its texts in the arena. git=HEAD~1 and the like become commit ids. */
int select_parse(struct store *s, const char *text, struct arena *arena,
                 struct store_selection *ret, struct err *err) MUST_CHECK;

/*
 * What a comparison should know beside its two sides: mutes in force, and how much runs of the
 * candidate's series scattered before it. In the arena.
 */
int select_judging(struct store *s, const struct dataset *candidate, struct arena *arena,
                   struct compare_options *ret, struct err *err) MUST_CHECK;

/* ERR_USAGE: bad term, or no such run. An empty result is ERR_USAGE too. Read with windows, facts. */
int select_cases(struct store *s, const char *text, struct arena *arena, struct dataset *ret,
                 struct err *err) MUST_CHECK;

/* The same with these DATA_* parts. */
int select_cases_with(struct store *s, const char *text, unsigned parts, struct arena *arena,
                      struct dataset *ret, struct err *err) MUST_CHECK;

/* 0 and *ret says whether a run has this tag. */
int select_has_tag(struct store *s, const char *name, struct arena *arena, bool *ret,
                   struct err *err) MUST_CHECK;

/* "text" (NULL too), "markdown" or "json"; else ERR_USAGE. */
int select_format(const char *name, enum comparison_format *ret, struct err *err) MUST_CHECK;

/* Render it and print, or write the file when output is not NULL. */
int select_print(const struct comparison_report *r, enum comparison_format format,
                 const char *output, struct err *err) MUST_CHECK;

#endif
