/* STM32F1: clock, pins, reset cause. Register names as in RM0041. */
#include "targets/chips/stm32f1.h"

#include "targets/chips/stm32_reset.h"

enum {
    RCC_CR = 0x00,
    RCC_CFGR = 0x04,
    RCC_APB2ENR = 0x18,
    RCC_CSR = 0x24,

    CR_HSEON = 1 << 16,
    CR_HSERDY = 1 << 17,
    CR_PLLON = 1 << 24,
    CR_PLLRDY = 1 << 25,

    CFGR_SW_PLL = 2,
    CFGR_SWS = 3 << 2,
    CFGR_SWS_PLL = 2 << 2,
    CFGR_PLLSRC_HSE = 1 << 16,
    CFGR_PLLMUL_SHIFT = 18, /* times field + 2 */

    APB2_IOPA = 1 << 2,
    APB2_USART1 = 1 << 14,

    CSR_RMVF = 1 << 24,
    CSR_PIN = 1 << 26,
    CSR_POR = 1 << 27,
    CSR_SOFTWARE = 1 << 28,
    CSR_WATCHDOGS = 3 << 29,

    PIN_OUTPUT = 0x1,    /* push-pull, 10 MHz */
    PIN_ALTERNATE = 0x9, /* push-pull by the peripheral, 10 MHz */
    PIN_INPUT = 0x4,     /* floating */
};

void stm32f1_start_clock(void)
{
    uint32_t pll = 4u << CFGR_PLLMUL_SHIFT; /* HSI / 2 * 6 */

    if (REG32(STM32F1_RCC + RCC_CR) == 0)
        return; /* HSION is never 0 while we run: an emulator without a clock controller */
    REG32(STM32F1_RCC + RCC_CR) |= CR_HSEON;
    if (chip_wait(STM32F1_RCC + RCC_CR, CR_HSERDY, CR_HSERDY))
        pll = CFGR_PLLSRC_HSE | 1u << CFGR_PLLMUL_SHIFT; /* 8 MHz * 3 */
    REG32(STM32F1_RCC + RCC_CFGR) = pll;
    REG32(STM32F1_RCC + RCC_CR) |= CR_PLLON;
    if (!chip_wait(STM32F1_RCC + RCC_CR, CR_PLLRDY, CR_PLLRDY))
        return;
    REG32(STM32F1_RCC + RCC_CFGR) = pll | CFGR_SW_PLL; /* no flash wait state up to 24 MHz */
    (void)chip_wait(STM32F1_RCC + RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL);
}

static void pin_mode(uintptr_t port, unsigned pin, uint32_t mode)
{
    uintptr_t cr = port + (pin < 8 ? STM32F1_GPIO_CRL : STM32F1_GPIO_CRH);
    unsigned shift = 4 * (pin & 7u);

    REG32(cr) = (REG32(cr) & ~(0xfu << shift)) | mode << shift;
}

void stm32f1_start_usart1(void)
{
    REG32(STM32F1_RCC + RCC_APB2ENR) |= APB2_IOPA | APB2_USART1;
    pin_mode(STM32F1_GPIOA, 9, PIN_ALTERNATE);
    pin_mode(STM32F1_GPIOA, 10, PIN_INPUT);
}

void stm32f1_start_output(uintptr_t port, unsigned pin)
{
    /* IOPAEN is bit 2; the ports lie 0x400 apart. */
    REG32(STM32F1_RCC + RCC_APB2ENR) |= APB2_IOPA << ((port - STM32F1_GPIOA) / 0x400);
    pin_mode(port, pin, PIN_OUTPUT);
}

uint8_t stm32f1_reset_cause(void)
{
    static const struct stm32_reset_flags flags = {CSR_RMVF, CSR_WATCHDOGS, CSR_SOFTWARE, CSR_POR,
                                                   0,        CSR_PIN};

    return stm32_reset_cause(STM32F1_RCC + RCC_CSR, &flags);
}
