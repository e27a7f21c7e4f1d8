/* Connecting to host:port: what the network back-ends share. */
#ifndef HARNESS_TRANSPORT_NET_H
#define HARNESS_TRANSPORT_NET_H

#include "harness/base/err.h"

/*
 * A non-blocking socket to "host:port" or "[v6]:port", with TCP_NODELAY, because a frame must not
 * wait for the ACK of the one before it. Waits 3 s at most per address.
 */
int net_connect(const char *where, int *ret_fd, struct err *err) MUST_CHECK;

#endif
