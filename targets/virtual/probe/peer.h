/*
 * Which process is at the other end of a TCP connection on this host, to end it on request: the
 * debugger that dies in the middle of its work.
 */
#ifndef TARGETS_VIRTUAL_PROBE_PEER_H
#define TARGETS_VIRTUAL_PROBE_PEER_H

#include "harness/base/err.h"

/* SIGKILL to whoever holds the other end of `fd`. ERR_LAB when it is not found. */
int peer_kill(int fd, struct err *err) MUST_CHECK;

#endif
