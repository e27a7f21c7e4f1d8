/*
 * Diagnostics for people who debug the lab, on stderr, by category; off by default.
 *
 * Not for errors (those travel in struct err) and not for results (those are events).
 * `--verbose=wire,openocd` or TINYRIG_LOG=all switches categories on.
 */
#ifndef HARNESS_BASE_LOG_H
#define HARNESS_BASE_LOG_H

#include <stdbool.h>

#include "harness/base/base.h"
#include "harness/base/err.h"

/* category, what it shows */
#define LOG_LIST(X)                                                                                \
    X(LOG_LAB, "lab", "leases, sessions, recovery")                                                \
    X(LOG_WIRE, "wire", "every protocol message")                                                  \
    X(LOG_BYTES, "bytes", "raw transport bytes")                                                   \
    X(LOG_CONSOLE, "console", "text the board prints between frames")                              \
    X(LOG_OPENOCD, "openocd", "commands and answers")                                              \
    X(LOG_METER, "meter", "power instruments")                                                     \
    X(LOG_VIRTUAL, "virtual", "the virtual lab")                                                   \
    X(LOG_STORE, "store", "database work")

enum log_category {
#define X(name, word, text) name,
    LOG_LIST(X)
#undef X
    LOG_COUNT
};

/* Switch on a comma-separated list of category words, or "all". ERR_USAGE on an unknown word. */
int log_enable(const char *list, struct err *err) MUST_CHECK;
/* "lab", "wire", ...: all of them, NULL-terminated. */
const char *const *log_words(void);
bool log_on(enum log_category c);
void log_line(enum log_category c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_bytes(enum log_category c, const char *prefix, const void *data, size_t n);

#endif
