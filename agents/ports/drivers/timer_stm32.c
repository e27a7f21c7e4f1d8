/*
 * STM32 TIM2: 32 bits wide on the F2 and F4, guarded by SysTick between windows. A window may last
 * 2^32 ticks; the prescaler makes that a minute at least.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"

enum {
    CR1 = 0x00,
    EGR = 0x14,
    CNT = 0x24,
    PSC = 0x28,
    ARR = 0x2c,
    CR1_ENABLE = 1 << 0,
    EGR_UPDATE = 1 << 0,
};

#define REG(offset) REG32(BOARD_TIMER_BASE + (offset))

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now = timer_extend(REG(CNT));

    cpu_unmask(was);
    return now;
}

static void start(void)
{
    REG(PSC) = BOARD_TIMER_PRESCALER - 1;
    REG(ARR) = 0xffffffff;
    REG(EGR) = EGR_UPDATE; /* loads the prescaler */
    REG(CR1) = CR1_ENABLE;
}

const struct timer timer_stm32 = {
    .kind = WIRE_TIMEBASE_CHIP_TIMER,
    .bits = 32,
    .hz = BOARD_TIMER_CLOCK_HZ / BOARD_TIMER_PRESCALER,
    .start = start,
    .ticks = ticks,
    .quiet = guard_quiet,
    .doze = guard_doze,
};
