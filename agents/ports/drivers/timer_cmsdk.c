/*
 * CMSDK APB timer: 32 bits, counting down, guarded by SysTick between windows. A window may last
 * 2^32 ticks: 171 s at 25 MHz. DDI0479C 4.2.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"

enum {
    CTRL = 0x00,
    VALUE = 0x04,
    RELOAD = 0x08,
    CTRL_ENABLE = 1 << 0,
};

#define REG(offset) REG32(BOARD_TIMER_BASE + (offset))

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now = timer_extend(~REG(VALUE));

    cpu_unmask(was);
    return now;
}

static void start(void)
{
    REG(RELOAD) = 0xffffffff;
    REG(VALUE) = 0xffffffff;
    REG(CTRL) = CTRL_ENABLE;
}

const struct timer timer_cmsdk = {
    .kind = WIRE_TIMEBASE_CHIP_TIMER,
    .bits = 32,
    .hz = BOARD_CLOCK_HZ,
    .start = start,
    .ticks = ticks,
    .quiet = guard_quiet,
    .doze = guard_doze,
};
