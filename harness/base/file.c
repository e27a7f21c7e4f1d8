#include "harness/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    const int saved = errno;

    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

int file_read(const char *path, size_t limit, struct buf *ret, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    char chunk[16384];
    ssize_t n;

    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    if (fstat(fd, &st) < 0)
        return err_sys(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s: not a regular file", path);
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, errno, "%s", path);
        if ((size_t)n > limit - ret->len)
            return err_set(err, ERR_CONFIG, "%s: larger than %zu bytes", path, limit);
        buf_append(ret, chunk, (size_t)n);
    }
    return 0;
}

bool fd_wait(int fd, short events, struct deadline end)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        const int n = poll(&p, 1, (int)deadline_left_ms(end));

        if (n > 0 || (n < 0 && errno != EINTR))
            return true; /* what is wrong with it, a read or write tells */
        if (n == 0 || deadline_passed(end))
            return false;
    }
}

int fd_write_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        const ssize_t w = write(fd, at, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        at += w;
        n -= (size_t)w;
    }
    return 0;
}

int file_write_atomic(const char *path, const void *data, size_t n, struct err *err)
{
    char temporary[4096];
    AUTO(fd_close) int fd = -1;
    int r;

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return err_set(err, ERR_IO, "%s: path too long", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    r = fd_write_all(fd, data, n);
    if (r == 0 && (fchmod(fd, 0640) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
        r = -errno;
    if (r < 0) {
        (void)unlink(temporary);
        return err_sys(err, -r, "%s", path);
    }
    return 0;
}

static int write_through(const char *path, const void *data, size_t n, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    const int r = fd < 0 ? -errno : fd_write_all(fd, data, n);

    return r < 0 ? err_sys(err, -r, "%s", path) : 0;
}

int file_write_named(const char *path, const void *data, size_t n, struct err *err)
{
    char real[PATH_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_through(path, data, n, err);
    return file_write_atomic(realpath(path, real) != NULL ? real : path, data, n, err);
}

int file_make_dirs(const char *path, struct err *err)
{
    char partial[4096];
    const size_t n = strlen(path);

    if (n >= sizeof(partial))
        return err_set(err, ERR_IO, "%s: path too long", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0755) < 0 && errno != EEXIST)
            return err_sys(err, errno, "mkdir %s", partial);
    }
    return 0;
}
