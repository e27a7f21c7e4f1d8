/*
 * How long the first inference of a model may take, when no inference has been timed yet: a board
 * that hangs in it should not be waited for as if nothing were known of the model, and none that is
 * merely slow may be cut off.
 *
 * Called by windows.c. Pure.
 */
#ifndef HARNESS_MEASURE_ALLOWANCE_H
#define HARNESS_MEASURE_ALLOWANCE_H

#include "harness/nn/nn.h"
#include "harness/spec/board.h"

enum {
    ALLOWANCE_UNKNOWN_MS = 120000, /* nothing is known of the work, and the most that is given */
    ALLOWANCE_SLACK_MS = 10000     /* the host is shared: what it may let a board or us wait */
};

/*
 * From the compiled model's multiplications and bytes, at several times what the slowest kernel of
 * its core takes (harness/nn/costs.def: 28 instructions per multiplication on a Cortex-M0; some 500
 * cycles on an AVR), and the board's clock; an emulated one gets what an emulator does on a crowded host. ALLOWANCE_UNKNOWN_MS without a
 * report (foreign engines, workloads) and with custom operators. Each try that came before makes it
 * four times as long: perhaps the board did not hang.
 */
unsigned allowance_first_ms(const struct nn_report *report, const struct board *board,
                            unsigned tries);

#endif
