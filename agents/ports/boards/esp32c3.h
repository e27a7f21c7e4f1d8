/*
 * Espressif ESP32-C3-DevKitM-1: direct boot from its 4 MiB flash, UART0 through its USB bridge, the
 * core on the 40 MHz crystal (the PLL is behind an analog bus that no public manual describes).
 * Half of the RAM is the model slot: the cached flash belongs to the firmware. Marker: GPIO 5.
 */
#ifndef AGENTS_PORTS_BOARDS_ESP32C3_H
#define AGENTS_PORTS_BOARDS_ESP32C3_H

#include "targets/chips/esp32c3.h"

#define BOARD_FLASH_BASE       ESP32C3_FLASH_BASE
#define BOARD_FLASH_SIZE       0x400000
#define BOARD_DATA_WINDOW      ESP32C3_DATA_WINDOW
#define BOARD_RAM_BASE         ESP32C3_RAM_BASE
#define BOARD_RAM_SIZE         0x20000
#define BOARD_SLOT_BASE        (ESP32C3_RAM_BASE + 0x20000)
#define BOARD_SLOT_SIZE        0x20000

#define BOARD_CLOCK_HZ         ESP32C3_CRYSTAL_HZ
#define BOARD_TICK_HZ          BOARD_CLOCK_HZ
#define BOARD_UART_BASE        ESP32C3_UART0
#define BOARD_UART_CLOCK_HZ    ESP32C3_CRYSTAL_HZ
#define BOARD_UART_IRQ         ESP32C3_UART0_IRQ
#define BOARD_INTERRUPT_MATRIX ESP32C3_INTERRUPT
#define BOARD_MARKER_PIN       5

#define AGENT_MAX_PAYLOAD      1028
#define AGENT_RX_RING          4096
#define AGENT_CREDITS          3
#define AGENT_RECORDS          8

#endif
