/*
 * DWT CYCCNT: core cycles, where the core has it and nothing holds it (QEMU has none: it reads 0).
 * On most chips it stands still while the core sleeps.
 * Longest unguarded window: 2^32 cycles when that is a minute or more, else any (timer_systick.c).
 */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"

enum {
    DEMCR_TRCENA = 1 << 24,
    CTRL_CYCCNTENA = 1 << 0,
};

static void start(void)
{
    REG32(SCS_DEMCR) |= DEMCR_TRCENA;
    REG32(DWT_LAR) = 0xc5acce55; /* the M7 locks it; elsewhere the store is ignored */
    REG32(DWT_CYCCNT) = 0;
    REG32(DWT_CTRL) |= CTRL_CYCCNTENA;
}

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now = timer_extend(REG32(DWT_CYCCNT));

    cpu_unmask(was);
    return now;
}

const struct timer timer_dwt = {
    .kind = WIRE_TIMEBASE_DWT,
    .bits = 32,
    .hz = BOARD_CLOCK_HZ,
    .start = start,
    .ticks = ticks,
    .quiet = guard_quiet,
    .doze = BOARD_DOZE,
};
