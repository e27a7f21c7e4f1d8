/*
 * ST STM32L4R5 (Cortex-M4F, 120 MHz): 2 MiB flash, 640 KiB RAM. Source of the numbers: ST RM0432,
 * DS12023; CMSIS header stm32l4r5xx.h.
 *
 *   0x08000000    2 MiB  flash, two banks, pages of 4 KiB
 *   0x1fff7590           96-bit identity
 *   0x20000000  640 KiB  RAM: SRAM1 192, SRAM2 64, SRAM3 384 KiB, end to end
 *   0x40000000           peripherals; GPIO at 0x48000000
 */
#ifndef TARGETS_CHIPS_STM32L4R5_H
#define TARGETS_CHIPS_STM32L4R5_H

#include "targets/chips/chip.h"

#define STM32L4R5_FLASH_BASE  0x08000000
#define STM32L4R5_FLASH_SIZE  0x200000
#define STM32L4R5_RAM_BASE    0x20000000
#define STM32L4R5_RAM_SIZE    0xa0000

#define STM32L4R5_UID         0x1fff7590

#define STM32L4R5_PWR         0x40007000
#define STM32L4R5_LPUART1     0x40008000
#define STM32L4R5_LPUART1_IRQ 70
#define STM32L4R5_RCC         0x40021000
#define STM32L4R5_FLASH_ACR   0x40022000
#define STM32L4R5_GPIOA       0x48000000
#define STM32L4R5_GPIOB       0x48000400
#define STM32L4R5_GPIOG       0x48001800

#ifndef __ASSEMBLER__

void stm32l4r5_start_clock(void);   /* core and buses at 120 MHz, from the internal 16 MHz */
void stm32l4r5_start_lpuart1(void); /* PG7 out, PG8 in, and the supply of port G */
void stm32l4r5_start_output(uintptr_t port, unsigned pin); /* port: STM32L4R5_GPIOx */
uint8_t stm32l4r5_reset_cause(void); /* enum chip_reset; reads and clears the flags */

#endif
#endif
