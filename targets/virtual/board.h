/*
 * One virtual board: emulator, serial cable, faults and edge stream put together, with the
 * switches a person would have on the bench.
 *
 * board_step() is one turn of the loop. The switches that have to wait (power on, reset) turn the
 * loop themselves, so bytes and edges keep flowing meanwhile; they never run inside a step.
 */
#ifndef TARGETS_VIRTUAL_BOARD_H
#define TARGETS_VIRTUAL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "targets/virtual/edges.h"
#include "targets/virtual/emulator.h"
#include "targets/virtual/fault.h"
#include "targets/virtual/image.h"
#include "targets/virtual/options.h"
#include "targets/virtual/poll_set.h"
#include "targets/virtual/probe/probe.h"
#include "targets/virtual/pty.h"
#include "targets/virtual/relay.h"

struct board {
    const struct options *options;
    char link[4000]; /* where the pty is to be found */
    struct emulator emulator;
    struct pty pty;
    struct relay relay;
    struct edges edges;
    struct fault_set faults;
    struct probe probe; /* present only when asked for */
    struct image loads[OPTIONS_LOADS_MAX];
    int load_count;
    bool loads_changed; /* since the last power on */
    bool power;
    char died[400]; /* why the emulator ended on its own, "" if it did not */
    bool revive;    /* its core locked up: a machine has to stand there for the probe */
    unsigned deaths;
    unsigned power_ons;
    uint64_t replug_ns;   /* when the cable comes back by itself; 0: it does not */
    uint64_t power_on_ns; /* same for the supply */
    struct buf say;       /* replies and "! " notices, for stdout */
    int lock;             /* of the name; -1: not ours */
    char lock_path[4200];
};

/* Opens the cable and the edge socket; the power stays off. */
int board_open(struct board *b, const struct options *o, struct err *err) MUST_CHECK;

int board_power(struct board *b, bool on, struct err *err) MUST_CHECK;
int board_power_cycle(struct board *b, unsigned ms, struct err *err) MUST_CHECK;
int board_reset(struct board *b, struct err *err) MUST_CHECK;
int board_load(struct board *b, const char *path, uint64_t address, struct err *err) MUST_CHECK;
void board_unload(struct board *b);
int board_unplug(struct board *b, struct err *err) MUST_CHECK;
/* name: NULL for the same as before. */
int board_replug(struct board *b, const char *name, struct err *err) MUST_CHECK;

/*
 * Wait at most timeout_ms (-1: until something happens) for the board's descriptors and those the
 * caller put into `set` first, and serve the board's. Descriptors of the caller are his to serve.
 */
void board_step(struct board *b, struct poll_set *set, int timeout_ms);

/*
 * Turn the loop until done(b, mark). False when the emulator ended or the time is over first. For
 * the switches; not from within a step.
 */
bool board_wait(struct board *b, bool (*done)(const struct board *, unsigned), unsigned mark,
                unsigned timeout_ms);

/* Until a point on the monotonic clock; -1 when it is 0, which stands for never. */
int board_ms_until(uint64_t at_ns);

/* Do what faults and timers have asked for since the last call. */
void board_act(struct board *b);

/* Put a standing machine in the place of one that locked up. */
int board_revive(struct board *b, struct err *err) MUST_CHECK;

/* An unsolicited line: "! " is put before it. */
void board_notice(struct board *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

void board_close(struct board *b);

#endif
