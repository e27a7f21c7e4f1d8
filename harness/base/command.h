/*
 * Run another program to its end, bounded in time and in output. No shell; argv only. The child has
 * its own process group, which is killed as a whole when the time is over.
 */
#ifndef HARNESS_BASE_COMMAND_H
#define HARNESS_BASE_COMMAND_H

#include "harness/base/buf.h"
#include "harness/base/err.h"

struct command {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* extra "NAME=value", NULL-terminated; NULL for none */
    const char *input;       /* given on standard input; NULL: nothing */
    unsigned timeout_ms;
    size_t output_max; /* bytes kept; 0: 64 KiB */
    bool may_crash; /* killed by a signal: status 128 + its number, as shells say, and no error */
};

/*
 * Output (standard output and error together) replaces *ret_output, which may be NULL. 0 with the
 * exit status in *ret_status; ERR_TIMEOUT; ERR_IO when it cannot be started or was killed.
 */
int command_run(const struct command *c, struct buf *ret_output, int *ret_status,
                struct err *err) MUST_CHECK;

/* The same, but an exit status other than 0 is ERR_LAB with the last line of what it said. */
int command_check(const struct command *c, struct buf *ret_output, struct err *err) MUST_CHECK;

#endif
