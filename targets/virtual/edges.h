/*
 * The edge stream: marker edges with virtual time and exact counts, from the emulator to whoever
 * wants to know (the emulated power analyser, tests, a person with socat).
 *
 * One text line per record; LEVEL is 0 or 1, VNS virtual nanoseconds since power on, COUNT
 * instructions or cycles since power on ("-" where the emulator cannot tell):
 *
 *   board NAME KIND instructions|cycles|nothing    first line for each listener
 *   power on | power off | reset | halt            what happened to the board; a reset ends a halt
 *   time VNS COUNT                                 nothing happened before this time that was not
 *                                                  told already; several a second
 *   edge LEVEL VNS COUNT                           the marker pin moved
 *   lost N                                         N lines are missing: the listener was too slow
 *   sync WORD                                      answers the same line of a listener on the
 *                                                  socket: all that was before it has been told
 */
#ifndef TARGETS_VIRTUAL_EDGES_H
#define TARGETS_VIRTUAL_EDGES_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/poll_set.h"

#define EDGES_LISTENERS_MAX 8

struct edge_listener {
    int fd;           /* -1: free */
    char target[512]; /* file name or "fd:N"; "" for a socket */
    struct buf out;
    struct lines in; /* of a socket */
    uint64_t lost;
    int slot;
};

struct edges {
    char greeting[200];
    const char *socket_path; /* NULL: none */
    int server;
    struct edge_listener listeners[EDGES_LISTENERS_MAX];
    struct lines lines;
    uint64_t seen;       /* edges since the board started */
    bool high;           /* the marker, after the last of them */
    uint64_t virtual_ns; /* latest known; valid when has_time */
    uint64_t count;
    bool has_time;
    bool has_count;
    int slot_server;
};

void edges_init(struct edges *e, const char *name, const char *kind, const char *count_name);

/* Serve on a unix socket; a stale one of a dead process is replaced. */
int edges_listen(struct edges *e, const char *path, struct err *err) MUST_CHECK;

/* Start or stop appending to a file, or to an inherited descriptor "fd:N". */
int edges_record(struct edges *e, const char *target, bool on, struct err *err) MUST_CHECK;

void edges_prepare(struct edges *e, struct poll_set *set, int emulator);
/* Returns how many edges came. */
unsigned edges_serve(struct edges *e, const struct poll_set *set, int *emulator);

/* Tell the listeners what the supervisor did. */
void edges_tell(struct edges *e, const char *line);

/* A new power-on starts its clocks at 0. */
void edges_restart(struct edges *e);
void edges_release(struct edges *e);

#endif
