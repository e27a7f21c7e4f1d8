#include "harness/transport/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/transport/transport.h"

static int hung_up(struct err *err)
{
    err_set(err, ERR_IO, "the port hung up");
    return err_hint(err, "unplugged, powered off, or the program behind it ended");
}

static ssize_t write_some(int fd, const void *data, size_t n)
{
    ssize_t done = send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    return done < 0 && errno == ENOTSOCK ? write(fd, data, n) : done;
}

/* 1 when the descriptor is ready (or hung up), 0 when the time is over. */
static int wait_for(int fd, short events, unsigned timeout_ms, struct err *err)
{
    struct deadline deadline = deadline_in_ms(timeout_ms);
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int n = poll(&p, 1, (int)deadline_left_ms(deadline));

        if (n >= 0)
            return n;
        if (errno != EINTR)
            return err_sys(err, errno, "poll");
    }
}

int fdio_send(int fd, const void *data, size_t n, struct err *err)
{
    const char *at = data;

    while (n != 0) {
        ssize_t done = write_some(fd, at, n);
        int ready;

        if (done >= 0) {
            at += done;
            n -= (size_t)done;
            continue;
        }
        if (errno == EIO || errno == EPIPE || errno == ECONNRESET || errno == ENXIO)
            return hung_up(err);
        if (errno != EAGAIN && errno != EINTR)
            return err_sys(err, errno, "write");
        ready = wait_for(fd, POLLOUT, TRANSPORT_STALL_MS, err);
        if (ready < 0)
            return ready;
        if (ready == 0)
            return err_set(err, ERR_TIMEOUT, "took no byte for %d ms", TRANSPORT_STALL_MS);
    }
    return 0;
}

int fdio_recv(int fd, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n, struct err *err)
{
    int ready = wait_for(fd, POLLIN, timeout_ms, err);
    ssize_t n;

    if (ready < 0)
        return ready;
    *ret_n = 0;
    if (ready == 0)
        return 0;
    n = read(fd, data, cap);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != EIO && errno != ECONNRESET && errno != ENXIO)
        return err_sys(err, errno, "read");
    if (n <= 0)
        return hung_up(err);
    *ret_n = (size_t)n;
    return 0;
}

int fdio_set_nonblocking(int fd, struct err *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_sys(err, errno, "fcntl");
    return 0;
}

int fdio_lock_tty(int fd, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_sys(err, errno, "flock");
        err_set(err, ERR_BUSY, "another program has the port");
        return err_hint(err, "`fuser` on the device says which");
    }
    if (ioctl(fd, TIOCEXCL) != 0)
        return err_sys(err, errno, "TIOCEXCL");
    return 0;
}
