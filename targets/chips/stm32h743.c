/* STM32H743: supply, clock, pins, reset cause. Register names as in RM0433. */
#include "targets/chips/stm32h743.h"

#include "targets/chips/stm32_gpio.h"
#include "targets/chips/stm32_reset.h"

enum {
    RCC_CR = 0x00,
    RCC_CFGR = 0x10,
    RCC_D1CFGR = 0x18,
    RCC_D2CFGR = 0x1c,
    RCC_D3CFGR = 0x20,
    RCC_PLLCKSELR = 0x28,
    RCC_PLLCFGR = 0x2c,
    RCC_PLL1DIVR = 0x30,
    RCC_RSR = 0xd0,
    RCC_AHB4ENR = 0xe0,
    RCC_APB1LENR = 0xe8,

    CR_HSEON = 1 << 16,
    CR_HSERDY = 1 << 17,
    CR_HSEBYP = 1 << 18,
    CR_PLL1ON = 1 << 24,
    CR_PLL1RDY = 1 << 25,

    PLL_SRC_HSI = 0,
    PLL_SRC_HSE = 2,
    PLL_M = 1 << 4,
    PLL1_RANGE_2_TO_4 = 1 << 2, /* MHz at its input */
    PLL1_P_ON = 1 << 16,
    PLL1_N_400 = 399, /* 2 MHz * 400 / 2 = 400 MHz */
    PLL1_P_2 = 1 << 9,

    D1_HPRE_DIV2 = 8,
    D1_PPRE_DIV2 = 4 << 4,
    D2_PPRE1_DIV2 = 4 << 4,
    D2_PPRE2_DIV2 = 4 << 8,
    D3_PPRE_DIV2 = 4 << 4,

    CFGR_SW_PLL1 = 3,
    CFGR_SWS = 7 << 3,
    CFGR_SWS_PLL1 = 3 << 3,

    PWR_CSR1 = 0x04,
    PWR_CR3 = 0x0c,
    PWR_D3CR = 0x18,
    CR3_BYPASS = 1 << 0,
    CR3_LDOEN = 1 << 1,
    CR3_SCUEN = 1 << 2,
    CSR1_ACTVOSRDY = 1 << 13,
    D3CR_VOSRDY = 1 << 13,
    D3CR_VOS_1 = 3 << 14,

    ACR_2_WAITS = 2,
    ACR_WRHIGHFREQ_2 = 2 << 4,

    AHB4_GPIOA = 1 << 0,
    AHB4_GPIOD = 1 << 3,
    APB1_USART3 = 1 << 18,

    RSR_RMVF = 1 << 16,
    RSR_BROWN_OUT = 1 << 21,
    RSR_PIN = 1 << 22,
    RSR_POR = 1 << 23,
    RSR_SOFTWARE = 1 << 24,
    RSR_WATCHDOGS = 5 << 26,

    AF_USART3 = 7,
};

/* The core's supply: its own regulator, at the voltage that 400 MHz needs. */
static bool start_supply(void)
{
    uint32_t cr3 = REG32(STM32H743_PWR + PWR_CR3) & ~(uint32_t)(CR3_SCUEN | CR3_BYPASS);

    REG32(STM32H743_PWR + PWR_CR3) = cr3 | CR3_LDOEN;
    if (!chip_wait(STM32H743_PWR + PWR_CSR1, CSR1_ACTVOSRDY, CSR1_ACTVOSRDY))
        return false;
    REG32(STM32H743_PWR + PWR_D3CR) |= D3CR_VOS_1;
    return chip_wait(STM32H743_PWR + PWR_D3CR, D3CR_VOSRDY, D3CR_VOSRDY);
}

void stm32h743_start_clock(void)
{
    uint32_t source = PLL_SRC_HSI | 32 * PLL_M;

    if (!start_supply())
        return;
    REG32(STM32H743_RCC + RCC_CR) |= CR_HSEBYP;
    REG32(STM32H743_RCC + RCC_CR) |= CR_HSEON;
    if (chip_wait(STM32H743_RCC + RCC_CR, CR_HSERDY, CR_HSERDY))
        source = PLL_SRC_HSE | 4 * PLL_M;
    REG32(STM32H743_RCC + RCC_PLLCKSELR) = source;
    REG32(STM32H743_RCC + RCC_PLLCFGR) = PLL1_RANGE_2_TO_4 | PLL1_P_ON;
    REG32(STM32H743_RCC + RCC_PLL1DIVR) = PLL1_N_400 | PLL1_P_2;
    REG32(STM32H743_RCC + RCC_CR) |= CR_PLL1ON;
    if (!chip_wait(STM32H743_RCC + RCC_CR, CR_PLL1RDY, CR_PLL1RDY))
        return;
    REG32(STM32H743_FLASH_ACR) = ACR_2_WAITS | ACR_WRHIGHFREQ_2;
    REG32(STM32H743_RCC + RCC_D1CFGR) = D1_HPRE_DIV2 | D1_PPRE_DIV2;
    REG32(STM32H743_RCC + RCC_D2CFGR) = D2_PPRE1_DIV2 | D2_PPRE2_DIV2;
    REG32(STM32H743_RCC + RCC_D3CFGR) = D3_PPRE_DIV2;
    REG32(STM32H743_RCC + RCC_CFGR) = CFGR_SW_PLL1;
    (void)chip_wait(STM32H743_RCC + RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL1);
}

void stm32h743_start_usart3(void)
{
    REG32(STM32H743_RCC + RCC_AHB4ENR) |= AHB4_GPIOD;
    REG32(STM32H743_RCC + RCC_APB1LENR) |= APB1_USART3;
    stm32_gpio_alternate(STM32H743_GPIOD, 8, AF_USART3);
    stm32_gpio_alternate(STM32H743_GPIOD, 9, AF_USART3);
}

void stm32h743_start_output(uintptr_t port, unsigned pin)
{
    REG32(STM32H743_RCC + RCC_AHB4ENR) |= AHB4_GPIOA << ((port - STM32H743_GPIOA) / 0x400);
    stm32_gpio_output(port, pin);
}

uint8_t stm32h743_reset_cause(void)
{
    static const struct stm32_reset_flags flags = {RSR_RMVF, RSR_WATCHDOGS, RSR_SOFTWARE,
                                                   RSR_POR,  RSR_BROWN_OUT, RSR_PIN};

    return stm32_reset_cause(STM32H743_RCC + RCC_RSR, &flags);
}
