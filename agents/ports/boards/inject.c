#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

/* What belongs to the core and not to a chip. */
const struct timer *const board_timers[] = {
#if __ARM_ARCH >= 7
    &timer_dwt,
#endif
    &timer_systick,
    NULL,
};

void board_start(void)
{
}

void board_marker(bool high)
{
    (void)high;
}

uint8_t board_reset_cause(void)
{
    return CHIP_RESET_UNKNOWN;
}

bool board_uid(uint8_t uid[12])
{
    (void)uid;
    return false;
}
