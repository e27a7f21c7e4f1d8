#include "harness/transport/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/file.h"

enum {
    CONNECT_MS = 3000,
    HOST_SIZE = 256
};

/* "host:port" or "[v6]:port" into host; returns where the port begins. */
static const char *split_where(const char *where, char host[HOST_SIZE])
{
    const char *colon = strrchr(where, ':');
    size_t n;

    if (colon == NULL || colon == where || colon[1] == '\0')
        return NULL;
    n = (size_t)(colon - where);
    if (where[0] == '[' && where[n - 1] == ']') {
        where++;
        n -= 2;
    }
    if (n == 0 || n >= HOST_SIZE)
        return NULL;
    memcpy(host, where, n);
    host[n] = '\0';
    return colon + 1;
}

static int connect_bounded(int fd, const struct addrinfo *to)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof(errno);
    int status = 0;

    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, CONNECT_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &size) == 0 ? status : errno;
}

/* The first address that takes the connection; 0 or an errno value. */
static int connect_any(const struct addrinfo *list, int *ret_fd)
{
    int status = EHOSTUNREACH;

    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        status = fd < 0 ? errno : connect_bounded(fd, a);
        if (status == 0) {
            *ret_fd = fd;
            return 0;
        }
        fd_close(&fd);
    }
    return status;
}

int net_connect(const char *where, int *ret_fd, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    char host[HOST_SIZE];
    const char *port = where != NULL ? split_where(where, host) : NULL;
    int one = 1;
    int status;

    if (port == NULL)
        return err_set(err, ERR_CONFIG, "expected host:port");
    status = getaddrinfo(host, port, &hints, &list);
    if (status != 0)
        return err_set(err, ERR_IO, "%s", gai_strerror(status));
    status = connect_any(list, ret_fd);
    freeaddrinfo(list);
    if (status != 0) {
        err_sys(err, status, "connect");
        return err_hint(err, "is ser2net (or the emulator) listening there?");
    }
    if (setsockopt(*ret_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
        return err_sys(err, errno, "TCP_NODELAY");
    return 0;
}
