#include "targets/virtual/probe/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/file.h"

#define SEND_MS   5000
#define INPUT_MAX (16u << 20)

void stream_open(struct stream *s, int fd)
{
    stream_close(s);
    *s = (struct stream){.fd = fd, .in = {.limit = INPUT_MAX}};
}

void stream_close(struct stream *s)
{
    fd_close(&s->fd);
    buf_release(&s->in);
}

static void break_off(struct stream *s)
{
    fd_close(&s->fd);
}

bool stream_send(struct stream *s, const void *data, size_t n)
{
    const struct deadline end = deadline_in_ms(SEND_MS);
    const char *at = data;

    while (n > 0 && s->fd >= 0) {
        const ssize_t done = send(s->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};

        if (done > 0) {
            at += done;
            n -= (size_t)done;
        } else if ((done < 0 && errno != EAGAIN && errno != EINTR) || deadline_passed(end) ||
                   poll(&p, 1, (int)deadline_left_ms(end)) < 0) {
            break_off(s);
        }
    }
    return s->fd >= 0;
}

bool stream_fill(struct stream *s, struct deadline end)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    char chunk[65536];
    ssize_t n;

    if (s->fd < 0 || poll(&p, 1, (int)deadline_left_ms(end)) <= 0)
        return false;
    n = recv(s->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0 || s->in.full) {
        break_off(s);
        return false;
    }
    buf_append(&s->in, chunk, (size_t)n);
    return true;
}

size_t stream_line(struct stream *s, struct deadline end)
{
    size_t looked = 0;

    for (;;) {
        const char *newline =
            s->in.len > looked ? memchr(s->in.data + looked, '\n', s->in.len - looked) : NULL;

        if (newline != NULL)
            return (size_t)(newline - s->in.data) + 1;
        looked = s->in.len;
        if (!stream_fill(s, end) && (s->fd < 0 || deadline_passed(end)))
            return 0;
    }
}
