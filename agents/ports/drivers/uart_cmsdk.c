/* UART of Arm's Cortex-M System Design Kit: one byte of buffer each way. DDI0479C 4.3. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    DATA = 0x00,
    STATE = 0x04,
    CTRL = 0x08,
    INTSTATUS = 0x0c,
    BAUDDIV = 0x10,

    STATE_TX_FULL = 1 << 0,
    STATE_RX_FULL = 1 << 1,
    STATE_RX_OVERRUN = 1 << 3,
    CTRL_TX = 1 << 0,
    CTRL_RX = 1 << 1,
    CTRL_RX_INT = 1 << 3,
    INT_RX = 1 << 1,
};

#define CORE_PER_UART_CYCLE ((BOARD_CLOCK_HZ + BOARD_UART_CLOCK_HZ - 1) / BOARD_UART_CLOCK_HZ)

#define REG(offset)         REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(CTRL) = CTRL_TX | CTRL_RX;
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ, baud, 16, 0xfffff);

    if (divisor == 0)
        return false;
    REG(BAUDDIV) = divisor;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(STATE) & STATE_TX_FULL) != 0)
        ;
    REG(DATA) = byte;
}

void uart_drain(void)
{
    while ((REG(STATE) & STATE_TX_FULL) != 0)
        ;
    /* Nothing tells when the shift register is done: wait ten bits, at a cycle a round or more. */
    for (uint32_t n = REG(BAUDDIV) * 10 * CORE_PER_UART_CYCLE; n != 0; n--)
        __asm__ volatile("");
}

void uart_listen(bool listen)
{
    REG(CTRL) = listen ? CTRL_TX | CTRL_RX | CTRL_RX_INT : CTRL_TX | CTRL_RX;
}

void uart_irq(void)
{
    REG(INTSTATUS) = INT_RX; /* before reading: the next byte raises it again */
    while ((REG(STATE) & STATE_RX_FULL) != 0)
        agent_rx((uint8_t)REG(DATA));
    if ((REG(STATE) & STATE_RX_OVERRUN) != 0) {
        REG(STATE) = STATE_RX_OVERRUN;
        agent_rx_lost();
    }
}
