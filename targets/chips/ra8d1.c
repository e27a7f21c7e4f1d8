/* RA8D1: clock, pins, reset cause. Register names as in the manual. */
#include "targets/chips/ra8d1.h"

enum {
    SCKDIVCR = 0x020,
    SCKDIVCR2 = 0x024,
    SCKSCR = 0x026,
    PLLCCR = 0x028,
    PLLCR = 0x02a,
    MOSCCR = 0x032,
    OSCSF = 0x03c,
    PLLCCR2 = 0x04c,
    SCICKDIVCR = 0x054,
    SCICKCR = 0x055,
    MOSCWTCR = 0x0a2,
    RSTSR1 = 0x0c0,
    PRCR_S = 0x3fa,
    RSTSR0 = 0xa40,
    MOMCR = 0xa50,

    PRCR_CLOCKS_AND_MODULES = 0xa503,
    PRCR_LOCK = 0xa500,
    MOMCR_20_MHZ = 0x10 | 3 << 1, /* bit 4 is always written as 1 */
    MOSCWTCR_LONGEST = 9,
    OSCSF_MOSC = 1 << 3,
    OSCSF_PLL = 1 << 5,

    PLL_INPUT_DIV2 = 1, /* 20 MHz / 2 * 96 = 960 MHz */
    PLL_MUL_96 = 95 << 8,
    PLL_P_DIV2 = 1,      /* 480 MHz: the core's */
    PLL_Q_DIV4 = 3 << 4, /* not used, but 0 is prohibited */
    PLL_R_DIV4 = 3 << 8,

    /* FCLK 60, ICLK 240, PCLKE 240, BCLK 120, PCLKA 120, PCLKB 60, PCLKC 60, PCLKD 120 MHz. */
    SCKDIV = 3 << 28 | 1 << 24 | 1 << 20 | 2 << 16 | 2 << 12 | 3 << 8 | 3 << 4 | 2,
    CPUCK_DIV2 = 1,
    CPUCK_DIV1 = 0,
    SCKSCR_PLL = 5,
    SETTLE_LOOPS = 36000, /* 150 us at 240 MHz, one cycle each at least */

    SCICK_DIV4 = 2,
    SCICK_PLL1P = 5,
    SCICK_REQUEST = 1 << 6,
    SCICK_READY = 1 << 7,

    FCACHEE = 0x00,
    FCACHEIV = 0x04,
    FLWT = 0x1c,
    FLWT_240_MHZ = 4,

    MSTPCRB = 0x04,
    MSTPB_SCI9 = 1 << 22,
    PWPRS = 0x05,
    PWPR_PFS_WRITABLE = 1 << 6,
    PFS_PERIPHERAL = 1 << 16,
    PSEL_SCI_ODD = 5 << 24,
    IELSR0 = 0x300,

    RSTSR0_POR = 1 << 0,
    RSTSR1_WATCHDOGS = 3,
    RSTSR1_SOFTWARE = 1 << 2,
};

/* As chip_wait(), for registers of one byte. */
static bool wait_byte(uintptr_t address, uint8_t mask, uint8_t want)
{
    for (uint32_t looks = 100000; looks != 0; looks--) {
        if ((REG8(address) & mask) == want)
            return true;
    }
    return false;
}

static bool start_pll(void)
{
    REG8(RA8D1_SYSTEM + MOMCR) = MOMCR_20_MHZ;
    REG8(RA8D1_SYSTEM + MOSCWTCR) = MOSCWTCR_LONGEST;
    REG8(RA8D1_SYSTEM + MOSCCR) = 0;
    if (!wait_byte(RA8D1_SYSTEM + OSCSF, OSCSF_MOSC, OSCSF_MOSC))
        return false;
    REG16(RA8D1_SYSTEM + PLLCCR) = PLL_INPUT_DIV2 | PLL_MUL_96;
    REG16(RA8D1_SYSTEM + PLLCCR2) = PLL_P_DIV2 | PLL_Q_DIV4 | PLL_R_DIV4;
    REG8(RA8D1_SYSTEM + PLLCR) = 0;
    return wait_byte(RA8D1_SYSTEM + OSCSF, OSCSF_PLL, OSCSF_PLL);
}

