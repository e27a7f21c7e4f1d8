/*
 * SiFive HiFive1 (FE310) as QEMU's sifive_e has it: code in place from SPI flash, 128 KiB firmware,
 * 4 MiB model slot, 16 KiB RAM. Marker: GPIO 19 (DIG3), and the words at 0x80003ff0 and 0x80003ff4,
 * because GPIO has one address for both edges.
 */
#ifndef AGENTS_PORTS_BOARDS_SIFIVE_E_H
#define AGENTS_PORTS_BOARDS_SIFIVE_E_H

#include "targets/chips/fe310.h"

#define BOARD_FLASH_BASE    FE310_FLASH_BASE
#define BOARD_FLASH_SIZE    0x20000
#define BOARD_SLOT_BASE     (FE310_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE     0x400000
#define BOARD_RAM_BASE      FE310_RAM_BASE
#define BOARD_RAM_SIZE      FE310_RAM_SIZE

#define BOARD_CLOCK_HZ      16000000
#define BOARD_TICK_HZ       1000000000 /* QEMU's mcycle: nanoseconds of virtual time */
#define BOARD_MTIME_HZ      10000000   /* QEMU's; the chip's is 32768 */
#define BOARD_CLINT_BASE    0x02000000
#define BOARD_PLIC_BASE     FE310_PLIC
#define BOARD_UART_BASE     FE310_UART0
#define BOARD_UART_CLOCK_HZ BOARD_CLOCK_HZ
#define BOARD_UART_IRQ      FE310_UART0_IRQ
#define BOARD_MARKER_PIN    19

#define AGENT_MAX_PAYLOAD   132
#define AGENT_RX_RING       512
#define AGENT_CREDITS       3
#define AGENT_RECORDS       4

#endif
