/*
 * Child processes that never outlive us: own process group, PR_SET_PDEATHSIG, bounded shutdown.
 * There is no shell anywhere; argv only.
 */
#ifndef HARNESS_BASE_PROC_H
#define HARNESS_BASE_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "harness/base/base.h"
#include "harness/base/err.h"

enum proc_stdio {
    PROC_NULL = -1,    /* /dev/null */
    PROC_PIPE = -2,    /* a pipe; our end is put in struct proc */
    PROC_INHERIT = -3, /* share ours */
};                     /* or a descriptor >= 0 to hand over */

struct proc_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* extra "NAME=value" entries, NULL-terminated; NULL for none */
    const char *folder;      /* where it works; NULL: where we do */
    int stdio[3];
    const int *keep_fds; /* further descriptors the child inherits at their number */
    int keep_count;
};

struct proc {
    pid_t pid;    /* -1 when none runs */
    int stdio[3]; /* our ends of pipes, -1 otherwise */
};

#define PROC_INIT                                                                                  \
    {                                                                                              \
        .pid = -1, .stdio = { -1, -1, -1 }                                                         \
    }

/* Start a child. An exec failure is reported here (ERR_IO), not as a child that ends. */
int proc_start(struct proc *p, const struct proc_options *options, struct err *err) MUST_CHECK;

/* Reap without waiting. Returns true once the child is gone; *ret_status is as from waitpid. */
bool proc_ended(struct proc *p, int *ret_status);

/* Wait up to timeout_ms; true once it is gone. */
bool proc_wait(struct proc *p, unsigned timeout_ms, int *ret_status);

/* SIGTERM to the group, wait up to grace_ms, SIGKILL, reap; closes pipes. Safe to repeat. */
void proc_stop(struct proc *p, unsigned grace_ms);

void proc_release(struct proc *p); /* proc_stop with 500 ms; for AUTO() */

/* "exited with status 3" or "killed by signal 9" into text. */
void proc_describe_status(int status, char *text, size_t n);

#endif
