/* STM32F4: clock, pins, reset cause. Register names as in RM0090. */
#include "targets/chips/stm32f4.h"

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
    CR_PLLON = 1 << 24,
    CR_PLLRDY = 1 << 25,

    PLL_N_336 = 336 << 6, /* 1 MHz * 336 / 2 = 168 MHz; P = 2 is field 0 */
    PLL_SRC_HSE = 1 << 22,
    PLL_Q_7 = 7 << 24,

    CFGR_SW_PLL = 2,
    CFGR_SWS = 3 << 2,
    CFGR_SWS_PLL = 2 << 2,
    CFGR_PPRE1_DIV4 = 5 << 10,
    CFGR_PPRE2_DIV2 = 4 << 13,

    ACR_5_WAITS = 5,
    ACR_PREFETCH_AND_CACHES = 7 << 8,

    AHB1_GPIOA = 1 << 0,
    APB1_TIM2 = 1 << 0,
    APB2_USART1 = 1 << 4,

    CSR_RMVF = 1 << 24,
    CSR_BROWN_OUT = 1 << 25,
    CSR_PIN = 1 << 26,
    CSR_POR = 1 << 27,
    CSR_SOFTWARE = 1 << 28,
    CSR_WATCHDOGS = 3 << 29,

    GPIO_MODER = 0x00,
    GPIO_AFRH = 0x24,
    MODE_OUTPUT = 1,
    MODE_ALTERNATE = 2,
    AF_USART1 = 7,
};

void stm32f4_start_clock(uint32_t crystal_mhz)
{
    uint32_t pll = 16;

    if (REG32(STM32F4_RCC + RCC_CR) == 0)
        return; /* HSION is never 0 while we run: an emulator without a clock controller */
    REG32(STM32F4_RCC + RCC_CR) |= CR_HSEON;
    if (chip_wait(STM32F4_RCC + RCC_CR, CR_HSERDY, CR_HSERDY))
        pll = crystal_mhz | PLL_SRC_HSE;
    REG32(STM32F4_RCC + RCC_PLLCFGR) = pll | PLL_N_336 | PLL_Q_7;
    REG32(STM32F4_RCC + RCC_CR) |= CR_PLLON;
    if (!chip_wait(STM32F4_RCC + RCC_CR, CR_PLLRDY, CR_PLLRDY))
        return;
    REG32(STM32F4_FLASH_ACR) = ACR_5_WAITS | ACR_PREFETCH_AND_CACHES;
    REG32(STM32F4_RCC + RCC_CFGR) = CFGR_PPRE1_DIV4 | CFGR_PPRE2_DIV2 | CFGR_SW_PLL;
    (void)chip_wait(STM32F4_RCC + RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL);
}

static void pin_mode(uintptr_t port, unsigned pin, uint32_t mode)
{
    uintptr_t moder = port + GPIO_MODER;

    REG32(moder) = (REG32(moder) & ~(3u << (2 * pin))) | mode << (2 * pin);
}

void stm32f4_start_usart1(void)
{
    REG32(STM32F4_RCC + RCC_AHB1ENR) |= AHB1_GPIOA;
    REG32(STM32F4_RCC + RCC_APB2ENR) |= APB2_USART1;
    REG32(STM32F4_GPIOA + GPIO_AFRH) |= AF_USART1 << 4 | AF_USART1 << 8; /* pins 9 and 10 */
    pin_mode(STM32F4_GPIOA, 9, MODE_ALTERNATE);
    pin_mode(STM32F4_GPIOA, 10, MODE_ALTERNATE);
}

void stm32f4_start_tim2(void)
{
    REG32(STM32F4_RCC + RCC_APB1ENR) |= APB1_TIM2;
}

void stm32f4_start_output(uintptr_t port, unsigned pin)
{
    /* GPIOAEN is bit 0; the ports lie 0x400 apart. */
    REG32(STM32F4_RCC + RCC_AHB1ENR) |= AHB1_GPIOA << ((port - STM32F4_GPIOA) / 0x400);
    pin_mode(port, pin, MODE_OUTPUT);
}

uint8_t stm32f4_reset_cause(void)
{
    uint32_t why = REG32(STM32F4_RCC + RCC_CSR);

    REG32(STM32F4_RCC + RCC_CSR) = why | CSR_RMVF;
    if ((why & CSR_WATCHDOGS) != 0)
        return CHIP_RESET_WATCHDOG;
    if ((why & CSR_SOFTWARE) != 0)
        return CHIP_RESET_SOFTWARE;
    if ((why & CSR_POR) != 0)
        return CHIP_RESET_POWER;
    if ((why & CSR_BROWN_OUT) != 0)
        return CHIP_RESET_BROWN_OUT;
    return (why & CSR_PIN) != 0 ? CHIP_RESET_PIN : CHIP_RESET_UNKNOWN;
}
