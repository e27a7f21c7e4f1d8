/*
 * Renesas EK-RA8D1: 128 KiB firmware, 1920 KiB model slot, 896 KiB RAM. The link is the probe's
 * serial port (SCI9).
 */
#ifndef AGENTS_PORTS_BOARDS_EK_RA8D1_H
#define AGENTS_PORTS_BOARDS_EK_RA8D1_H

#include "targets/chips/ra8d1.h"

#define BOARD_FLASH_BASE     RA8D1_FLASH_BASE
#define BOARD_FLASH_SIZE     0x20000
#define BOARD_SLOT_BASE      (RA8D1_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE      (RA8D1_FLASH_SIZE - 0x20000)
#define BOARD_RAM_BASE       RA8D1_RAM_BASE
#define BOARD_RAM_SIZE       RA8D1_RAM_SIZE

#define BOARD_CLOCK_HZ       480000000
#define BOARD_INTERRUPTS     2
#define BOARD_UART_BASE      RA8D1_SCI9
#define BOARD_UART_CLOCK_HZ  120000000
#define BOARD_UART_IRQ       0 /* the slots that ra8d1_start_sci9() takes */
#define BOARD_UART_ERROR_IRQ 1
#define BOARD_MARKER_PORT    4
#define BOARD_MARKER_PIN     14 /* P414, LED2 */
#define BOARD_LED_PORT       6
#define BOARD_LED_PIN        0 /* P600, LED1 */

#endif
