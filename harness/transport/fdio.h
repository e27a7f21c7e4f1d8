/*
 * Sending and receiving over a non-blocking descriptor (tty, pty or socket), with bounded waits
 * and hang-ups noticed: what the descriptor back-ends share.
 */
#ifndef HARNESS_TRANSPORT_FDIO_H
#define HARNESS_TRANSPORT_FDIO_H

#include <stddef.h>

#include "harness/base/err.h"

int fdio_send(int fd, const void *data, size_t n, struct err *err) MUST_CHECK;

/* As transport_ops.recv. Bytes that came before a hang-up are delivered before ERR_IO. */
int fdio_recv(int fd, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
              struct err *err) MUST_CHECK;

int fdio_set_nonblocking(int fd, struct err *err) MUST_CHECK;

/* Only one process may talk to a tty: flock, and TIOCEXCL against those who do not lock. */
int fdio_lock_tty(int fd, struct err *err) MUST_CHECK;

#endif
