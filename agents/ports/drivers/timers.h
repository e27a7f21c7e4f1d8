/* The counters of agents/ports/drivers/timer_*.c, for the lists in the board files. */
#ifndef AGENTS_PORTS_DRIVERS_TIMERS_H
#define AGENTS_PORTS_DRIVERS_TIMERS_H

#include "agents/ports/common/timer.h"

extern const struct timer timer_dwt;
extern const struct timer timer_systick;
extern const struct timer timer_nrf51;
extern const struct timer timer_stm32;
extern const struct timer timer_cmsdk;
extern const struct timer timer_sse;
extern const struct timer timer_mcycle;
extern const struct timer timer_esp32c3;

/* How the core sleeps where its own counters are the timebase: woken by SysTick, which goes on in
 * the sleep of most chips. A board header may name another way. */
#ifndef BOARD_DOZE
#define BOARD_DOZE guard_doze
#endif
uint32_t nrf52_doze(uint32_t ticks);

#endif
