/*
 * What every chip file shares: how a register is reached, and why a chip was reset.
 *
 * A chip header holds the memory map and the few peripherals the agent uses, as numbers that C and
 * linker scripts can both read; its C file brings the chip from reset to a known clock with the
 * link's pins in place. Chip files know no board: pins and rates are parameters.
 */
#ifndef TARGETS_CHIPS_CHIP_H
#define TARGETS_CHIPS_CHIP_H

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#define REG8(address)  (*(volatile uint8_t *)(uintptr_t)(address))
#define REG16(address) (*(volatile uint16_t *)(uintptr_t)(address))
#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* The same numbers as the wire's list of reset causes (checked in agents/ports/common/life.c). */
enum chip_reset {
    CHIP_RESET_UNKNOWN = 0,
    CHIP_RESET_POWER = 1,
    CHIP_RESET_SOFTWARE = 2,
    CHIP_RESET_PIN = 3,
    CHIP_RESET_WATCHDOG = 4,
    CHIP_RESET_BROWN_OUT = 5,
};

/* Wait until (register & mask) == want, for a bounded number of looks. False: it never came. */
static inline bool chip_wait(uintptr_t address, uint32_t mask, uint32_t want)
{
    for (uint32_t looks = 100000; looks != 0; looks--) {
        if ((REG32(address) & mask) == want)
            return true;
    }
    return false;
}

#endif
#endif
