/* The boards with an nRF52840; their headers have the pins. */
#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_dwt, &timer_systick, NULL};

void board_start(void)
{
    nrf52840_start_clock();
    nrf52840_start_output(BOARD_UART_TX_PIN, true); /* an idle line is high */
    nrf52840_start_input(BOARD_UART_RX_PIN);
    nrf52840_start_output(BOARD_MARKER_PIN, false);
    nrf52840_start_output(BOARD_LED_PIN, BOARD_LED_ON);
}

void board_marker(bool high)
{
    nrf52840_write(BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return nrf51_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    nrf51_uid(uid);
    return true;
}
