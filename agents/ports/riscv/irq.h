/*
 * The way of the link's interrupt to the core: a platform's interrupt controller, one of irq_*.c
 * linked per board.
 */
#ifndef AGENTS_PORTS_RISCV_IRQ_H
#define AGENTS_PORTS_RISCV_IRQ_H

#include <stdbool.h>
#include <stdint.h>

void irq_start(void);          /* let BOARD_UART_IRQ through; the core still masks it */
bool irq_take(uint32_t cause); /* mcause; true when it was an interrupt of ours, which is done */

#endif
