/*
 * MPS3 AN547 (Cortex-M55 with Helium) as a part of 512 KiB flash for code, 2 MiB of memory for
 * models, and 512 KiB of tightly coupled RAM.
 */
#ifndef AGENTS_PORTS_BOARDS_MPS3_AN547_H
#define AGENTS_PORTS_BOARDS_MPS3_AN547_H

#include "targets/chips/mps3_an547.h"

#define BOARD_FLASH_BASE    AN547_ITCM_BASE
#define BOARD_FLASH_SIZE    0x80000
#define BOARD_SLOT_BASE     AN547_SRAM_BASE
#define BOARD_SLOT_SIZE     0x200000
#define BOARD_RAM_BASE      AN547_DTCM_BASE
#define BOARD_RAM_SIZE      0x80000

#define BOARD_CLOCK_HZ      32000000
#define BOARD_INTERRUPTS    34
#define BOARD_UART_BASE     AN547_UART0
#define BOARD_UART_CLOCK_HZ 25000000
#define BOARD_UART_IRQ      AN547_UART0_RX_IRQ
#define BOARD_GPIO_BASE     AN547_GPIO0

#endif
