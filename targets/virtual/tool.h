/* Where our other files are: beside the running program, or in its ../lib/tinyrig. */
#ifndef TARGETS_VIRTUAL_TOOL_H
#define TARGETS_VIRTUAL_TOOL_H

#include "harness/base/arena.h"

/* Full path of a readable file of that name, or NULL. */
const char *tool_find(struct arena *a, const char *name);

#endif
