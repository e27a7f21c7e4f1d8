#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"
#include "agents/ports/riscv/marker.h"

const struct timer *const board_timers[] = {&timer_mcycle, NULL};

void board_start(void)
{
}

void board_marker(bool high)
{
    marker_word(high);
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

void board_reset(void)
{
    REG32(RV32_VIRT_TEST) = 0x7777;
    for (volatile uint32_t n = 0; n < 100000; n++)
        ; /* it takes effect after a while */
}
