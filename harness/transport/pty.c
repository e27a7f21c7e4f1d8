/*
 * A pseudo-terminal by plain termios: what a virtual board offers. Real ports go through
 * libserialport (serial.c), which can carry ptys too.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/transport/fdio.h"
#include "harness/transport/transport.h"

struct pty {
    struct transport base;
    int fd;
};

/* Unix98 pty slaves have majors 136 to 143 (Documentation/admin-guide/devices.txt). */
static int check_is_pty(int fd, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_sys(err, errno, "stat");
    if (!S_ISCHR(st.st_mode) || major(st.st_rdev) < 136 || major(st.st_rdev) > 143) {
        err_set(err, ERR_CONFIG, "not a pseudo-terminal");
        return err_hint(err, "use `transport: serial` for a real port");
    }
    return 0;
}

static int make_raw(int fd, struct err *err)
{
    struct termios tty;

    if (tcgetattr(fd, &tty) != 0)
        return err_sys(err, errno, "tcgetattr");
    cfmakeraw(&tty);
    tty.c_cflag |= CLOCAL | CREAD;
    if (tcsetattr(fd, TCSANOW, &tty) != 0)
        return err_sys(err, errno, "tcsetattr");
    return 0;
}

static int pty_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct pty *pty = (struct pty *)t;

    pty->fd = -1;
    if (config->where == NULL)
        return err_set(err, ERR_CONFIG, "needs `where`, the path of a pty");
    pty->fd = open(config->where, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->fd < 0)
        return errno == EBUSY ? err_set(err, ERR_BUSY, "another program has the port")
                              : err_sys(err, errno, "open");
    if (check_is_pty(pty->fd, err) < 0 || fdio_lock_tty(pty->fd, err) < 0)
        return (int)err->code;
    return make_raw(pty->fd, err);
}

static int pty_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    return fdio_send(((struct pty *)t)->fd, data, n, err);
}

static int pty_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                    struct err *err)
{
    return fdio_recv(((struct pty *)t)->fd, data, cap, timeout_ms, ret_n, err);
}

/* There is no line whose rate could be set: whoever holds the other end takes any. */
static int pty_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    (void)t;
    (void)baud;
    (void)err;
    return 0;
}

static int pty_fd(struct transport *t)
{
    return ((struct pty *)t)->fd;
}

static void pty_close(struct transport *t)
{
    fd_close(&((struct pty *)t)->fd);
}

const struct transport_ops transport_pty = {
    .name = "pty",
    .help = "a pseudo-terminal, as virtual boards have",
    .size = sizeof(struct pty),
    .open = pty_open,
    .send = pty_send,
    .recv = pty_recv,
    .set_baud = pty_set_baud,
    .fd = pty_fd,
    .close = pty_close,
};
