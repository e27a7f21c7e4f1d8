#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_systick, NULL};

void board_start(void)
{
    rp2040_start_clock();
    rp2040_start_uart0();
    rp2040_start_output(BOARD_MARKER_PIN);
    rp2040_start_output(BOARD_LED_PIN);
    rp2040_write(BOARD_LED_PIN, true);
}

void board_marker(bool high)
{
    rp2040_write(BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return rp2040_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    (void)uid; /* only the flash beside it has one */
    return false;
}
