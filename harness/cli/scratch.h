/*
 * A private folder for the links and images of sessions, gone when the command ends. After kill -9
 * the next command that makes one, or has nothing to resume, removes it.
 */
#ifndef HARNESS_CLI_SCRATCH_H
#define HARNESS_CLI_SCRATCH_H

#include "harness/base/err.h"

struct scratch {
    char path[256]; /* "": none */
    int lock;       /* held by this process and its forks */
};

/* Remove what processes that were killed have left behind. */
void scratch_sweep(void);

/* In $TMPDIR, else /tmp; sweeps. */
int scratch_make(struct scratch *s, struct err *err) MUST_CHECK;
/* Removes the folder and the files in it; nothing when it was never made. */
void scratch_remove(struct scratch *s);

#endif
