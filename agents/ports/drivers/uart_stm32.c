/* STM32 USART of the F1, F2 and F4: one byte of buffer. RM0041 23, RM0090 30. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    SR = 0x00,
    DR = 0x04,
    BRR = 0x08,
    CR1 = 0x0c,

    SR_ORE = 1 << 3,
    SR_RXNE = 1 << 5,
    SR_TC = 1 << 6,
    SR_TXE = 1 << 7,

    CR1_RE = 1 << 2,
    CR1_TE = 1 << 3,
    CR1_RXNEIE = 1 << 5,
    CR1_UE = 1 << 13,
};

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(CR1) = CR1_UE | CR1_TE | CR1_RE;
}

bool uart_set_baud(uint32_t baud)
{
    /* Oversampling by 16: the register is the divisor with 4 fraction bits. */
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ, baud, 16, 0xffff);

    if (divisor == 0)
        return false;
    REG(BRR) = divisor;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(SR) & SR_TXE) == 0)
        ;
    REG(DR) = byte;
}

void uart_drain(void)
{
    while ((REG(SR) & SR_TC) == 0)
        ;
}

void uart_listen(bool listen)
{
    if (listen)
        REG(CR1) |= CR1_RXNEIE;
    else
        REG(CR1) &= ~(uint32_t)CR1_RXNEIE;
}

void uart_irq(void)
{
    uint32_t status;

    while (((status = REG(SR)) & (SR_RXNE | SR_ORE)) != 0) {
        uint8_t byte = (uint8_t)REG(DR); /* clears both */

        if ((status & SR_RXNE) != 0)
            agent_rx(byte);
        if ((status & SR_ORE) != 0)
            agent_rx_lost();
    }
}
