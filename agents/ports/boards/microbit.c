#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_nrf51, NULL};

void board_start(void)
{
    nrf51_start_clock();
    REG32(NRF51_GPIO_OUTSET) = 1u << BOARD_UART_TX_PIN; /* an idle line is high */
    REG32(NRF51_GPIO_DIRSET) = 1u << BOARD_UART_TX_PIN | 1u << BOARD_MARKER_PIN;
    REG32(NRF51_GPIO_PIN_CNF + 4 * BOARD_UART_RX_PIN) = 0; /* input, connected */
}

void board_marker(bool high)
{
    if (high)
        REG32(NRF51_GPIO_OUTSET) = 1u << BOARD_MARKER_PIN;
    else
        REG32(NRF51_GPIO_OUTCLR) = 1u << BOARD_MARKER_PIN;
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
