/*
 * ST STM32H743 (Cortex-M7, 400 MHz, which every revision of it can do): 2 MiB flash, 512 KiB RAM
 * behind the data cache. Source of the numbers: ST RM0433, DS12110; CMSIS header stm32h743xx.h.
 *
 *   0x08000000    2 MiB  flash, two banks, sectors of 128 KiB
 *   0x1ff1e800           96-bit identity
 *   0x20000000  128 KiB  DTCM (not used)
 *   0x24000000  512 KiB  AXI SRAM
 *   0x40000000           peripherals; D1 at 0x52000000, D3 at 0x58000000
 */
#ifndef TARGETS_CHIPS_STM32H743_H
#define TARGETS_CHIPS_STM32H743_H

#include "targets/chips/chip.h"

#define STM32H743_FLASH_BASE 0x08000000
#define STM32H743_FLASH_SIZE 0x200000
#define STM32H743_RAM_BASE   0x24000000
#define STM32H743_RAM_SIZE   0x80000

#define STM32H743_UID        0x1ff1e800

#define STM32H743_USART3     0x40004800
#define STM32H743_USART3_IRQ 39
#define STM32H743_FLASH_ACR  0x52002000
#define STM32H743_GPIOA      0x58020000
#define STM32H743_GPIOB      0x58020400
#define STM32H743_GPIOD      0x58020c00
#define STM32H743_RCC        0x58024400
#define STM32H743_PWR        0x58024800

#ifndef __ASSEMBLER__

/* Core 400 MHz, AXI and AHB 200, APB 100; from 8 MHz on OSC_IN, else the internal 64 MHz. */
void stm32h743_start_clock(void);
void stm32h743_start_usart3(void);                         /* PD8 out, PD9 in */
void stm32h743_start_output(uintptr_t port, unsigned pin); /* port: STM32H743_GPIOx */
uint8_t stm32h743_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
