#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_dwt, &timer_systick, NULL};

void board_start(void)
{
    ra8d1_start_clock();
    ra8d1_start_sci9();
    ra8d1_start_output(BOARD_MARKER_PORT, BOARD_MARKER_PIN);
    ra8d1_start_output(BOARD_LED_PORT, BOARD_LED_PIN);
    ra8d1_write(BOARD_LED_PORT, BOARD_LED_PIN, true);
}

void board_marker(bool high)
{
    ra8d1_write(BOARD_MARKER_PORT, BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return ra8d1_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    return cpu_try_read(RA8D1_UID, uid, 12);
}
