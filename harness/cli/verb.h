/*
 * A command of the program. One file per command, one line in verbs.c; the table makes the help
 * texts, the man page's list and the shell's completions.
 */
#ifndef HARNESS_CLI_VERB_H
#define HARNESS_CLI_VERB_H

#include "harness/cli/options.h"

enum {
    VERB_OPTIONS_SIZE = 4096
}; /* room for any command's options struct, zeroed */

struct verb {
    const char *name;
    const char *arguments; /* "SUITE.yaml", as in the synopsis */
    const char *summary;   /* one line */
    const char *details;   /* further paragraphs, or NULL */
    const struct option *options;
    int arguments_min, arguments_max;
    /*
     * Returns a negative error code with err filled, or the process exit status (0 to 127).
     * `options` points to the zeroed, parsed options struct.
     */
    int (*run)(void *options, int argc, char **argv, struct err *err);
};

extern const struct verb *const verbs[]; /* in the order help shows them; ends with NULL */
const struct verb *verb_find(const char *name);
void verb_help(const struct verb *v, struct buf *out);
void verbs_help(struct buf *out);

#endif
