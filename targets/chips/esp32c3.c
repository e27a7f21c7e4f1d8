/* ESP32-C3: watchdogs, clock, pins, reset. Register names as in the manual. */
#include "targets/chips/esp32c3.h"

enum {
    TIMG_WDTCONFIG0 = 0x48,
    TIMG_WDTWPROTECT = 0x64,
    TIMG_WDT_CONF_UPDATE_EN = 1 << 22, /* what WDTCONFIG0 says holds only from then on */
    RTC_OPTIONS0 = 0x00,
    RTC_RESET_STATE = 0x38,
    RTC_WDTCONFIG0 = 0x90,
    RTC_WDTWPROTECT = 0xa8,
    RTC_SWD_CONF = 0xac,
    RTC_SWD_WPROTECT = 0xb0,
    RESET_CAUSE = 0x3f,

    RESET_CHIP_POWER_ON = 0x01, /* brown-out and super watchdog of the whole chip, too */
    RESET_CORE_SW = 0x03,
    RESET_CORE_MWDT0 = 0x07,
    RESET_CORE_MWDT1 = 0x08,
    RESET_CORE_RTC_WDT = 0x09,
    RESET_CPU0_MWDT0 = 0x0b,
    RESET_CPU0_SW = 0x0c,
    RESET_CPU0_RTC_WDT = 0x0d,
    RESET_SYS_BROWN_OUT = 0x0f,
    RESET_SYS_RTC_WDT = 0x10,
    RESET_CPU0_MWDT1 = 0x11,
    RESET_SYS_SUPER_WDT = 0x12,

    SYSTEM_SYSCLK_CONF = 0x58,
    PRE_DIV_CNT = 0x3ff,
    SOC_CLK_SEL = 3 << 10, /* 0: the crystal */

    GPIO_OUT_W1TS = 0x08,
    GPIO_OUT_W1TC = 0x0c,
    GPIO_ENABLE_W1TS = 0x24,
    GPIO_FUNC0_OUT_SEL_CFG = 0x554,
    OUT_SEL_GPIO = 0x80,

    IO_MUX_GPIO0 = 0x04,
    IO_MUX_FUNCTION_GPIO = 1 << 12,
    IO_MUX_DRIVE_20_MA = 2 << 10,

    EFUSE_MAC_LOW = 0x44,
    EFUSE_MAC_HIGH = 0x48,
};

#define WDT_KEY        0x50d83aa1u
#define SWD_KEY        0x8f1d312au
#define SWD_AUTO_FEED  (1u << 31)
#define SYSTEM_RESTART (1u << 31)

static void stop_watchdog(uintptr_t config, uintptr_t protect, uint32_t stopped)
{
    REG32(protect) = WDT_KEY;
    REG32(config) = stopped;
    REG32(protect) = 0;
}

/* Both the watchdog and its flash boot mode, which bites without being enabled. */
void esp32c3_stop_watchdogs(void)
{
    stop_watchdog(ESP32C3_TIMG0 + TIMG_WDTCONFIG0, ESP32C3_TIMG0 + TIMG_WDTWPROTECT,
                  TIMG_WDT_CONF_UPDATE_EN);
    stop_watchdog(ESP32C3_TIMG1 + TIMG_WDTCONFIG0, ESP32C3_TIMG1 + TIMG_WDTWPROTECT,
                  TIMG_WDT_CONF_UPDATE_EN);
    stop_watchdog(ESP32C3_RTC_CNTL + RTC_WDTCONFIG0, ESP32C3_RTC_CNTL + RTC_WDTWPROTECT, 0);
    /* The super watchdog cannot be stopped, only told to feed itself. */
    REG32(ESP32C3_RTC_CNTL + RTC_SWD_WPROTECT) = SWD_KEY;
    REG32(ESP32C3_RTC_CNTL + RTC_SWD_CONF) |= SWD_AUTO_FEED;
    REG32(ESP32C3_RTC_CNTL + RTC_SWD_WPROTECT) = 0;
}

void esp32c3_start_clock(void)
{
    const uint32_t conf = REG32(ESP32C3_SYSTEM + SYSTEM_SYSCLK_CONF);

    REG32(ESP32C3_SYSTEM + SYSTEM_SYSCLK_CONF) = conf & ~(uint32_t)(PRE_DIV_CNT | SOC_CLK_SEL);
}

void esp32c3_start_output(unsigned pin)
{
    REG32(ESP32C3_IO_MUX + IO_MUX_GPIO0 + 4 * pin) = IO_MUX_FUNCTION_GPIO | IO_MUX_DRIVE_20_MA;
    REG32(ESP32C3_GPIO + GPIO_FUNC0_OUT_SEL_CFG + 4 * pin) = OUT_SEL_GPIO;
    REG32(ESP32C3_GPIO + GPIO_ENABLE_W1TS) = 1u << pin;
}

void esp32c3_output(unsigned pin, bool high)
{
    REG32(ESP32C3_GPIO + (high ? GPIO_OUT_W1TS : GPIO_OUT_W1TC)) = 1u << pin;
}

void esp32c3_mac(uint8_t mac[6])
{
    const uint32_t low = REG32(ESP32C3_EFUSE + EFUSE_MAC_LOW);
    const uint32_t high = REG32(ESP32C3_EFUSE + EFUSE_MAC_HIGH);

    for (unsigned i = 0; i < 6; i++) /* as it is printed: the highest byte first */
        mac[i] = (uint8_t)(i < 2 ? high >> (8 - 8 * i) : low >> (40 - 8 * i));
}

uint8_t esp32c3_reset_cause(void)
{
    switch (REG32(ESP32C3_RTC_CNTL + RTC_RESET_STATE) & RESET_CAUSE) {
    case RESET_CHIP_POWER_ON: /* and the pin, which is CHIP_EN */
        return CHIP_RESET_POWER;
    case RESET_CORE_SW:
    case RESET_CPU0_SW:
        return CHIP_RESET_SOFTWARE;
    case RESET_CORE_MWDT0:
    case RESET_CORE_MWDT1:
    case RESET_CORE_RTC_WDT:
    case RESET_CPU0_MWDT0:
    case RESET_CPU0_RTC_WDT:
    case RESET_SYS_RTC_WDT:
    case RESET_CPU0_MWDT1:
    case RESET_SYS_SUPER_WDT:
        return CHIP_RESET_WATCHDOG;
    case RESET_SYS_BROWN_OUT:
        return CHIP_RESET_BROWN_OUT;
    default:
        return CHIP_RESET_UNKNOWN;
    }
}

void esp32c3_reset(void)
{
    REG32(ESP32C3_RTC_CNTL + RTC_OPTIONS0) |= SYSTEM_RESTART;
    for (volatile uint32_t n = 0; n < 100000; n++) /* a few ticks of the slow clock */
        ;
}
