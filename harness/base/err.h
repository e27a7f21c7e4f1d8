/*
 * One error object per operation, filled in by whoever fails, read by whoever reports.
 *
 * A function that can fail returns int and takes `struct err *err` last:
 *   0   it worked;
 *   <0  it failed, *err says why; pass it up unchanged, adding context with err_in();
 *   >0  a documented outcome the caller must handle (never passed up).
 * Out parameters are named ret_x and are written only on success.
 *
 * The object holds its text inline, so reporting never allocates.
 */
#ifndef HARNESS_BASE_ERR_H
#define HARNESS_BASE_ERR_H

#include <stdbool.h>

#include "harness/base/base.h"

/*
 * name, code, process exit status, failure class, text. The only place a code is written down.
 * The class is what the store and the reports call a failed case; only `lab` may be retried.
 */
#define ERR_LIST(X)                                                                                \
    X(ERR_OK, 0, 0, "none", "ok")                                                                  \
    X(ERR_USAGE, -1, 2, "suite", "wrong usage")                                                    \
    X(ERR_CONFIG, -2, 2, "suite", "bad suite, board or model file")                                \
    X(ERR_IO, -3, 3, "lab", "input/output failed")                                                 \
    X(ERR_TIMEOUT, -4, 3, "timeout", "no answer in time")                                          \
    X(ERR_PROTOCOL, -5, 3, "protocol", "the other side broke the protocol")                        \
    X(ERR_BUSY, -6, 3, "lab", "in use by someone else")                                            \
    X(ERR_UNSUPPORTED, -7, 2, "suite", "not supported here")                                       \
    X(ERR_STORE, -8, 3, "lab", "results database failed")                                          \
    X(ERR_LAB, -9, 3, "lab", "board or lab failed")                                                \
    X(ERR_AGENT, -10, 3, "agent", "the agent refused")                                             \
    X(ERR_FLASH, -11, 3, "flash", "flashing failed")                                               \
    X(ERR_METER, -12, 3, "meter", "power instrument failed")                                       \
    X(ERR_OUTPUT, -13, 3, "wrong-output", "the model's output is wrong")                           \
    X(ERR_INVALID, -14, 3, "invalid-window", "measurement refused")                                \
    X(ERR_CANCELLED, -15, 130, "cancelled", "interrupted")                                         \
    X(ERR_BUG, -16, 70, "internal", "internal error")

enum err_code {
#define X(name, code, exit_status, class_name, text) name = (code),
    ERR_LIST(X)
#undef X
};

struct err {
    enum err_code code;
    char text[4096]; /* a bad file may have many lines to say */
    char hint[1024]; /* the next thing to try; "" when there is nothing to say */
    int exit_status; /* of the process, when it is not the code's own; 0: it is */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .code = ERR_OK                                                                             \
    }

/* Record a failure. Returns code, so a caller writes `return err_set(err, ERR_IO, ...)`. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Same for a failed system call: appends strerror(sys). Code is ERR_IO. */
int err_sys(struct err *err, int sys, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "context: " before the text already there. Returns the code already there. */
int err_in(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Say what to try next (replaces an earlier hint). Returns the code already there. */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Forget a failure that was handled, so that the object can be used again. */
void err_clear(struct err *err);

const char *err_name(enum err_code code);       /* "no answer in time" */
const char *err_class_name(enum err_code code); /* "timeout" */
int err_exit_status(enum err_code code);

/*
 * The lab's fault and not the model's or the suite's: another attempt may well succeed. Not so for
 * what someone else holds (ERR_BUSY) and for the database (ERR_STORE).
 */
bool err_is_lab_fault(enum err_code code);

#endif
