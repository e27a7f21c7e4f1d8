/*
 * ATmega2560 at 16 MHz (Arduino Mega): 256 KiB firmware, 8 KiB RAM, which a model shares with its
 * arena, so that engines reach it through ordinary pointers. Marker: PB5 (digital 11).
 */
#ifndef AGENTS_PORTS_BOARDS_ATMEGA2560_H
#define AGENTS_PORTS_BOARDS_ATMEGA2560_H

#include "targets/chips/avr.h"

#define BOARD_FLASH_SIZE    ATMEGA2560_FLASH_SIZE
#define BOARD_RAM_BASE      ATMEGA2560_RAM_BASE
#define BOARD_RAM_SIZE      ATMEGA2560_RAM_SIZE

#define BOARD_CLOCK_HZ      16000000
#define BOARD_UART_CLOCK_HZ BOARD_CLOCK_HZ

#define AGENT_MAX_PAYLOAD   68
#define AGENT_RX_RING       256
#define AGENT_CREDITS       3
#define AGENT_RECORDS       4
#define AGENT_SHARED_RAM    1

#endif
