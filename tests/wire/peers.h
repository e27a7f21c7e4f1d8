/*
 * Far ends for transports under test: what a board would be, as a descriptor to read and write.
 */
#ifndef TESTS_WIRE_PEERS_H
#define TESTS_WIRE_PEERS_H

#include <stddef.h>

#include "harness/transport/transport.h"

struct peer {
    const char *name; /* of the back-end that reaches it */
    int fd;           /* our end; the board's side */
    int listener;     /* tcp: until somebody connects */
    char where[64];   /* for transport_config.where */
};

/* The peer for a back-end of the registry; fd and listener -1 when it needs none (loop). */
void peer_open(struct peer *p, const char *backend);
void peer_accept(struct peer *p); /* after transport_open() */
void peer_close(struct peer *p);  /* the board goes away */

struct transport *peer_dial(struct peer *p); /* open and accepted, or the test fails */
void send_all(struct transport *t, const void *data, size_t n);
void recv_all(struct transport *t, void *data, size_t n); /* all n within 3 s, or the test fails */

void peer_write(const struct peer *p, const void *data, size_t n);
void peer_read(const struct peer *p, void *data, size_t n); /* all n, or the test fails */

#endif
