#include "tests/wire/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "harness/base/clock.h"
#include "harness/base/file.h"

static void open_pty(struct peer *p)
{
    struct termios tty;

    p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p->fd >= 0);
    assert_int_equal(grantpt(p->fd), 0);
    assert_int_equal(unlockpt(p->fd), 0);
    assert_int_equal(ptsname_r(p->fd, p->where, sizeof(p->where)), 0);
    assert_int_equal(tcgetattr(p->fd, &tty), 0);
    cfmakeraw(&tty);
    assert_int_equal(tcsetattr(p->fd, TCSANOW, &tty), 0);
}

static void open_tcp(struct peer *p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(p->listener, 1), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(p->where, sizeof(p->where), "127.0.0.1:%u", ntohs(address.sin_port));
}

void peer_open(struct peer *p, const char *backend)
{
    memset(p, 0, sizeof(*p));
    p->name = backend;
    p->fd = p->listener = -1;
    if (strcmp(backend, "pty") == 0 || strcmp(backend, "serial") == 0)
        open_pty(p);
    else if (strcmp(backend, "tcp") == 0)
        open_tcp(p);
    else if (strcmp(backend, "loop") == 0)
        strcpy(p->where, "-");
    else
        fail_msg("no peer for transport '%s': add one to peers.c", backend);
}

void peer_accept(struct peer *p)
{
    if (p->listener < 0)
        return;
    p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(p->fd >= 0);
}

void peer_close(struct peer *p)
{
    fd_close(&p->fd);
    fd_close(&p->listener);
}

void peer_write(const struct peer *p, const void *data, size_t n)
{
    const char *at = data;

    while (n != 0) {
        ssize_t done = write(p->fd, at, n);

        assert_true(done > 0);
        at += done;
        n -= (size_t)done;
    }
}

void peer_read(const struct peer *p, void *data, size_t n)
{
    char *at = data;

    while (n != 0) {
        struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};
        ssize_t done;

        assert_int_equal(poll(&poll_fd, 1, 2000), 1);
        done = read(p->fd, at, n);
        assert_true(done > 0);
        at += done;
        n -= (size_t)done;
    }
}

/* ---- our end ---- */

struct transport *peer_dial(struct peer *peer)
{
    const struct transport_config config = {.where = peer->where};
    struct transport *t = NULL;
    struct err err = ERR_INIT;

    if (transport_open(peer->name, &config, &t, &err) < 0)
        fail_msg("%s", err.text);
    peer_accept(peer);
    return t;
}

void send_all(struct transport *t, const void *data, size_t n)
{
    struct err err = ERR_INIT;

    if (transport_send(t, data, n, &err) < 0)
        fail_msg("%s", err.text);
}

void recv_all(struct transport *t, void *data, size_t n)
{
    struct deadline deadline = deadline_in_ms(3000);
    struct err err = ERR_INIT;
    char *at = data;

    while (n != 0) {
        size_t got;

        if (transport_recv(t, at, n, deadline_left_ms(deadline), &got, &err) < 0)
            fail_msg("%s", err.text);
        assert_true(got != 0);
        at += got;
        n -= got;
    }
}
