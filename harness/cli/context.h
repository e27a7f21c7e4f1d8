/*
 * What most commands begin with: the lab, the database, the program's own files. Options that
 * several commands share are written down here once.
 */
#ifndef HARNESS_CLI_CONTEXT_H
#define HARNESS_CLI_CONTEXT_H

#include "harness/base/arena.h"
#include "harness/cli/options.h"
#include "harness/cli/paths.h"
#include "harness/spec/lab.h"

/* First member of a command's options struct that uses the shared options. */
struct common_options {
    const char *lab;
    const char *database;
    struct option_strings board_dirs;
};

#define OPTION_LAB                                                                                 \
    {"lab",                                                                                        \
     'l',                                                                                          \
     OPTION_STRING,                                                                                \
     "FILE",                                                                                       \
     "the lab inventory (default: $TINYRIG_LAB, ~/.config/tinyrig/lab.yaml, "                      \
     "/etc/tinyrig/lab.yaml, config/lab.yaml, else all virtual boards)",                           \
     offsetof(struct common_options, lab)},                                                        \
    {                                                                                              \
        "board-dir", 0, OPTION_STRINGS, "DIR",                                                     \
            "look for board files here first (may be repeated)",                                   \
            offsetof(struct common_options, board_dirs)                                            \
    }
#define OPTION_DB                                                                                  \
    {                                                                                              \
        "db", 'd', OPTION_STRING, "FILE",                                                          \
            "the results database (default: $TINYRIG_DB, else tinyrig/tinyrig.db in the user's "   \
            "state folder; from a build folder results/tinyrig.db of the source)",                 \
            offsetof(struct common_options, database)                                              \
    }

struct context {
    struct arena arena; /* everything below lives here */
    struct paths paths;
    const struct lab *lab; /* NULL until context_load_lab */
    const char *database;
};

int context_init(struct context *c, const struct common_options *options,
                 struct err *err) MUST_CHECK;
int context_load_lab(struct context *c, const struct common_options *options,
                     struct err *err) MUST_CHECK;
void context_release(struct context *c);

#endif
