/* STM32L4R5: clock, pins, reset cause. Register names as in RM0432. */
#include "targets/chips/stm32l4r5.h"

#include "targets/chips/stm32_gpio.h"
#include "targets/chips/stm32_reset.h"

enum {
    RCC_CR = 0x00,
    RCC_CFGR = 0x08,
    RCC_PLLCFGR = 0x0c,
    RCC_AHB2ENR = 0x4c,
    RCC_APB1ENR1 = 0x58,
    RCC_APB1ENR2 = 0x5c,
    RCC_CSR = 0x94,

    CR_HSION = 1 << 8,
    CR_HSIRDY = 1 << 10,
    CR_PLLON = 1 << 24,
    CR_PLLRDY = 1 << 25,

    PLL_SRC_HSI16 = 2,
    PLL_M_4 = 3 << 4, /* 16 MHz / 4 * 60 / 2 = 120 MHz */
    PLL_N_60 = 60 << 8,
    PLL_R_2 = 0 << 25,
    PLL_R_ON = 1 << 24,

    CFGR_SW_PLL = 3,
    CFGR_SWS = 3 << 2,
    CFGR_SWS_PLL = 3 << 2,
    CFGR_HPRE_DIV2 = 8 << 4,

    APB1_PWR = 1 << 28,
    APB1_2_LPUART1 = 1 << 0,
    AHB2_GPIOA = 1 << 0,
    AHB2_GPIOG = 1 << 6,

    PWR_CR2 = 0x04,
    PWR_CR5 = 0x80,
    CR2_IOSV = 1 << 9,
    CR5_R1MODE = 1 << 8,

    ACR_5_WAITS = 5,
    ACR_LATENCY = 15,
    ACR_PREFETCH_AND_CACHES = 7 << 8,

    CSR_RMVF = 1 << 23,
    CSR_PIN = 1 << 26,
    CSR_BROWN_OUT = 1 << 27, /* power-on too: it has no flag of its own */
    CSR_SOFTWARE = 1 << 28,
    CSR_WATCHDOGS = 3 << 29,

    AF_LPUART1 = 8,
};

void stm32l4r5_start_clock(void)
{
    REG32(STM32L4R5_RCC + RCC_APB1ENR1) |= APB1_PWR;
    REG32(STM32L4R5_RCC + RCC_CR) |= CR_HSION;
    if (!chip_wait(STM32L4R5_RCC + RCC_CR, CR_HSIRDY, CR_HSIRDY))
        return;
    REG32(STM32L4R5_PWR + PWR_CR5) &= ~(uint32_t)CR5_R1MODE; /* range 1 boost, for over 80 MHz */
    REG32(STM32L4R5_RCC + RCC_PLLCFGR) = PLL_SRC_HSI16 | PLL_M_4 | PLL_N_60 | PLL_R_2 | PLL_R_ON;
    REG32(STM32L4R5_RCC + RCC_CR) |= CR_PLLON;
    REG32(STM32L4R5_FLASH_ACR) = ACR_5_WAITS | ACR_PREFETCH_AND_CACHES;
    if (!chip_wait(STM32L4R5_FLASH_ACR, ACR_LATENCY, ACR_5_WAITS) ||
        !chip_wait(STM32L4R5_RCC + RCC_CR, CR_PLLRDY, CR_PLLRDY))
        return;
    /* From below 80 MHz to above it by way of half of it, for a microsecond at least. */
    REG32(STM32L4R5_RCC + RCC_CFGR) = CFGR_HPRE_DIV2 | CFGR_SW_PLL;
    (void)chip_wait(STM32L4R5_RCC + RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL);
    for (volatile uint32_t n = 0; n < 60; n++)
        ;
    REG32(STM32L4R5_RCC + RCC_CFGR) = CFGR_SW_PLL;
}

void stm32l4r5_start_lpuart1(void)
{
    REG32(STM32L4R5_PWR + PWR_CR2) |= CR2_IOSV;
    REG32(STM32L4R5_RCC + RCC_AHB2ENR) |= AHB2_GPIOG;
    REG32(STM32L4R5_RCC + RCC_APB1ENR2) |= APB1_2_LPUART1;
    stm32_gpio_alternate(STM32L4R5_GPIOG, 7, AF_LPUART1);
    stm32_gpio_alternate(STM32L4R5_GPIOG, 8, AF_LPUART1);
}

void stm32l4r5_start_output(uintptr_t port, unsigned pin)
{
    REG32(STM32L4R5_RCC + RCC_AHB2ENR) |= AHB2_GPIOA << ((port - STM32L4R5_GPIOA) / 0x400);
    stm32_gpio_output(port, pin);
}

uint8_t stm32l4r5_reset_cause(void)
{
    static const struct stm32_reset_flags flags = {
        CSR_RMVF, CSR_WATCHDOGS, CSR_SOFTWARE, CSR_BROWN_OUT, 0, CSR_PIN};

    return stm32_reset_cause(STM32L4R5_RCC + RCC_CSR, &flags);
}
