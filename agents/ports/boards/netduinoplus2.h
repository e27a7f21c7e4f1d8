/* Netduino Plus 2 (STM32F405RG, 25 MHz crystal): 128 KiB firmware, 896 KiB model slot, 128 KiB RAM. */
#ifndef AGENTS_PORTS_BOARDS_NETDUINOPLUS2_H
#define AGENTS_PORTS_BOARDS_NETDUINOPLUS2_H

#include "targets/chips/stm32f4.h"

#define BOARD_FLASH_BASE    STM32F4_FLASH_BASE
#define BOARD_FLASH_SIZE    0x20000 /* sectors 0 to 4 */
#define BOARD_SLOT_BASE     (STM32F4_FLASH_BASE + 0x20000)
#define BOARD_SLOT_SIZE     (STM32F405_FLASH_SIZE - 0x20000)
#define BOARD_RAM_BASE      STM32F4_RAM_BASE
#define BOARD_RAM_SIZE      STM32F4_RAM_SIZE

#define BOARD_CLOCK_HZ      168000000
#define BOARD_INTERRUPTS    38
#define BOARD_UART_BASE     STM32F4_USART1
#define BOARD_UART_CLOCK_HZ 84000000
#define BOARD_UART_IRQ      STM32F4_USART1_IRQ
#define BOARD_MARKER_PIN    0 /* PA0 */

/* Used only where DWT does not count, which is QEMU: its TIM2 runs at 1 GHz of virtual time. */
#define BOARD_TIMER_BASE      STM32F4_TIM2
#define BOARD_TIMER_CLOCK_HZ  1000000000
#define BOARD_TIMER_PRESCALER 16

#endif
