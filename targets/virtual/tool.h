/* Our helpers (the marker plugin, the simavr half) lie beside the running program. */
#ifndef TARGETS_VIRTUAL_TOOL_H
#define TARGETS_VIRTUAL_TOOL_H

#include "harness/base/arena.h"

/* Full path of a readable file of that name, or NULL. */
const char *tool_find(struct arena *a, const char *name);

#endif
