#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"
#include "agents/ports/riscv/marker.h"

const struct timer *const board_timers[] = {&timer_mcycle, NULL};

void board_start(void)
{
    fe310_start_clock();
    fe310_start_uart0();
    fe310_start_output(BOARD_MARKER_PIN);
}

void board_marker(bool high)
{
    fe310_output(BOARD_MARKER_PIN, high);
    marker_word(high);
}

uint8_t board_reset_cause(void)
{
    return fe310_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    (void)uid;
    return false;
}

void board_reset(void)
{
    fe310_watchdog_reset();
}
