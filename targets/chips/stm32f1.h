/*
 * ST STM32F100RB (Cortex-M3, 24 MHz): 128 KiB flash, 8 KiB RAM.
 * Source of the numbers: ST RM0041, DS5944.
 *
 *   0x08000000  128 KiB  flash, pages of 1 KiB; aliased at 0 when booting from it
 *   0x1ffff7e8           96-bit identity
 *   0x20000000    8 KiB  RAM
 *   0x40000000           peripherals
 */
#ifndef TARGETS_CHIPS_STM32F1_H
#define TARGETS_CHIPS_STM32F1_H

#include "targets/chips/chip.h"

#define STM32F1_FLASH_BASE 0x08000000
#define STM32F1_FLASH_SIZE 0x20000
#define STM32F1_RAM_BASE   0x20000000
#define STM32F1_RAM_SIZE   0x2000

#define STM32F1_UID        0x1ffff7e8

#define STM32F1_GPIOA      0x40010800
#define STM32F1_GPIOC      0x40011000
#define STM32F1_GPIO_CRL   0x00
#define STM32F1_GPIO_CRH   0x04
#define STM32F1_GPIO_BSRR  0x10
#define STM32F1_GPIO_BRR   0x14
#define STM32F1_USART1     0x40013800
#define STM32F1_USART1_IRQ 37
#define STM32F1_RCC        0x40021000
#define STM32F1_FLASH_ACR  0x40022000

#ifndef __ASSEMBLER__

/* 24 MHz from an 8 MHz crystal, or from the internal oscillator when the crystal does not start. */
void stm32f1_start_clock(void);
void stm32f1_start_usart1(void);                         /* PA9 out, PA10 in */
void stm32f1_start_output(uintptr_t port, unsigned pin); /* push-pull; port: STM32F1_GPIOx */
uint8_t stm32f1_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
