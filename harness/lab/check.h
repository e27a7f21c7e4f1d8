/*
 * A board's health check: lease, power, port, greeting, identity, engines, a clock that runs, a
 * reset that works. Without a suite and without a result; seconds. Used by `tinyrig boards
 * check`, by `nightly` and by Slurm's prolog.
 */
#ifndef HARNESS_LAB_CHECK_H
#define HARNESS_LAB_CHECK_H

#include "harness/lab/session.h"

/*
 * 0 when the board can be measured on; else the lab fault, or ERR_BUSY when others have it. Rungs of
 * the ladder may be used to bring it up; `note` (may be NULL) hears of them.
 */
int board_check(const struct board *board, const struct session_options *options,
                recovery_note_fn *note, void *context, struct err *err) MUST_CHECK;

#endif
