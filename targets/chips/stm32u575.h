/*
 * ST STM32U575 (Cortex-M33, 160 MHz, TrustZone off as shipped): 2 MiB flash, 768 KiB RAM.
 * Source of the numbers: ST RM0456, DS13737; CMSIS header stm32u575xx.h.
 *
 *   0x08000000    2 MiB  flash, two banks, pages of 8 KiB
 *   0x0bfa0700           96-bit identity
 *   0x20000000  768 KiB  RAM: SRAM1 192, SRAM2 64, SRAM3 512 KiB, end to end
 *   0x40000000           peripherals; GPIO at 0x42020000, RCC and PWR at 0x46020000
 */
#ifndef TARGETS_CHIPS_STM32U575_H
#define TARGETS_CHIPS_STM32U575_H

#include "targets/chips/chip.h"

#define STM32U575_FLASH_BASE 0x08000000
#define STM32U575_FLASH_SIZE 0x200000
#define STM32U575_RAM_BASE   0x20000000
#define STM32U575_RAM_SIZE   0xc0000

#define STM32U575_UID        0x0bfa0700

#define STM32U575_USART1     0x40013800
#define STM32U575_USART1_IRQ 61
#define STM32U575_FLASH_ACR  0x40022000
#define STM32U575_ICACHE     0x40030400
#define STM32U575_GPIOA      0x42020000
#define STM32U575_GPIOB      0x42020400
#define STM32U575_PWR        0x46020800
#define STM32U575_RCC        0x46020c00

#ifndef __ASSEMBLER__

void stm32u575_start_clock(void);  /* core and buses at 160 MHz, from the internal 16 MHz */
void stm32u575_start_usart1(void); /* PA9 out, PA10 in */
void stm32u575_start_output(uintptr_t port, unsigned pin); /* port: STM32U575_GPIOx */
uint8_t stm32u575_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