static void start_flash_cache(void)
{
    REG8(RA8D1_FCACHE + FLWT) = FLWT_240_MHZ;
    REG16(RA8D1_FCACHE + FCACHEIV) = 1;
    for (uint32_t looks = 100000; looks != 0 && REG16(RA8D1_FCACHE + FCACHEIV) != 0; looks--)
        ;
    REG16(RA8D1_FCACHE + FCACHEE) = 1;
}

static void settle(void)
{
    for (volatile uint32_t n = 0; n < SETTLE_LOOPS; n++)
        ;
}

/* Each is read back, as the manual asks, before the next step. */
static void switch_core(void)
{
    REG32(RA8D1_SYSTEM + SCKDIVCR) = SCKDIV;
    (void)REG32(RA8D1_SYSTEM + SCKDIVCR);
    REG8(RA8D1_SYSTEM + SCKDIVCR2) = CPUCK_DIV2;
    (void)REG8(RA8D1_SYSTEM + SCKDIVCR2);
    REG8(RA8D1_SYSTEM + SCKSCR) = SCKSCR_PLL;
    (void)REG8(RA8D1_SYSTEM + SCKSCR);
    settle();
    REG8(RA8D1_SYSTEM + SCKDIVCR2) = CPUCK_DIV1;
    (void)REG8(RA8D1_SYSTEM + SCKDIVCR2);
    settle();
}

static void switch_sci(void)
{
    REG8(RA8D1_SYSTEM + SCICKCR) |= SCICK_REQUEST;
    (void)wait_byte(RA8D1_SYSTEM + SCICKCR, SCICK_READY, SCICK_READY);
    REG8(RA8D1_SYSTEM + SCICKDIVCR) = SCICK_DIV4;
    REG8(RA8D1_SYSTEM + SCICKCR) = SCICK_PLL1P | SCICK_REQUEST;
    REG8(RA8D1_SYSTEM + SCICKCR) = SCICK_PLL1P;
    (void)wait_byte(RA8D1_SYSTEM + SCICKCR, SCICK_READY, 0);
}

void ra8d1_start_clock(void)
{
    REG16(RA8D1_SYSTEM + PRCR_S) = PRCR_CLOCKS_AND_MODULES;
    if (start_pll()) {
        start_flash_cache();
        switch_core();
        switch_sci();
    }
    REG16(RA8D1_SYSTEM + PRCR_S) = PRCR_LOCK;
}

static void pin_function(unsigned port, unsigned pin, uint32_t function)
{
    const uintptr_t pfs = RA8D1_PFS + 4 * (16 * port + pin);

    REG32(pfs) = function; /* first the function, then the pin: no glitch */
    REG32(pfs) = function | PFS_PERIPHERAL;
}

void ra8d1_start_sci9(void)
{
    REG16(RA8D1_SYSTEM + PRCR_S) = PRCR_CLOCKS_AND_MODULES;
    REG32(RA8D1_MSTP + MSTPCRB) &= ~(uint32_t)MSTPB_SCI9;
    REG16(RA8D1_SYSTEM + PRCR_S) = PRCR_LOCK;
    REG8(RA8D1_PMISC + PWPRS) = 0;
    REG8(RA8D1_PMISC + PWPRS) = PWPR_PFS_WRITABLE;
    pin_function(10, 14, PSEL_SCI_ODD);
    pin_function(10, 15, PSEL_SCI_ODD);
    REG8(RA8D1_PMISC + PWPRS) = 0;
    REG32(RA8D1_ICU + IELSR0) = RA8D1_SCI9_RXI;
    REG32(RA8D1_ICU + IELSR0 + 4) = RA8D1_SCI9_ERI;
}

void ra8d1_start_output(unsigned port, unsigned pin)
{
    REG32(RA8D1_PORT0 + 0x20 * port) |= 1u << pin; /* PCNTR1: direction in its low half */
}

uint8_t ra8d1_reset_cause(void)
{
    const uint32_t why = REG32(RA8D1_SYSTEM + RSTSR1);
    const uint8_t power = REG8(RA8D1_SYSTEM + RSTSR0);

    REG32(RA8D1_SYSTEM + RSTSR1) = 0;
    REG8(RA8D1_SYSTEM + RSTSR0) = 0;
    if ((why & RSTSR1_WATCHDOGS) != 0)
        return CHIP_RESET_WATCHDOG;
    if ((why & RSTSR1_SOFTWARE) != 0)
        return CHIP_RESET_SOFTWARE;
    return (power & RSTSR0_POR) != 0 ? CHIP_RESET_POWER : CHIP_RESET_UNKNOWN;
}
