/*
 * ST NUCLEO-L4R5ZI, the reference board of MLPerf Tiny: 128 KiB firmware, 1920 KiB model slot,
 * 640 KiB RAM. The link is the probe's serial port; the LED is LD2.
 */
#ifndef AGENTS_PORTS_BOARDS_NUCLEO_L4R5ZI_H
#define AGENTS_PORTS_BOARDS_NUCLEO_L4R5ZI_H

#include "targets/chips/stm32l4r5.h"

#define BOARD_FLASH_BASE    STM32L4R5_FLASH_BASE
#define BOARD_FLASH_SIZE    0x20000
#define BOARD_SLOT_BASE     (STM32L4R5_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE     (STM32L4R5_FLASH_SIZE - 0x20000)
#define BOARD_RAM_BASE      STM32L4R5_RAM_BASE
#define BOARD_RAM_SIZE      STM32L4R5_RAM_SIZE

#define BOARD_CLOCK_HZ      120000000
#define BOARD_INTERRUPTS    (STM32L4R5_LPUART1_IRQ + 1)
#define BOARD_UART_BASE     STM32L4R5_LPUART1
#define BOARD_UART_CLOCK_HZ 120000000
#define BOARD_UART_IRQ      STM32L4R5_LPUART1_IRQ
#define BOARD_LPUART        1
#define BOARD_MARKER_PIN    5 /* PA5, Arduino D13 */
#define BOARD_LED_PIN       7 /* PB7 */

#endif
