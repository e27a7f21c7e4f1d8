/*
 * What a board file (agents/ports/boards/NAME.h and .c) tells the port it runs on.
 *
 * The header holds numbers only, for C and for the linker script:
 *   BOARD_FLASH_BASE, _SIZE    where the firmware lies
 *   BOARD_SLOT_BASE, _SIZE     the model slot (0, 0: a share of RAM behind the static data)
 *   BOARD_RAM_BASE, _SIZE      stack, static data, arena, in this order
 *   BOARD_CLOCK_HZ             the core's clock
 *   BOARD_UART_BASE, _CLOCK_HZ, _IRQ
 *   BOARD_PLIC_BASE, or BOARD_INTERRUPT_MATRIX   RISC-V: where interrupts come from
 *   BOARD_DATA_WINDOW          constants are read here, at the same offset as in the flash
 *   BOARD_RTT_UP, _DOWN        instead: bytes of the rings of drivers/link_rtt.c
 *   BOARD_INJECTED             the image is put into RAM, clock and memory are written into it
 *   AGENT_*                    sizes of the core (agents/core/config.h)
 */
#ifndef AGENTS_PORTS_COMMON_BOARD_H
#define AGENTS_PORTS_COMMON_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include BOARD_HEADER

#include "agents/ports/common/timer.h"

void board_start(void); /* clocks, pins; called first, with interrupts off */
void board_marker(bool high);
uint8_t board_reset_cause(void); /* enum chip_reset */
void board_reset(void);          /* where the core has no reset of its own; may return */
bool board_uid(uint8_t uid[12]); /* false: the chip has no identity; uid comes in as zeros */

/* Counters worth trying, best first; ends with NULL. */
extern const struct timer *const board_timers[];

#endif
