/*
 * What a tick of the agent's counter means: cycles, emulated instructions, or nanoseconds.
 *
 * On silicon a counter at the core's clock gives cycles. Under QEMU's icount one instruction takes
 * exactly 2^shift virtual ns, so any timer of at least two ticks per instruction gives the exact
 * number of instructions back. simavr's timers count exact cycles. Emulated time itself is never
 * reported as time.
 */
#ifndef HARNESS_MEASURE_TIMEBASE_H
#define HARNESS_MEASURE_TIMEBASE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/spec/board.h"

struct timebase {
    enum unit unit; /* of values below */
    double ticks_per_unit;
    bool exact; /* values are whole numbers: a tick count names one of them */
    uint32_t tick_hz;
    double ns_per_tick; /* on the board's own clock; virtual ns on a virtual board */
};

/*
 * tick_hz is what the agent says in HELLO. ERR_LAB when the board file expects another rate, or
 * when a virtual timer is too coarse to tell instructions apart.
 */
int timebase_make(const struct board *board, uint32_t tick_hz, struct timebase *ret,
                  struct err *err) MUST_CHECK;

/* A window's ticks, less the ticks of an empty one, in the timebase's unit. Never below 0. */
double timebase_value(const struct timebase *t, uint64_t ticks, uint64_t overhead);

#endif
