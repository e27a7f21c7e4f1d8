/*
 * The agent's core: everything a target does with frames, models and windows, over the functions
 * of port.h. A port calls agent_main() from main() and agent_rx() from its receive interrupt.
 *
 * No heap, no libc; one static object whose size config.h sets.
 */
#ifndef AGENTS_CORE_AGENT_H
#define AGENTS_CORE_AGENT_H

#include <stdbool.h>
#include <stdint.h>

/* port_init(), then serve for ever. */
_Noreturn void agent_main(void);

/* The two halves of agent_main() for ports that own the loop (posix, fuzzers). */
void agent_start(void);     /* self-test of the timebase, then HELLO with nonce 0 */
void agent_poll(void);      /* handle what agent_rx() collected; returns when that is empty */
bool agent_may_sleep(void); /* false while a baud switch is on trial, and between two TIMEs */

/* For the port's receive interrupt. */
void agent_rx(uint8_t byte);
void agent_rx_lost(void); /* a byte overran the hardware */
bool agent_rx_pending(void);

#endif
