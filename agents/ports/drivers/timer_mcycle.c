/*
 * mcycle: 64 bits, no interrupt needed, any window length. Sleeping is done by the core-local timer
 * (mtime, mtimecmp), which runs at a rate of its own.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"
#include "agents/ports/riscv/cpu.h"
#include "agents/wire/wire.h"
#include "targets/chips/chip.h"

enum {
    CLINT_MTIMECMP = 0x4000,
    CLINT_MTIME = 0xbff8,
};

#define CLINT(offset) REG32(BOARD_CLINT_BASE + (offset))

/* It runs from reset. Never write it: QEMU 7.2 then offsets the halves apart, without a carry. */
static void start(void)
{
}

static uint64_t ticks(void)
{
    uint32_t high = CSR_READ(mcycleh);

    for (;;) {
        uint32_t low = CSR_READ(mcycle);
        uint32_t again = CSR_READ(mcycleh);

        if (again == high)
            return (uint64_t)high << 32 | low;
        high = again;
    }
}

/* mcycle may stand still in WFI, mtime does not. */
static uint32_t doze(uint32_t ticks_to_sleep)
{
    uint32_t ratio = BOARD_TICK_HZ / BOARD_MTIME_HZ;
    uint32_t units = ticks_to_sleep / ratio;
    uint32_t was;
    uint32_t now;

    if (units < 2)
        return 0;
    was = cpu_mask();
    now = CLINT(CLINT_MTIME);
    CLINT(CLINT_MTIMECMP) = 0xffffffff; /* no early alarm while the halves disagree */
    CLINT(CLINT_MTIMECMP + 4) = CLINT(CLINT_MTIME + 4) + (now + units < now);
    CLINT(CLINT_MTIMECMP) = now + units;
    CSR_SET(mie, MIE_MTIE);
    __asm__ volatile("wfi");
    CSR_CLEAR(mie, MIE_MTIE);
    cpu_unmask(was);
    return (CLINT(CLINT_MTIME) - now) * ratio;
}

const struct timer timer_mcycle = {
    .kind = WIRE_TIMEBASE_MCYCLE,
    .bits = 64,
    .hz = BOARD_TICK_HZ,
    .start = start,
    .ticks = ticks,
    .doze = doze,
};
