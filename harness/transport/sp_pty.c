#include "harness/transport/sp_pty.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    FDS = 1024
};

static _Atomic int shadow_lines[FDS];

/* Unix98 pty slaves have majors 136 to 143. */
static bool is_pty(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && major(st->st_rdev) >= 136 && major(st->st_rdev) <= 143;
}

static bool has_shadow(int fd)
{
    struct stat st;

    return fd >= 0 && fd < FDS && fstat(fd, &st) == 0 && is_pty(&st);
}

/* A modem-line request that the kernel refused on a pty. */
static int shadow(int fd, unsigned long request, int *lines)
{
    const int ours = TIOCM_DTR | TIOCM_RTS;

    switch (request) {
    case TIOCMGET:
        *lines = shadow_lines[fd] | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
        return 0;
    case TIOCMSET:
        shadow_lines[fd] = *lines & ours;
        return 0;
    case TIOCMBIS:
        shadow_lines[fd] |= *lines & ours;
        return 0;
    case TIOCMBIC:
        shadow_lines[fd] &= ~(*lines & ours);
        return 0;
    default:
        return -1;
    }
}

/* Stands before libc's for the whole program; see the header. */
int ioctl(int fd, unsigned long request, ...)
{
    void *argument;
    va_list ap;
    int status;
    int saved;

    va_start(ap, request);
    argument = va_arg(ap, void *);
    va_end(ap);
    status = (int)syscall(SYS_ioctl, fd, request, argument);
    if (status >= 0 || (errno != ENOTTY && errno != EINVAL))
        return status;
    saved = errno;
    if (has_shadow(fd) && shadow(fd, request, argument) == 0)
        return 0;
    errno = saved;
    return status;
}

int sp_pty_lines(int fd)
{
    return fd >= 0 && fd < FDS ? shadow_lines[fd] : 0;
}

bool sp_pty_is(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && is_pty(&st);
}

int sp_pty_alias_make(struct sp_pty_alias *alias, const char *path, struct err *err)
{
    strcpy(alias->dir, "/tmp/tinyrig-XXXXXX");
    if (mkdtemp(alias->dir) == NULL) {
        alias->dir[0] = '\0';
        return err_sys(err, errno, "mkdtemp");
    }
    snprintf(alias->link, sizeof(alias->link), "%s/port", alias->dir);
    if (symlink(path, alias->link) != 0) {
        err_sys(err, errno, "symlink");
        sp_pty_alias_remove(alias);
        return (int)err->code;
    }
    snprintf(alias->name, sizeof(alias->name), "/dev/../../..%s", alias->link);
    return 0;
}

void sp_pty_alias_remove(struct sp_pty_alias *alias)
{
    if (alias->dir[0] == '\0')
        return;
    (void)unlink(alias->link);
    (void)rmdir(alias->dir);
    memset(alias, 0, sizeof(*alias));
}
