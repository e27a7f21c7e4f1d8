/*
 * ST NUCLEO-F446RE: 128 KiB firmware, 384 KiB model slot, 128 KiB RAM. The link is the probe's serial
 * port; OSC_IN gets the probe's 8 MHz.
 */
#ifndef AGENTS_PORTS_BOARDS_NUCLEO_F446RE_H
#define AGENTS_PORTS_BOARDS_NUCLEO_F446RE_H

#include "targets/chips/stm32f4.h"

#define BOARD_FLASH_BASE    STM32F4_FLASH_BASE
#define BOARD_FLASH_SIZE    0x20000 /* sectors 0 to 4 */
#define BOARD_SLOT_BASE     (STM32F4_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE     (STM32F446_FLASH_SIZE - 0x20000)
#define BOARD_RAM_BASE      STM32F4_RAM_BASE
#define BOARD_RAM_SIZE      STM32F4_RAM_SIZE

#define BOARD_CLOCK_HZ      180000000
#define BOARD_INTERRUPTS    39
#define BOARD_UART_BASE     STM32F4_USART2
#define BOARD_UART_CLOCK_HZ 45000000
#define BOARD_UART_IRQ      STM32F4_USART2_IRQ
#define BOARD_MARKER_PIN    8 /* PA8, Arduino D7 */
#define BOARD_LED_PIN       5 /* PA5, LD2 */

#endif
