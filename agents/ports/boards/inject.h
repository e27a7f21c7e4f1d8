/*
 * No board at all: the image that a debug probe puts into the RAM of any chip with this core. What
 * depends on the chip is data that the host writes (struct port_layout); pins and clock stay as
 * they are after reset.
 */
#ifndef AGENTS_PORTS_BOARDS_INJECT_H
#define AGENTS_PORTS_BOARDS_INJECT_H

#include "targets/chips/chip.h"

#define BOARD_INJECTED 1
#define BOARD_RTT_UP   2048
#define BOARD_RTT_DOWN 1024

/* Unknown here, and told to the host from port_layout. Above 2^32 / 60 Hz, so that SysTick watches
 * over the wraps of a counter that may be fast (timer_systick.c). */
#define BOARD_CLOCK_HZ   100000000
#define BOARD_INTERRUPTS 1

#endif
