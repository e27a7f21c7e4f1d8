/*
 * Nordic nRF52840-DK: 128 KiB firmware, 896 KiB model slot, 256 KiB RAM. The link is the probe's
 * serial port.
 */
#ifndef AGENTS_PORTS_BOARDS_NRF52840DK_H
#define AGENTS_PORTS_BOARDS_NRF52840DK_H

#include "targets/chips/nrf52840.h"

#define BOARD_FLASH_BASE         NRF52840_FLASH_BASE
#define BOARD_FLASH_SIZE         0x20000
#define BOARD_SLOT_BASE          0x20000
#define BOARD_SLOT_SIZE          (NRF52840_FLASH_SIZE - 0x20000)
#define BOARD_SLOT_PAGE_SIZE     NRF52840_PAGE_SIZE
#define BOARD_SLOT_PAGE_ERASE_MS NRF52840_PAGE_ERASE_MS
#define BOARD_RAM_BASE           NRF52840_RAM_BASE
#define BOARD_RAM_SIZE           NRF52840_RAM_SIZE

#define BOARD_CLOCK_HZ           64000000
#define BOARD_INTERRUPTS         3
#define BOARD_DOZE               nrf52_doze
#define BOARD_UART_BASE          NRF51_UART0
#define BOARD_UART_IRQ           NRF51_UART0_IRQ
#define BOARD_UART_TX_PIN        6
#define BOARD_UART_RX_PIN        8
#define BOARD_MARKER_PIN         3  /* P0.03, Arduino A0 */
#define BOARD_LED_PIN            13 /* P0.13, LED1 */
#define BOARD_LED_ON             false

#endif
