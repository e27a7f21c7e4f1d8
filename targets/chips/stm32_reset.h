/* Why an STM32 was reset: the families differ in where the flags lie, not in what they mean. */
#ifndef TARGETS_CHIPS_STM32_RESET_H
#define TARGETS_CHIPS_STM32_RESET_H

#include "targets/chips/chip.h"

struct stm32_reset_flags {
    uint32_t clear; /* written to forget the others */
    uint32_t watchdogs, software, power, brown_out, pin;
};

/* enum chip_reset. Several may be set: the pin always is, as each of the others pulls it. */
static inline uint8_t stm32_reset_cause(uintptr_t address, const struct stm32_reset_flags *f)
{
    const uint32_t why = REG32(address);

    REG32(address) = why | f->clear;
    if ((why & f->watchdogs) != 0)
        return CHIP_RESET_WATCHDOG;
    if ((why & f->software) != 0)
        return CHIP_RESET_SOFTWARE;
    if ((why & f->power) != 0)
        return CHIP_RESET_POWER;
    if ((why & f->brown_out) != 0)
        return CHIP_RESET_BROWN_OUT;
    return (why & f->pin) != 0 ? CHIP_RESET_PIN : CHIP_RESET_UNKNOWN;
}

#endif
