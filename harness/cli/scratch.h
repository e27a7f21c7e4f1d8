/* A private folder for the links and images of sessions, gone when the command ends. */
#ifndef HARNESS_CLI_SCRATCH_H
#define HARNESS_CLI_SCRATCH_H

#include "harness/base/err.h"

struct scratch {
    char path[256];
};

/* In $TMPDIR, else /tmp. */
int scratch_make(struct scratch *s, struct err *err) MUST_CHECK;
/* Removes the folder and the files in it; nothing when it was never made. */
void scratch_remove(struct scratch *s);

#endif
