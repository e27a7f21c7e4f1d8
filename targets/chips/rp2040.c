/* RP2040: clock, pins, reset cause. Register names as in the datasheet. */
#include "targets/chips/rp2040.h"

enum {
    SET = 0x2000, /* aliases of each register: the bits written are set, or cleared */
    CLEAR = 0x3000,

    RESETS_RESET = 0x00,
    RESETS_DONE = 0x08,
    RESET_IO_BANK0 = 1 << 5,
    RESET_PADS_BANK0 = 1 << 8,
    RESET_PLL_SYS = 1 << 12,
    RESET_UART0 = 1 << 22,

    XOSC_CTRL = 0x00,
    XOSC_STATUS = 0x04,
    XOSC_STARTUP = 0x0c,
    XOSC_1_15_MHZ = 0xaa0,
    XOSC_ENABLE = 0xfab << 12,
    XOSC_DELAY_1_MS = 47, /* times 256 periods of 12 MHz */

    PLL_CS = 0x00,
    PLL_PWR = 0x04,
    PLL_FBDIV = 0x08,
    PLL_PRIM = 0x0c,
    PLL_PWR_PD = 1 << 0,
    PLL_PWR_POSTDIVPD = 1 << 3,
    PLL_PWR_VCOPD = 1 << 5,
    PLL_FBDIV_125 = 125, /* 12 MHz * 125 / 6 / 2 = 125 MHz */
    PLL_POSTDIV_6_2 = 6 << 16 | 2 << 12,

    CLK_REF_CTRL = 0x30,
    CLK_REF_SELECTED = 0x38,
    CLK_REF_XOSC = 2,
    CLK_SYS_CTRL = 0x3c,
    CLK_SYS_SELECTED = 0x44,
    CLK_SYS_AUX = 1, /* whose source 0 is the PLL */
    CLK_PERI_CTRL = 0x48,
    CLK_PERI_ENABLE = 1 << 11,
    CLK_PERI_XOSC = 4 << 5,

    FUNCTION_UART = 2,
    FUNCTION_SIO = 5,

    WATCHDOG_REASON = 0x08,
    VREG_CHIP_RESET = 0x08,
    CHIP_RESET_HAD_POR = 1 << 8,
    CHIP_RESET_HAD_RUN = 1 << 16,
};

#define XOSC_STABLE 0x80000000u
#define PLL_LOCK    0x80000000u

static void unreset(uint32_t blocks)
{
    REG32(RP2040_RESETS + RESETS_RESET + CLEAR) = blocks;
    (void)chip_wait(RP2040_RESETS + RESETS_DONE, blocks, blocks);
}

static bool start_pll(void)
{
    unreset(RESET_PLL_SYS);
    REG32(RP2040_PLL_SYS + PLL_CS) = 1; /* undivided reference */
    REG32(RP2040_PLL_SYS + PLL_FBDIV) = PLL_FBDIV_125;
    REG32(RP2040_PLL_SYS + PLL_PWR + CLEAR) = PLL_PWR_PD | PLL_PWR_VCOPD;
    if (!chip_wait(RP2040_PLL_SYS + PLL_CS, PLL_LOCK, PLL_LOCK))
        return false;
    REG32(RP2040_PLL_SYS + PLL_PRIM) = PLL_POSTDIV_6_2;
    REG32(RP2040_PLL_SYS + PLL_PWR + CLEAR) = PLL_PWR_POSTDIVPD;
    return true;
}

void rp2040_start_clock(void)
{
    REG32(RP2040_XOSC + XOSC_CTRL) = XOSC_1_15_MHZ;
    REG32(RP2040_XOSC + XOSC_STARTUP) = XOSC_DELAY_1_MS;
    REG32(RP2040_XOSC + XOSC_CTRL + SET) = XOSC_ENABLE;
    if (!chip_wait(RP2040_XOSC + XOSC_STATUS, XOSC_STABLE, XOSC_STABLE))
        return;
    REG32(RP2040_CLOCKS + CLK_REF_CTRL) = CLK_REF_XOSC;
    (void)chip_wait(RP2040_CLOCKS + CLK_REF_SELECTED, 1 << CLK_REF_XOSC, 1 << CLK_REF_XOSC);
    REG32(RP2040_CLOCKS + CLK_PERI_CTRL) = CLK_PERI_ENABLE | CLK_PERI_XOSC;
    if (!start_pll())
        return;
    REG32(RP2040_CLOCKS + CLK_SYS_CTRL) = CLK_SYS_AUX;
    (void)chip_wait(RP2040_CLOCKS + CLK_SYS_SELECTED, 1 << CLK_SYS_AUX, 1 << CLK_SYS_AUX);
}

static void pin_function(unsigned pin, uint32_t function)
{
    REG32(RP2040_IO_BANK0 + 8 * pin + 4) = function; /* GPIOx_CTRL */
}

void rp2040_start_uart0(void)
{
    unreset(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    pin_function(0, FUNCTION_UART);
    pin_function(1, FUNCTION_UART);
}

void rp2040_start_output(unsigned pin)
{
    REG32(RP2040_SIO_OE_SET) = 1u << pin;
    pin_function(pin, FUNCTION_SIO);
}

uint8_t rp2040_reset_cause(void)
{
    uint32_t why = REG32(RP2040_VREG + VREG_CHIP_RESET);

    if (REG32(RP2040_WATCHDOG + WATCHDOG_REASON) != 0)
        return CHIP_RESET_WATCHDOG;
    if ((why & CHIP_RESET_HAD_RUN) != 0)
        return CHIP_RESET_PIN;
    return (why & CHIP_RESET_HAD_POR) != 0 ? CHIP_RESET_POWER : CHIP_RESET_UNKNOWN;
}
