/*
 * One of QEMU's control sockets (qtest, gdbstub, QMP): bytes out whole, bytes in until a message is
 * complete, every wait bounded. A stream that ends or stalls is broken for good; whoever uses it
 * then treats the emulator as gone.
 */
#ifndef TARGETS_VIRTUAL_PROBE_STREAM_H
#define TARGETS_VIRTUAL_PROBE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"

struct stream {
    int fd; /* non-blocking; -1: broken or never opened */
    struct buf in;
};

#define STREAM_INIT                                                                                \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

void stream_open(struct stream *s, int fd); /* takes the descriptor over */
bool stream_send(struct stream *s, const void *data, size_t n);

/* Read what is there, waiting until the deadline for the first byte. False when nothing came. */
bool stream_fill(struct stream *s, struct deadline end);

/* Length of the first line with its newline, waiting for it; 0 when it did not come. */
size_t stream_line(struct stream *s, struct deadline end);

void stream_close(struct stream *s);

#endif
