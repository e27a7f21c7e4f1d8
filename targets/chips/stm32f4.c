/* STM32F4: clock, pins, reset cause. Register names as in RM0090 and RM0390. */
#include "targets/chips/stm32f4.h"

#include "targets/chips/stm32_gpio.h"
#include "targets/chips/stm32_reset.h"

enum {
    RCC_CR = 0x00,
    RCC_PLLCFGR = 0x04,
    RCC_CFGR = 0x08,
    RCC_AHB1ENR = 0x30,
    RCC_APB1ENR = 0x40,
    RCC_APB2ENR = 0x44,
    RCC_CSR = 0x74,

    CR_HSEON = 1 << 16,
    CR_HSERDY = 1 << 17,
    CR_HSEBYP = 1 << 18,
    CR_PLLON = 1 << 24,
    CR_PLLRDY = 1 << 25,

    PLL_N = 1 << 6, /* of 1 MHz; P = 2, which halves it, is field 0 */
    PLL_SRC_HSE = 1 << 22,
    PLL_Q_8 = 8 << 24,
    PLL_R_2 =
        2 << 28, /* not used; 0 is prohibited on the F446, the F405 wants its reset value, 2 */

    CFGR_SW_PLL = 2,
    CFGR_SWS = 3 << 2,
    CFGR_SWS_PLL = 2 << 2,
    CFGR_PPRE1_DIV4 = 5 << 10,
    CFGR_PPRE2_DIV2 = 4 << 13,

    ACR_5_WAITS = 5,
    ACR_PREFETCH_AND_CACHES = 7 << 8,

    AHB1_GPIOA = 1 << 0,
    APB1_TIM2 = 1 << 0,
    APB1_USART2 = 1 << 17,
    APB1_PWR = 1 << 28,
    APB2_USART1 = 1 << 4,

    CSR_RMVF = 1 << 24,
    CSR_BROWN_OUT = 1 << 25,
    CSR_PIN = 1 << 26,
    CSR_POR = 1 << 27,
    CSR_SOFTWARE = 1 << 28,
    CSR_WATCHDOGS = 3 << 29,

    PWR_CR = 0x00,
    PWR_CSR = 0x04,
    PWR_OVERDRIVE = 1 << 16,        /* ODEN, ODRDY */
    PWR_OVERDRIVE_SWITCH = 1 << 17, /* ODSWEN, ODSWRDY */

    AF_USART1_2 = 7,
};

static bool start_overdrive(void)
{
    REG32(STM32F4_RCC + RCC_APB1ENR) |= APB1_PWR;
    REG32(STM32F4_PWR + PWR_CR) |= PWR_OVERDRIVE;
    if (!chip_wait(STM32F4_PWR + PWR_CSR, PWR_OVERDRIVE, PWR_OVERDRIVE))
        return false;
    REG32(STM32F4_PWR + PWR_CR) |= PWR_OVERDRIVE_SWITCH;
    return chip_wait(STM32F4_PWR + PWR_CSR, PWR_OVERDRIVE_SWITCH, PWR_OVERDRIVE_SWITCH);
}

void stm32f4_start_clock(const struct stm32f4_clock *clock)
{
    uint32_t pll = 16;

    if (REG32(STM32F4_RCC + RCC_CR) == 0)
        return; /* HSION is never 0 while we run: an emulator without a clock controller */
    if (clock->bypass)
        REG32(STM32F4_RCC + RCC_CR) |= CR_HSEBYP; /* only while it is off */
    REG32(STM32F4_RCC + RCC_CR) |= CR_HSEON;
    if (chip_wait(STM32F4_RCC + RCC_CR, CR_HSERDY, CR_HSERDY))
        pll = clock->outside_mhz | PLL_SRC_HSE;
    REG32(STM32F4_RCC + RCC_PLLCFGR) =
        pll | (clock->overdrive ? 360u : 336u) * PLL_N | PLL_Q_8 | PLL_R_2;
    REG32(STM32F4_RCC + RCC_CR) |= CR_PLLON;
    if (clock->overdrive && !start_overdrive())
        return;
    if (!chip_wait(STM32F4_RCC + RCC_CR, CR_PLLRDY, CR_PLLRDY))
        return;
    REG32(STM32F4_FLASH_ACR) = ACR_5_WAITS | ACR_PREFETCH_AND_CACHES;
    REG32(STM32F4_RCC + RCC_CFGR) = CFGR_PPRE1_DIV4 | CFGR_PPRE2_DIV2 | CFGR_SW_PLL;
    (void)chip_wait(STM32F4_RCC + RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL);
}

static void start_pins(unsigned out, unsigned in)
{
    REG32(STM32F4_RCC + RCC_AHB1ENR) |= AHB1_GPIOA;
    stm32_gpio_alternate(STM32F4_GPIOA, out, AF_USART1_2);
    stm32_gpio_alternate(STM32F4_GPIOA, in, AF_USART1_2);
}

void stm32f4_start_usart1(void)
{
    REG32(STM32F4_RCC + RCC_APB2ENR) |= APB2_USART1;
    start_pins(9, 10);
}

void stm32f4_start_usart2(void)
{
    REG32(STM32F4_RCC + RCC_APB1ENR) |= APB1_USART2;
    start_pins(2, 3);
}

void stm32f4_start_tim2(void)
{
    REG32(STM32F4_RCC + RCC_APB1ENR) |= APB1_TIM2;
}

void stm32f4_start_output(uintptr_t port, unsigned pin)
{
    /* GPIOAEN is bit 0; the ports lie 0x400 apart. */
    REG32(STM32F4_RCC + RCC_AHB1ENR) |= AHB1_GPIOA << ((port - STM32F4_GPIOA) / 0x400);
    stm32_gpio_output(port, pin);
}

uint8_t stm32f4_reset_cause(void)
{
    static const struct stm32_reset_flags flags = {CSR_RMVF, CSR_WATCHDOGS, CSR_SOFTWARE,
                                                   CSR_POR,  CSR_BROWN_OUT, CSR_PIN};

    return stm32_reset_cause(STM32F4_RCC + RCC_CSR, &flags);
}
