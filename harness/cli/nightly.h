/* One night: `nightly` carries it out, nightly_summary writes the page about it. */
#ifndef HARNESS_CLI_NIGHTLY_H
#define HARNESS_CLI_NIGHTLY_H

#include "harness/cli/context.h"

struct nightly_arguments {
    struct common_options common; /* must be first */
    struct option_strings boards;
    const char *output;
    const char *baseline;
    const char *tolerance;
    const char *keep;
    const char *wait;
    const char *record;
    bool lenient;
    bool confirm;
};

enum {
    STEP_NOT_DONE = -1
};

struct night {
    const struct nightly_arguments *arguments;
    struct context *context;
    const char *suite; /* path */
    const char *output;
    char run_id[37];
    unsigned checked, failed;    /* boards */
    int run_status, gate_status; /* exit statuses, or STEP_NOT_DONE */
    bool first;                  /* there was nothing to compare with yet */
    char failure[512];           /* of the first step that did not come to a status */
};

/* Exit status of the night, and the words for it. */
int night_status(const struct night *n);
const char *night_verdict(const struct night *n);

/* A file of the output folder. */
const char *night_path(const struct night *n, const char *name);

/* The page, as Markdown: bounded, whatever happened. */
void night_summary(const struct night *n, struct buf *out);

#endif
