#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_esp32c3, NULL};

void board_start(void)
{
    esp32c3_stop_watchdogs();
    esp32c3_start_clock();
    esp32c3_start_output(BOARD_MARKER_PIN);
}

void board_marker(bool high)
{
    esp32c3_output(BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return esp32c3_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    esp32c3_mac(uid);
    return true;
}

void board_reset(void)
{
    esp32c3_reset();
}
