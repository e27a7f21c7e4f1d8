/*
 * Splits a byte stream into lines of bounded length: the control protocol, QMP, the edge stream
 * and the emulator's stderr are all one line per message.
 *
 * A line longer than the limit is dropped whole and counted; the next one is intact.
 */
#ifndef TARGETS_VIRTUAL_LINES_H
#define TARGETS_VIRTUAL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/buf.h"

struct lines {
    struct buf bytes;
    size_t start;     /* of the line after the one handed out last */
    size_t max;       /* longest line kept, without its newline */
    bool skipping;    /* inside a line that was too long */
    unsigned dropped; /* lines that were */
};

void lines_init(struct lines *l, size_t max);
void lines_feed(struct lines *l, const char *data, size_t n);

/* The next whole line, NUL-terminated and without "\r\n", or NULL. Good until the next call. */
char *lines_next(struct lines *l);

/*
 * Read what fd has (non-blocking) and feed it. Returns false once the stream has ended or failed.
 */
bool lines_read(struct lines *l, int fd);

void lines_release(struct lines *l);

#endif
