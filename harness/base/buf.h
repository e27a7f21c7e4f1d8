/*
 * A growing byte buffer with a limit; also the way to build text.
 *
 * The limit is a promise about memory, not a parse rule: whoever appends bytes that came from
 * outside sets one. Past the limit appends are dropped and `full` is set. Always NUL-terminated.
 */
#ifndef HARNESS_BASE_BUF_H
#define HARNESS_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "harness/base/base.h"

struct buf {
    char *data; /* NULL until something was appended */
    size_t len;
    size_t capacity;
    size_t limit; /* 0: 1 GiB */
    bool full;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        .data = NULL                                                                               \
    }

void buf_append(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_consume(struct buf *b, size_t n); /* drop the first n bytes */
const char *buf_text(const struct buf *b); /* never NULL */
void buf_clear(struct buf *b);             /* forget the bytes, keep the memory */
void buf_release(struct buf *b);

#define AUTO_BUF AUTO(buf_release) struct buf

#endif
