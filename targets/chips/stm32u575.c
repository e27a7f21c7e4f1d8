/* STM32U575: supply, clock, pins, reset cause. Register names as in RM0456. */
#include "targets/chips/stm32u575.h"

#include "targets/chips/stm32_gpio.h"
#include "targets/chips/stm32_reset.h"

enum {
    RCC_CR = 0x00,
    RCC_CFGR1 = 0x1c,
    RCC_PLL1CFGR = 0x28,
    RCC_PLL1DIVR = 0x34,
    RCC_AHB2ENR1 = 0x8c,
    RCC_AHB3ENR = 0x94,
    RCC_APB2ENR = 0xa4,
    RCC_CSR = 0xf4,

    CR_HSION = 1 << 8,
    CR_HSIRDY = 1 << 10,
    CR_PLL1ON = 1 << 24,
    CR_PLL1RDY = 1 << 25,

    PLL1_SRC_HSI16 = 2, /* the booster's clock, too: undivided, 4 to 16 MHz are good */
    PLL1_M_4 = 3 << 8,  /* 16 MHz / 4 * 80 / 2 = 160 MHz */
    PLL1_R_ON = 1 << 18,
    PLL1_N_80 = 79,
    PLL1_P_2 = 1 << 9,
    PLL1_Q_2 = 1 << 16,
    PLL1_R_2 = 1 << 24,

    CFGR1_SW_PLL1 = 3,
    CFGR1_SWS = 3 << 2,
    CFGR1_SWS_PLL1 = 3 << 2,

    PWR_VOSR = 0x0c,
    VOSR_BOOSTRDY = 1 << 14,
    VOSR_VOSRDY = 1 << 15,
    VOSR_RANGE_1 = 3 << 16,
    VOSR_BOOSTEN = 1 << 18,

    ACR_4_WAITS = 4,
    ACR_LATENCY = 15,
    ACR_PREFETCH = 1 << 8,
    ICACHE_ENABLE = 1 << 0,

    AHB2_GPIOA = 1 << 0,
    AHB3_PWR = 1 << 2,
    APB2_USART1 = 1 << 14,

    CSR_RMVF = 1 << 23,
    CSR_PIN = 1 << 26,
    CSR_BROWN_OUT = 1 << 27, /* power-on too: it has no flag of its own */
    CSR_SOFTWARE = 1 << 28,
    CSR_WATCHDOGS = 3 << 29,

    AF_USART1 = 7,
};

/* Range 1 with the booster, which over 55 MHz needs, and whose clock must be chosen before. */
static bool start_supply(void)
{
    REG32(STM32U575_RCC + RCC_AHB3ENR) |= AHB3_PWR;
    REG32(STM32U575_RCC + RCC_PLL1CFGR) = PLL1_SRC_HSI16 | PLL1_M_4;
    REG32(STM32U575_PWR + PWR_VOSR) |= VOSR_RANGE_1;
    if (!chip_wait(STM32U575_PWR + PWR_VOSR, VOSR_VOSRDY, VOSR_VOSRDY))
        return false;
    REG32(STM32U575_PWR + PWR_VOSR) |= VOSR_BOOSTEN;
    return chip_wait(STM32U575_PWR + PWR_VOSR, VOSR_BOOSTRDY, VOSR_BOOSTRDY);
}

void stm32u575_start_clock(void)
{
    REG32(STM32U575_RCC + RCC_CR) |= CR_HSION;
    if (!chip_wait(STM32U575_RCC + RCC_CR, CR_HSIRDY, CR_HSIRDY) || !start_supply())
        return;
    REG32(STM32U575_RCC + RCC_PLL1DIVR) = PLL1_N_80 | PLL1_P_2 | PLL1_Q_2 | PLL1_R_2;
    REG32(STM32U575_RCC + RCC_PLL1CFGR) |= PLL1_R_ON;
    REG32(STM32U575_RCC + RCC_CR) |= CR_PLL1ON;
    REG32(STM32U575_FLASH_ACR) = ACR_4_WAITS | ACR_PREFETCH;
    if (!chip_wait(STM32U575_FLASH_ACR, ACR_LATENCY, ACR_4_WAITS) ||
        !chip_wait(STM32U575_RCC + RCC_CR, CR_PLL1RDY, CR_PLL1RDY))
        return;
    REG32(STM32U575_ICACHE) = ICACHE_ENABLE;
    REG32(STM32U575_RCC + RCC_CFGR1) = CFGR1_SW_PLL1;
    (void)chip_wait(STM32U575_RCC + RCC_CFGR1, CFGR1_SWS, CFGR1_SWS_PLL1);
}

void stm32u575_start_usart1(void)
{
    REG32(STM32U575_RCC + RCC_AHB2ENR1) |= AHB2_GPIOA;
    REG32(STM32U575_RCC + RCC_APB2ENR) |= APB2_USART1;
    stm32_gpio_alternate(STM32U575_GPIOA, 9, AF_USART1);
    stm32_gpio_alternate(STM32U575_GPIOA, 10, AF_USART1);
}

void stm32u575_start_output(uintptr_t port, unsigned pin)
{
    REG32(STM32U575_RCC + RCC_AHB2ENR1) |= AHB2_GPIOA << ((port - STM32U575_GPIOA) / 0x400);
    stm32_gpio_output(port, pin);
}

uint8_t stm32u575_reset_cause(void)
{
    static const struct stm32_reset_flags flags = {
        CSR_RMVF, CSR_WATCHDOGS, CSR_SOFTWARE, CSR_BROWN_OUT, 0, CSR_PIN};

    return stm32_reset_cause(STM32U575_RCC + RCC_CSR, &flags);
}
