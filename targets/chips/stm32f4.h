/*
 * ST STM32F405RG (Cortex-M4F, 168 MHz): 1 MiB flash, 128 KiB RAM (and 64 KiB CCM, not used: the
 * emulated chip has none). Source of the numbers: ST RM0090, DS8626.
 *
 *   0x08000000    1 MiB  flash, sectors of 16 KiB * 4, 64 KiB, 128 KiB * 7; aliased at 0
 *   0x1fff7a10           96-bit identity
 *   0x20000000  128 KiB  RAM
 *   0x40000000           peripherals; TIM2 is 32 bit wide
 */
#ifndef TARGETS_CHIPS_STM32F4_H
#define TARGETS_CHIPS_STM32F4_H

#include "targets/chips/chip.h"

#define STM32F4_FLASH_BASE 0x08000000
#define STM32F4_FLASH_SIZE 0x100000
#define STM32F4_RAM_BASE   0x20000000
#define STM32F4_RAM_SIZE   0x20000

#define STM32F4_UID        0x1fff7a10

#define STM32F4_TIM2       0x40000000
#define STM32F4_USART1     0x40011000
#define STM32F4_USART1_IRQ 37
#define STM32F4_GPIOA      0x40020000
#define STM32F4_GPIO_BSRR  0x18
#define STM32F4_RCC        0x40023800
#define STM32F4_FLASH_ACR  0x40023c00

#ifndef __ASSEMBLER__

/* 168 MHz from a crystal of crystal_mhz, else from the internal 16 MHz; APB1 42, APB2 84 MHz. */
void stm32f4_start_clock(uint32_t crystal_mhz);
void stm32f4_start_usart1(void);                         /* PA9 out, PA10 in */
void stm32f4_start_tim2(void);                           /* its clock only */
void stm32f4_start_output(uintptr_t port, unsigned pin); /* push-pull; port: STM32F4_GPIOx */
uint8_t stm32f4_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
