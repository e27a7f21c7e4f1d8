/* All MPS2 and MPS3 boards. */
#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {
    &timer_dwt,
#ifdef BOARD_TIMER_BASE
    &timer_cmsdk,
#else
    &timer_sse,
#endif
    NULL,
};

/* Set through a mask of pin 0 alone, cleared through a mask of pins 0 and 1 (1 stays low, unused):
 * two addresses, so that an observer of stores can tell the edges apart. */
enum {
    MARKER = 1 << 0,
    MARKER_AND_NEXT = 3 << 0,
};

void board_start(void)
{
    REG32(BOARD_GPIO_BASE + CMSDK_GPIO_OUTENSET) = MARKER;
}

void board_marker(bool high)
{
    if (high)
        REG32(BOARD_GPIO_BASE + CMSDK_GPIO_MASKED(MARKER)) = MARKER;
    else
        REG32(BOARD_GPIO_BASE + CMSDK_GPIO_MASKED(MARKER_AND_NEXT)) = 0;
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
