/* System counter of Arm's SSE-300: 64 bits, never wraps, needs no interrupt. SSE-300 TRM 4.10. */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"
#include "targets/chips/mps3_an547.h"

enum {
    CNTCR = 0x00,
    CNTCR_ENABLE = 1 << 0,
    CNTCV_LOW = 0x00,
    CNTCV_HIGH = 0x04,
};

static void start(void)
{
    REG32(AN547_COUNTER_CONTROL + CNTCR) = CNTCR_ENABLE;
}

static uint64_t ticks(void)
{
    uint32_t high = REG32(AN547_COUNTER_STATUS + CNTCV_HIGH);

    for (;;) {
        uint32_t low = REG32(AN547_COUNTER_STATUS + CNTCV_LOW);
        uint32_t again = REG32(AN547_COUNTER_STATUS + CNTCV_HIGH);

        if (again == high)
            return (uint64_t)high << 32 | low;
        high = again;
    }
}

const struct timer timer_sse = {
    .kind = WIRE_TIMEBASE_CHIP_TIMER,
    .bits = 64,
    .hz = BOARD_CLOCK_HZ,
    .start = start,
    .ticks = ticks,
    .quiet = guard_quiet,
    .doze = guard_doze,
};
