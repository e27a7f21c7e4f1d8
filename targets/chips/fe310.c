/* FE310: clock, pins, reset. Register names as in the manual. */
#include "targets/chips/fe310.h"

enum {
    PRCI_HFXOSCCFG = 0x04,
    PRCI_PLLCFG = 0x08,
    PRCI_PLLOUTDIV = 0x0c,
    HFXOSC_ENABLE = 1 << 30,
    PLL_SELECT = 1 << 16,
    PLL_REF_CRYSTAL = 1 << 17,
    PLL_BYPASS = 1 << 18,
    PLLOUTDIV_BY_1 = 1 << 8,

    GPIO_OUTPUT_EN = 0x08,
    GPIO_OUTPUT_VAL = 0x0c,
    GPIO_IOF_EN = 0x38,
    GPIO_IOF_SEL = 0x3c,
    UART0_PINS = 3 << 16,

    AON_WDOGCFG = 0x000,
    AON_WDOGCOUNT = 0x008,
    AON_WDOGKEY = 0x01c,
    AON_WDOGCMP = 0x020,
    AON_PMUCAUSE = 0x144,
    WDOG_KEY = 0x51f15e,
    WDOG_RESET_ENABLE = 1 << 8,
    WDOG_ALWAYS = 1 << 12,
};

#define HFXOSC_READY 0x80000000u

void fe310_start_clock(void)
{
    REG32(FE310_PRCI + PRCI_HFXOSCCFG) = HFXOSC_ENABLE;
    if (!chip_wait(FE310_PRCI + PRCI_HFXOSCCFG, HFXOSC_READY, HFXOSC_READY))
        return;
    REG32(FE310_PRCI + PRCI_PLLOUTDIV) = PLLOUTDIV_BY_1;
    REG32(FE310_PRCI + PRCI_PLLCFG) = PLL_REF_CRYSTAL | PLL_BYPASS;
    REG32(FE310_PRCI + PRCI_PLLCFG) = PLL_REF_CRYSTAL | PLL_BYPASS | PLL_SELECT;
}

void fe310_start_uart0(void)
{
    REG32(FE310_GPIO + GPIO_IOF_SEL) &= ~(uint32_t)UART0_PINS;
    REG32(FE310_GPIO + GPIO_IOF_EN) |= UART0_PINS;
}

void fe310_start_output(unsigned pin)
{
    REG32(FE310_GPIO + GPIO_OUTPUT_EN) |= 1u << pin;
}

void fe310_output(unsigned pin, bool high)
{
    uint32_t value = REG32(FE310_GPIO + GPIO_OUTPUT_VAL) & ~(1u << pin);

    REG32(FE310_GPIO + GPIO_OUTPUT_VAL) = value | (uint32_t)high << pin;
}

uint8_t fe310_reset_cause(void)
{
    /* Bits 9:8: 0 power-on, 1 external, 2 watchdog, which only fe310_watchdog_reset() starts. */
    static const uint8_t causes[4] = {CHIP_RESET_POWER, CHIP_RESET_PIN, CHIP_RESET_SOFTWARE,
                                      CHIP_RESET_UNKNOWN};

    return causes[REG32(FE310_AON + AON_PMUCAUSE) >> 8 & 3];
}

static void unlocked(uint32_t reg, uint32_t value)
{
    REG32(FE310_AON + AON_WDOGKEY) = WDOG_KEY;
    REG32(FE310_AON + reg) = value;
}

void fe310_watchdog_reset(void)
{
    unlocked(AON_WDOGCOUNT, 0);
    unlocked(AON_WDOGCMP, 1);
    unlocked(AON_WDOGCFG, WDOG_RESET_ENABLE | WDOG_ALWAYS);
    for (volatile uint32_t n = 0; n < 100000; n++) /* a few ticks of 32 kHz */
        ;
}
