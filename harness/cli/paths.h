/*
 * Where the program's own files are: beside it in a build folder, or where they were installed.
 * TINYRIG_DATA (boards/, firmware/, suites/) overrides both.
 */
#ifndef HARNESS_CLI_PATHS_H
#define HARNESS_CLI_PATHS_H

#include "harness/base/arena.h"
#include "harness/base/err.h"

struct paths {
    const char *boards;      /* folder of board files that come with tinyrig */
    const char *firmware;    /* folder of "<agent>.elf" */
    const char *vmeter;      /* the emulated power analyser */
    const char *vboard;      /* the supervisor of virtual boards */
    const char *agent_posix; /* the agent as a native program */
    const char *database;    /* default results database */
};

int paths_find(struct arena *arena, struct paths *ret, struct err *err) MUST_CHECK;

#endif
