/* Whole files in and out, with limits and atomic replacement. */
#ifndef HARNESS_BASE_FILE_H
#define HARNESS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/err.h"

/* Read a regular file of at most `limit` bytes. ERR_CONFIG when it is longer, ERR_IO otherwise. */
int file_read(const char *path, size_t limit, struct buf *ret, struct err *err) MUST_CHECK;

/* Write to a temporary beside path (0640), fsync, rename: a reader sees the old file or the new. */
int file_write_atomic(const char *path, const void *data, size_t n, struct err *err) MUST_CHECK;

/*
 * The same for a file that the user named. A link is followed; what is no plain file (/dev/null,
 * /dev/stdout, a pipe) is written to and never replaced. Not for names that a stranger may choose.
 */
int file_write_named(const char *path, const void *data, size_t n, struct err *err) MUST_CHECK;

/* mkdir -p with mode 0755. */
int file_make_dirs(const char *path, struct err *err) MUST_CHECK;

/* Until it is ready for `events` (POLLIN, POLLOUT) or hung up, whatever signals come; false: too late. */
bool fd_wait(int fd, short events, struct deadline end) MUST_CHECK;

void fd_close(int *fd); /* for AUTO(fd_close) int fd = -1; keeps errno */

/* Every byte, however often write() takes less. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t n) MUST_CHECK;

/* MOVE() for descriptors: hand it over, leaving -1 behind. */
static inline int fd_take(int *fd)
{
    const int taken = *fd;

    *fd = -1;
    return taken;
}

#endif
