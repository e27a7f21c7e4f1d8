#include "targets/virtual/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/file.h"

/* What a driver does on the last close: forget unread bytes, raw 8N1, nobody's exclusive use. */
static int set_defaults(const struct pty *p)
{
    AUTO(fd_close) int slave = open(p->name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios t;

    if (slave < 0 || tcgetattr(slave, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    (void)cfsetspeed(&t, B115200);
    (void)tcsetattr(slave, TCSANOW, &t);
    (void)tcflush(slave, TCIFLUSH);
    (void)ioctl(slave, TIOCNXCL);
    return 0;
}

static int link_replace(const char *target, const char *link)
{
    char temporary[4032];

    (void)snprintf(temporary, sizeof(temporary), "%s.%d", link, (int)getpid());
    (void)unlink(temporary);
    if (symlink(target, temporary) < 0)
        return -errno;
    if (rename(temporary, link) < 0) {
        const int failure = errno;

        (void)unlink(temporary);
        return -failure;
    }
    return 0;
}

static int watch_opens(const char *path)
{
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd >= 0 && inotify_add_watch(fd, path, IN_OPEN) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int pty_create(struct pty *p)
{
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (p->master < 0 || grantpt(p->master) < 0 || unlockpt(p->master) < 0)
        return -errno;
    if (ptsname_r(p->master, p->name, sizeof(p->name)) != 0)
        return -errno;
    p->watch = watch_opens(p->name);
    p->open = false;
    return set_defaults(p);
}

int pty_plug(struct pty *p, const char *link, struct err *err)
{
    int r;

    if (snprintf(p->link, sizeof(p->link), "%s", link) >= (int)sizeof(p->link))
        return err_set(err, ERR_USAGE, "%s: path too long", link);
    r = pty_create(p);
    if (r == 0)
        r = link_replace(p->name, link);
    if (r < 0) {
        pty_unplug(p);
        return err_sys(err, -r, "cannot create pty '%s'", link);
    }
    return 0;
}

/* Another process may have replaced our link by now; then it is not ours to remove. */
static void link_remove(const struct pty *p)
{
    char target[sizeof(p->name)];
    const ssize_t n = readlink(p->link, target, sizeof(target) - 1);

    if (n <= 0)
        return;
    target[n] = '\0';
    if (strcmp(target, p->name) == 0)
        (void)unlink(p->link);
}

void pty_unplug(struct pty *p)
{
    if (p->master >= 0)
        link_remove(p);
    fd_close(&p->watch);
    fd_close(&p->master);
    p->open = false;
}

bool pty_is_plugged(const struct pty *p)
{
    return p->master >= 0;
}

void pty_prepare(struct pty *p, struct poll_set *set, short events)
{
    /* A hang-up is reported even when not asked for: stay out unless something can be done. */
    const bool useful = p->open && (p->hung_up ? (events & POLLIN) != 0 : events != 0);

    p->slot_master = poll_set_add(set, useful ? p->master : -1, events);
    p->slot_watch = poll_set_add(set, p->watch, POLLIN);
}

int pty_timeout_ms(const struct pty *p)
{
    return p->master >= 0 && !p->open && p->watch < 0 ? 20 : -1;
}

static bool somebody_has_it_open(const struct pty *p)
{
    struct pollfd look = {.fd = p->master, .events = POLLIN};

    return p->master >= 0 && poll(&look, 1, 0) >= 0 && (look.revents & POLLHUP) == 0;
}

short pty_serve(struct pty *p, const struct poll_set *set)
{
    char events[1024];

    if ((poll_set_events(set, p->slot_watch) & POLLIN) != 0) {
        while (read(p->watch, events, sizeof(events)) > 0)
            ; /* only the news that there was an open matters */
    }
    if (!p->open)
        p->open = somebody_has_it_open(p);
    p->hung_up = (poll_set_events(set, p->slot_master) & POLLHUP) != 0;
    return poll_set_events(set, p->slot_master);
}

ssize_t pty_read(struct pty *p, void *data, size_t n)
{
    const ssize_t got = p->open ? read(p->master, data, n) : 0;

    if (got < 0 && errno == EIO) { /* closed, and everything written before was read */
        p->open = false;
        (void)set_defaults(p);
        p->open = somebody_has_it_open(p);
    }
    return got < 0 ? 0 : got;
}

ssize_t pty_write(struct pty *p, const void *data, size_t n)
{
    const ssize_t done = p->open ? write(p->master, data, n) : 0;

    return done < 0 ? 0 : done;
}
