/*
 * Raspberry Pi Pico (RP2040): 128 KiB firmware with the boot ROM's loader in front, 1920 KiB model
 * slot in the 2 MiB flash, 264 KiB RAM. The link is GPIO 0 (out) and 1 (in), as on the Debug Probe.
 */
#ifndef AGENTS_PORTS_BOARDS_PICO_H
#define AGENTS_PORTS_BOARDS_PICO_H

#include "targets/chips/rp2040.h"

#define BOARD_BOOT_BASE     RP2040_FLASH_BASE
#define BOARD_BOOT_SIZE     RP2040_BOOT2_SIZE
#define BOARD_FLASH_BASE    (RP2040_FLASH_BASE + RP2040_BOOT2_SIZE)
#define BOARD_FLASH_SIZE    (0x20000 - RP2040_BOOT2_SIZE)
#define BOARD_SLOT_BASE     (RP2040_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE     0x1e0000
#define BOARD_RAM_BASE      RP2040_RAM_BASE
#define BOARD_RAM_SIZE      RP2040_RAM_SIZE

#define BOARD_CLOCK_HZ      125000000
#define BOARD_INTERRUPTS    21
#define BOARD_UART_BASE     RP2040_UART0
#define BOARD_UART_CLOCK_HZ 12000000
#define BOARD_UART_IRQ      RP2040_UART0_IRQ
#define BOARD_MARKER_PIN    2
#define BOARD_LED_PIN       25

#endif
