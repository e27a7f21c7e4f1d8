/*
 * Option tables. One table per command drives parsing, `tinyrig help COMMAND` and the man page.
 *
 * Options may stand anywhere among the arguments; `--` ends them. `--name VALUE` and `--name=VALUE`
 * both work. A value lands in the command's options struct at `offset`.
 */
#ifndef HARNESS_CLI_OPTIONS_H
#define HARNESS_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_STRING,   /* const char * */
    OPTION_STRINGS,  /* struct option_strings; may be given again */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_DURATION, /* uint64_t, nanoseconds */
    OPTION_BYTES,    /* uint64_t */
};

enum {
    OPTION_STRINGS_MAX = 64
};
struct option_strings {
    const char *values[OPTION_STRINGS_MAX];
    size_t count;
};

struct option {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *metavar; /* "FILE"; NULL for flags */
    const char *help;
    size_t offset;
    uint64_t max; /* of a number, duration or size; 0: what the field can hold */
};

/* What code behind an option can count: milliseconds in 32 bits, and runs before 1970. */
#define OPTION_WAIT_MAX (30ull * 86400 * 1000000000)
#define OPTION_AGE_MAX  (50ull * 365 * 86400 * 1000000000)

/*
 * Parse argv[0..argc) into the struct at `values`; what is no option is moved to the front and
 * counted in *ret_count. ERR_USAGE names the option and suggests the nearest one.
 */
int options_parse(const struct option *table, void *values, int argc, char **argv, int *ret_count,
                  struct err *err) MUST_CHECK;

/* "  --name VALUE   help" lines, wrapped for an 80-column terminal. */
void options_help(const struct option *table, struct buf *out);

#endif
