/* nRF51: clock, identity, flash. */
#include "targets/chips/nrf51.h"

enum {
    RESETREAS_PIN = 1 << 0,
    RESETREAS_WATCHDOG = 1 << 1,
    RESETREAS_SOFTWARE = 1 << 2,

    NVMC_READ_ONLY = 0,
    NVMC_WRITE = 1,
    NVMC_ERASE = 2,
};

void nrf51_start_clock(void)
{
    REG32(NRF51_CLOCK_HFCLKSTARTED) = 0;
    REG32(NRF51_CLOCK_HFCLKSTART) = 1;
    (void)chip_wait(NRF51_CLOCK_HFCLKSTARTED, 1, 1);
}

uint8_t nrf51_reset_cause(void)
{
    uint32_t why = REG32(NRF51_POWER_RESETREAS);

    REG32(NRF51_POWER_RESETREAS) = why;
    if ((why & RESETREAS_PIN) != 0)
        return CHIP_RESET_PIN;
    if ((why & RESETREAS_WATCHDOG) != 0)
        return CHIP_RESET_WATCHDOG;
    if ((why & RESETREAS_SOFTWARE) != 0)
        return CHIP_RESET_SOFTWARE;
    return CHIP_RESET_POWER; /* power and brown-out leave the register empty */
}

void nrf51_uid(uint8_t uid[12])
{
    for (uint8_t i = 0; i < 8; i++)
        uid[i] = (uint8_t)(REG32(NRF51_FICR_DEVICEID + (i & 4u)) >> (8 * (i & 3)));
}

static void nvmc_mode(uint32_t mode)
{
    REG32(NRF51_NVMC_CONFIG) = mode;
    while (REG32(NRF51_NVMC_READY) == 0)
        ;
}

static void nvmc_wait(void)
{
    while (REG32(NRF51_NVMC_READY) == 0)
        ;
}

void nrf51_flash_erase_page(uint32_t address)
{
    nvmc_mode(NVMC_ERASE);
    REG32(NRF51_NVMC_ERASEPAGE) = address;
    nvmc_wait();
    nvmc_mode(NVMC_READ_ONLY);
}

void nrf51_flash_write(uint32_t address, const uint8_t *data, uint32_t n)
{
    nvmc_mode(NVMC_WRITE);
    for (uint32_t at = 0; at < n; at += 4) {
        uint32_t word = 0;

        for (uint32_t i = 0; i < 4; i++)
            word |= (at + i < n ? (uint32_t)data[at + i] : 0xffu) << (8 * i);
        REG32(address + at) = word;
        nvmc_wait();
    }
    nvmc_mode(NVMC_READ_ONLY);
}
