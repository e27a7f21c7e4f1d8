/*
 * Arduino Nano 33 BLE (nRF52840): 128 KiB firmware behind the 64 KiB of the Arduino boot loader,
 * which stays, 832 KiB model slot, 256 KiB RAM. The link is D1 (out) and D0 (in), through a USB
 * serial adapter of 3.3 V: the board's own USB port is not used.
 */
#ifndef AGENTS_PORTS_BOARDS_NANO33BLE_H
#define AGENTS_PORTS_BOARDS_NANO33BLE_H

#include "targets/chips/nrf52840.h"

#define BOARD_FLASH_BASE         0x10000
#define BOARD_FLASH_SIZE         0x20000
#define BOARD_SLOT_BASE          0x30000
#define BOARD_SLOT_SIZE          (NRF52840_FLASH_SIZE - 0x30000)
#define BOARD_SLOT_PAGE_SIZE     NRF52840_PAGE_SIZE
#define BOARD_SLOT_PAGE_ERASE_MS NRF52840_PAGE_ERASE_MS
#define BOARD_RAM_BASE           NRF52840_RAM_BASE
#define BOARD_RAM_SIZE           NRF52840_RAM_SIZE

#define BOARD_CLOCK_HZ           64000000
#define BOARD_INTERRUPTS         3
#define BOARD_DOZE               nrf52_doze
#define BOARD_UART_BASE          NRF51_UART0
#define BOARD_UART_IRQ           NRF51_UART0_IRQ
#define BOARD_UART_TX_PIN        35 /* P1.03, D1 */
#define BOARD_UART_RX_PIN        42 /* P1.10, D0 */
#define BOARD_MARKER_PIN         43 /* P1.11, D2 */
#define BOARD_LED_PIN            13 /* P0.13, LED_BUILTIN */
#define BOARD_LED_ON             true

#endif
