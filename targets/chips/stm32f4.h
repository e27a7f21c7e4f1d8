/*
 * ST STM32F405 and F446 (Cortex-M4F). Source of the numbers: ST RM0090, RM0390, DS8626, DS10693.
 *
 *   0x08000000    flash, sectors of 16 KiB * 4, 64 KiB, then 128 KiB each; aliased at 0
 *                 (F405RG 1 MiB, F446RE 512 KiB)
 *   0x1fff7a10    96-bit identity
 *   0x20000000    128 KiB RAM (the F405's 64 KiB of CCM are not used: the emulated chip has none)
 *   0x40000000    peripherals; TIM2 is 32 bit wide
 */
#ifndef TARGETS_CHIPS_STM32F4_H
#define TARGETS_CHIPS_STM32F4_H

#include "targets/chips/chip.h"

#define STM32F4_FLASH_BASE   0x08000000
#define STM32F405_FLASH_SIZE 0x100000
#define STM32F446_FLASH_SIZE 0x80000
#define STM32F4_RAM_BASE     0x20000000
#define STM32F4_RAM_SIZE     0x20000

#define STM32F4_UID          0x1fff7a10

#define STM32F4_TIM2         0x40000000
#define STM32F4_USART1       0x40011000
#define STM32F4_USART1_IRQ   37
#define STM32F4_USART2       0x40004400
#define STM32F4_USART2_IRQ   38
#define STM32F4_PWR          0x40007000
#define STM32F4_GPIOA        0x40020000
#define STM32F4_RCC          0x40023800
#define STM32F4_FLASH_ACR    0x40023c00

#ifndef __ASSEMBLER__

/* What drives the PLL, and how fast it runs. */
struct stm32f4_clock {
    uint8_t outside_mhz; /* crystal, or clock on OSC_IN when `bypass`; else the internal 16 MHz */
    bool bypass;
    bool overdrive; /* F446: 180 MHz; else 168 MHz */
};

/* The core at 168 or 180 MHz, APB1 a quarter and APB2 half of it. */
void stm32f4_start_clock(const struct stm32f4_clock *clock);
void stm32f4_start_usart1(void);                         /* PA9 out, PA10 in */
void stm32f4_start_usart2(void);                         /* PA2 out, PA3 in */
void stm32f4_start_tim2(void);                           /* its clock only */
void stm32f4_start_output(uintptr_t port, unsigned pin); /* push-pull; port: STM32F4_GPIOx */
uint8_t stm32f4_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
