#include "harness/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool buf_reserve(struct buf *b, size_t more)
{
    const size_t limit = b->limit != 0 ? b->limit : (size_t)1 << 30;
    size_t wanted = b->capacity == 0 ? 256 : b->capacity;

    if (more > limit - b->len) {
        b->full = true;
        return false;
    }
    while (wanted < b->len + more + 1)
        wanted *= 2;
    if (wanted != b->capacity) {
        b->data = realloc(b->data, wanted);
        if (b->data == NULL)
            abort();
        b->capacity = wanted;
    }
    return true;
}

void buf_append(struct buf *b, const void *data, size_t n)
{
    if (n == 0 || !buf_reserve(b, n))
        return;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0 && buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf)BUF_INIT;
}
