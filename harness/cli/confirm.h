/* The second look before a gate fails: the suspicious cases of a run measured again. */
#ifndef HARNESS_CLI_CONFIRM_H
#define HARNESS_CLI_CONFIRM_H

#include "harness/cli/options.h"
#include "harness/judge/gate.h"
#include "harness/store/store.h"

struct confirm_options {
    const char *base_data; /* a folder as TINYRIG_DATA names it (firmware/, boards/), or NULL */
    const char *lab;       /* NULL: as found */
    const struct option_strings *board_dirs;
};

struct confirm_sides {
    struct dataset a; /* the baseline's part; empty without its agents */
    struct dataset b;
};

/*
 * Measure gate->confirm of the candidate's suite again, each try a run of its own in the same
 * database, tagged "confirm-<id>-..."; with the baseline's agents in the order A B B A, else B B.
 */
int confirm_rerun(struct store *s, const struct dataset *candidate, const struct gate *gate,
                  const struct confirm_options *options, struct arena *arena,
                  struct confirm_sides *ret, struct err *err) MUST_CHECK;

#endif
