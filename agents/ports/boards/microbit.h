/* BBC micro:bit with the nRF51822 xxAC: 80 KiB firmware, 176 KiB model slot, 32 KiB RAM. */
#ifndef AGENTS_PORTS_BOARDS_MICROBIT_H
#define AGENTS_PORTS_BOARDS_MICROBIT_H

#include "targets/chips/nrf51.h"

#define BOARD_FLASH_BASE         NRF51_FLASH_BASE
#define BOARD_FLASH_SIZE         0x14000
#define BOARD_SLOT_BASE          0x14000
#define BOARD_SLOT_SIZE          (NRF51_FLASH_SIZE - 0x14000)
#define BOARD_SLOT_PAGE_SIZE     NRF51_PAGE_SIZE
#define BOARD_SLOT_PAGE_ERASE_MS 22
#define BOARD_RAM_BASE           NRF51_RAM_BASE
#define BOARD_RAM_SIZE           NRF51_RAM_SIZE

#define BOARD_CLOCK_HZ           16000000
#define BOARD_INTERRUPTS         9
#define BOARD_UART_BASE          NRF51_UART0
#define BOARD_UART_IRQ           NRF51_UART0_IRQ
#define BOARD_UART_TX_PIN        24
#define BOARD_UART_RX_PIN        25
#define BOARD_TIMER_IRQ          NRF51_TIMER0_IRQ
#define BOARD_MARKER_PIN         3 /* edge connector P0 */

/* The smallest part we serve: see the size bars in PORTING.md. */
#define AGENT_MAX_PAYLOAD 68
#define AGENT_RX_RING     256
#define AGENT_CREDITS     3
#define AGENT_RECORDS     4

#endif
