/*
 * How libserialport 0.1.1 opens a pseudo-terminal, so that the driver which real boards use is
 * the driver that virtual boards exercise. Two obstacles, both met without touching the library:
 *
 *   its name check wants /sys/class/tty/<name> for a port /dev/<name>: we hand it
 *   "/dev/../../..<absolute path of a symlink to the pty>", which collapses to the symlink under
 *   either directory;
 *
 *   its sp_open() fails when TIOCMGET does, and ptys have no modem lines: sp_pty.c defines ioctl()
 *   in the executable, which the dynamic linker prefers to libc's for every library. It passes
 *   each call to the kernel and only answers modem-line requests that a pty refused.
 */
#ifndef HARNESS_TRANSPORT_SP_PTY_H
#define HARNESS_TRANSPORT_SP_PTY_H

#include <stdbool.h>

#include "harness/base/err.h"

/* A temporary directory with a symlink to a pty in it. */
struct sp_pty_alias {
    char dir[32];
    char link[40];
    char name[64]; /* what libserialport is given; "" when there is no alias */
};

/* Is the path a pseudo-terminal (symlinks followed)? */
bool sp_pty_is(const char *path);

/* path: absolute, with no symlink in it. */
int sp_pty_alias_make(struct sp_pty_alias *alias, const char *path, struct err *err) MUST_CHECK;
void sp_pty_alias_remove(struct sp_pty_alias *alias); /* a zeroed one is fine */

/* Modem lines (TIOCM_*) last set on a pty's descriptor; 0 for one we never saw. */
int sp_pty_lines(int fd);

#endif
