/*
 * GPIO of the STM32 F2 and later (F4, L4, H7, U5): ports 0x400 apart, two mode bits a pin. The clock
 * of a port is its chip's business. RM0090 8, RM0432 8, RM0433 11, RM0456 13.
 */
#ifndef TARGETS_CHIPS_STM32_GPIO_H
#define TARGETS_CHIPS_STM32_GPIO_H

#include "targets/chips/chip.h"

#define STM32_GPIO_MODER 0x00
#define STM32_GPIO_BSRR  0x18 /* low half sets, high half clears */
#define STM32_GPIO_AFRL  0x20

#ifndef __ASSEMBLER__

static inline void stm32_gpio_mode(uintptr_t port, unsigned pin, uint32_t mode)
{
    const uintptr_t moder = port + STM32_GPIO_MODER;

    REG32(moder) = (REG32(moder) & ~(3u << (2 * pin))) | mode << (2 * pin);
}

static inline void stm32_gpio_output(uintptr_t port, unsigned pin)
{
    stm32_gpio_mode(port, pin, 1);
}

/* The pin serves a peripheral: alternate function 0 to 15. */
static inline void stm32_gpio_alternate(uintptr_t port, unsigned pin, uint32_t function)
{
    const uintptr_t afr = port + STM32_GPIO_AFRL + pin / 8 * 4;

    REG32(afr) = (REG32(afr) & ~(0xfu << (pin % 8 * 4))) | function << (pin % 8 * 4);
    stm32_gpio_mode(port, pin, 2);
}

/* Two addresses for the edges, so that an observer of stores can tell them apart. */
static inline void stm32_gpio_write(uintptr_t port, unsigned pin, bool high)
{
    REG16(port + STM32_GPIO_BSRR + (high ? 0 : 2)) = (uint16_t)(1u << pin);
}

#endif
#endif
