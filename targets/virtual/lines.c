#include "targets/virtual/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_init(struct lines *l, size_t max)
{
    *l = (struct lines){.max = max};
}

/* Keep the part of data[n] that belongs to lines short enough; returns bytes used up. */
static size_t lines_take(struct lines *l, const char *data, size_t n)
{
    const char *newline = memchr(data, '\n', n);
    const size_t piece = newline != NULL ? (size_t)(newline - data) : n;
    const char *last = l->bytes.len == 0 ? NULL : memrchr(l->bytes.data, '\n', l->bytes.len);
    const size_t begun =
        last == NULL ? l->bytes.len : l->bytes.len - (size_t)(last + 1 - l->bytes.data);

    if (!l->skipping && begun + piece > l->max) {
        l->bytes.len -= begun;
        l->skipping = true;
        l->dropped++;
    }
    if (!l->skipping)
        buf_append(&l->bytes, data, piece + (newline != NULL));
    if (newline != NULL)
        l->skipping = false;
    return piece + (newline != NULL);
}

void lines_feed(struct lines *l, const char *data, size_t n)
{
    buf_consume(&l->bytes, l->start);
    l->start = 0;
    while (n > 0) {
        const size_t used = lines_take(l, data, n);

        data += used;
        n -= used;
    }
}

char *lines_next(struct lines *l)
{
    char *line = l->bytes.data + l->start;
    char *end = l->bytes.len > l->start ? memchr(line, '\n', l->bytes.len - l->start) : NULL;

    if (end == NULL)
        return NULL;
    l->start += (size_t)(end - line) + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

bool lines_read(struct lines *l, int fd)
{
    char chunk[4096];
    const ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    lines_feed(l, chunk, (size_t)n);
    return n > 0;
}

void lines_release(struct lines *l)
{
    buf_release(&l->bytes);
    l->start = 0;
}
