/* Commands that carry out other commands: their words, put together and run in this process. */
#ifndef HARNESS_CLI_WORDS_H
#define HARNESS_CLI_WORDS_H

#include "harness/cli/context.h"

enum {
    WORDS_MAX = 4 * OPTION_STRINGS_MAX + 64 /* two options that may be repeated, and the others */
};

struct words {
    const char *argv[WORDS_MAX];
    int count;
};

/* "--option value"; a value that is NULL adds nothing, an option that is NULL adds the value alone. */
void words_add(struct words *w, const char *option, const char *value);

enum {
    WORDS_LAB = 1, /* --lab, --board-dir */
    WORDS_DB = 2,  /* --db */
};
/* Of the shared options those that `which` names, as this command got them. */
void words_add_common(struct words *w, const struct common_options *common, unsigned which);

/* Carry the command out. Its exit status, or its negative error. */
int words_do(const char *verb, const struct words *w, struct err *err);

#endif
