/*
 * A raw TCP socket: ser2net (`connection: ... telnet off`), an emulator's serial port, a bridge.
 * Whatever opens the port at the far end sets its baud rate; rfc2217.c can set it from here.
 */
#include "harness/base/file.h"
#include "harness/transport/fdio.h"
#include "harness/transport/net.h"
#include "harness/transport/transport.h"

struct tcp {
    struct transport base;
    int fd;
};

static int tcp_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct tcp *tcp = (struct tcp *)t;

    tcp->fd = -1;
    return net_connect(config->where, &tcp->fd, err);
}

static int tcp_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    return fdio_send(((struct tcp *)t)->fd, data, n, err);
}

static int tcp_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                    struct err *err)
{
    return fdio_recv(((struct tcp *)t)->fd, data, cap, timeout_ms, ret_n, err);
}

static int tcp_fd(struct transport *t)
{
    return ((struct tcp *)t)->fd;
}

static void tcp_close(struct transport *t)
{
    fd_close(&((struct tcp *)t)->fd);
}

const struct transport_ops transport_tcp = {
    .name = "tcp",
    .help = "a raw TCP socket: ser2net or an emulator, host:port",
    .size = sizeof(struct tcp),
    .open = tcp_open,
    .send = tcp_send,
    .recv = tcp_recv,
    .fd = tcp_fd,
    .close = tcp_close,
};
