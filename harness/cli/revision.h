/* The git revision that a suite is measured at, and revisions that users name. Git may be absent. */
#ifndef HARNESS_CLI_REVISION_H
#define HARNESS_CLI_REVISION_H

#include <stdbool.h>

#include "harness/base/arena.h"

struct revision {
    const char *commit; /* 40 hex digits (64 with SHA-256), or NULL: not a repository, or no git */
    bool dirty;         /* tracked files differ from it */
};

/* Of the repository that holds this file. */
struct revision revision_of(const char *path, struct arena *arena);

/* "HEAD~1", a branch or a tag of the repository we stand in, as a commit id; other text as it is. */
const char *revision_resolve(const char *name, struct arena *arena);

#endif
