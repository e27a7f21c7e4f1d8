/*
 * The recovery ladder: how a board that failed is brought back, the gentlest way first.
 *
 * Each rung has a budget per board and run, does one thing, and has worked when the agent greets and
 * is who it should be. Which rungs a board has depends on what it hangs on: a reset line and a flash
 * method (struct board_means, given by the virtual lab or by a debug probe), a power switch of the
 * lab. Each use is noted, so that the database has a row for it. Behind the last rung is quarantine.
 *
 * A rung that worked is not tried again before the board passed a case: what it mends comes back.
 */
#ifndef HARNESS_LAB_RECOVER_H
#define HARNESS_LAB_RECOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/err.h"
#include "harness/spec/board.h"

enum {
    RECOVERY_RUNGS_MAX = 12
};

/*
 * What can be done to a board from outside its agent. Filled by whoever holds the means; a member
 * that is NULL is a rung the board has not. After each the agent starts anew.
 */
struct board_means {
    int (*reset)(void *context, struct err *err);               /* pulse the reset line */
    int (*connect_under_reset)(void *context, struct err *err); /* halt in reset, then let run */
    int (*reflash)(void *context, const char *firmware, struct err *err); /* and verify */
    int (*power_cycle)(void *context, struct err *err);
    void *context;
};

typedef void recovery_note_fn(void *context, const char *rung, const char *reason, bool worked);

/* One board's ladder during one run. Zero it to begin. */
struct recovery {
    unsigned used[RECOVERY_RUNGS_MAX];
    size_t floor;           /* rungs below this one are not tried now */
    recovery_note_fn *note; /* told of each rung used; may be NULL */
    void *context;
};

/* A worker that is no more used this rung: whoever goes on in its place has so much less. */
void recovery_used(struct recovery *r, const char *rung, bool worked);

/* The board passed a case: the next trouble begins at the bottom again; budgets stay spent. */
void recovery_passed(struct recovery *r);

struct session;
/*
 * Climb until the agent of s answers and is the right one. `why` is the failure that asked for it.
 * ERR_LAB, with what was tried, when no rung helped; "quarantine" has been noted then.
 */
int recover(struct session *s, struct recovery *r, const struct err *why,
            struct err *err) MUST_CHECK;

/* Name, what it does, uses per board and run: for `tinyrig help` texts, bundles and tests. */
struct recovery_rung_info {
    const char *name;
    const char *help;
    unsigned budget;
};
size_t recovery_rung_list(struct recovery_rung_info ret[static RECOVERY_RUNGS_MAX]);

#endif
