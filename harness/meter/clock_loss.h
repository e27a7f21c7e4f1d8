/*
 * Samples that a counter cannot miss: a 6-bit counter says nothing about losses of 64, 128, ...
 * samples, but then the stream falls behind the host's clock and stays there.
 *
 * Each piece of the stream gives d = time of arrival - samples so far * period. Delays on the way
 * only make d larger, so its minimum over 250 ms is the truth plus a little; a step of the minimum
 * that stays is a loss. A stall of the host is a step that goes away again: three blocks must agree.
 * Slow drift is the difference of two clocks and is followed.
 */
#ifndef HARNESS_METER_CLOCK_LOSS_H
#define HARNESS_METER_CLOCK_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_LOSS_BLOCK_NS 250000000u

struct clock_loss {
    double period_ns;
    unsigned unit; /* losses come in multiples of it: what the counter cannot see */
    uint64_t block_end_ns;
    bool has_block;
    double least; /* of the block under way */
    bool has_level;
    double level; /* of the last agreed block */
    double pending[2];
    int pending_count;
};

void clock_loss_init(struct clock_loss *c, double period_ns, unsigned unit);

/* A piece ended at `at_ns` with `samples` so far, lost ones included. Returns how many more are
 * missing, a multiple of the unit; the caller adds them to `samples`. */
uint64_t clock_loss_feed(struct clock_loss *c, uint64_t at_ns, uint64_t samples);

#endif
