/*
 * QEMU's rv32 virt machine as a part of 1 MiB flash (128 KiB firmware, 896 slot) and 256 KiB RAM.
 * It has no pins: the marker is the pair of words at the end of RAM, 0x8013fff0 and 0x8013fff4.
 */
#ifndef AGENTS_PORTS_BOARDS_RV32_VIRT_H
#define AGENTS_PORTS_BOARDS_RV32_VIRT_H

#include "targets/chips/rv32_virt.h"

#define BOARD_FLASH_BASE RV32_VIRT_RAM_BASE
#define BOARD_FLASH_SIZE 0x20000
#define BOARD_SLOT_BASE  (RV32_VIRT_RAM_BASE + 0x20000)
#define BOARD_SLOT_SIZE  0xe0000
#define BOARD_RAM_BASE   (RV32_VIRT_RAM_BASE + 0x100000)
#define BOARD_RAM_SIZE   0x40000

/* It has no clock of its own either: mcycle counts nanoseconds of virtual time. */
#define BOARD_CLOCK_HZ      1000000000
#define BOARD_TICK_HZ       1000000000
#define BOARD_MTIME_HZ      10000000
#define BOARD_CLINT_BASE    0x02000000
#define BOARD_PLIC_BASE     RV32_VIRT_PLIC
#define BOARD_UART_BASE     RV32_VIRT_UART
#define BOARD_UART_CLOCK_HZ 3686400
#define BOARD_UART_IRQ      RV32_VIRT_UART_IRQ

#endif
