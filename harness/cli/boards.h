/* Health checks for the commands that need one: `boards check`, `nightly`. */
#ifndef HARNESS_CLI_BOARDS_H
#define HARNESS_CLI_BOARDS_H

#include "harness/cli/context.h"

/* Check one board and keep what came of it. A line is printed; 0 passed, 1 failed, 2 others use it,
 * 3 in maintenance. */
int boards_check(const struct context *c, const struct board *b, uint64_t wait_ns, struct err *err);

/* Print its health in a line; 0, or 3 when it is not to be used. */
int boards_say_state(const struct board *b, struct err *err);

/* Its state by a person's word. */
int boards_set(const struct board *b, bool maintenance, const char *reason,
               struct err *err) MUST_CHECK;

/* Says what a release of a board would break; with force, does it. Returns the exit status. */
int boards_release(const struct board *b, bool force, struct err *err);

/* By name; ERR_USAGE with a suggestion when the lab has none of it. */
int boards_find(const struct context *c, const char *name, const struct board **ret,
                struct err *err) MUST_CHECK;

#endif
