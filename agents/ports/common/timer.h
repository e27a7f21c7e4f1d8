/*
 * A counter that may become the timebase, and the choice among those a board has.
 */
#ifndef AGENTS_PORTS_COMMON_TIMER_H
#define AGENTS_PORTS_COMMON_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
    uint8_t kind; /* WIRE_TIMEBASE_* */
    uint8_t bits; /* of the hardware counter */
    uint32_t hz;
    void (*start)(void);
    uint64_t (*ticks)(void); /* 64 bit, monotonic while read or guarded once in each wrap */
    /*
     * A measured stretch begins or ends. A counter that has to interrupt within it starts its
     * period here, so that the same code always meets the same number of interrupts. May be NULL.
     */
    void (*quiet)(bool quiet);
    /*
     * Sleep for at most so many ticks (early is fine). NULL: spin instead. Only in quiet times.
     * Returns how many ticks it was by the alarm clock, for counters that stand still meanwhile; 0
     * when that is this counter itself.
     */
    uint32_t (*doze)(uint32_t ticks);
};

/* Try the board's candidates: started, run against a loop, taken when they count. */
void timer_choose(void);
const struct timer *timer_chosen(void);

/*
 * 32 bits to 64, for counters with no wrap flag of their own. Must see the counter at least once
 * in every wrap. Not reentrant: call it with interrupts off.
 */
uint64_t timer_extend(uint32_t now);

#endif
