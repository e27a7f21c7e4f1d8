/*
 * STM32 USART of the L4, H7 and U5 (status and data in registers of their own), and the LPUART,
 * which differs in its divisor only. RM0432 49 and 50, RM0433 48, RM0456 66 and 67.
 */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    CR1 = 0x00,
    BRR = 0x0c,
    ISR = 0x1c,
    ICR = 0x20,
    RDR = 0x24,
    TDR = 0x28,

    CR1_UE = 1 << 0,
    CR1_RE = 1 << 2,
    CR1_TE = 1 << 3,
    CR1_RXNEIE = 1 << 5,

    ISR_ORE = 1 << 3,
    ISR_RXNE = 1 << 5,
    ISR_TC = 1 << 6,
    ISR_TXE = 1 << 7,
    ICR_ORECF = 1 << 3,
};

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(CR1) = CR1_TE | CR1_RE;
    REG(CR1) |= CR1_UE;
}

#ifdef BOARD_LPUART
/* The register over 256 clocks makes a bit: 256 * clock / baud, in 32 bits. */
static uint32_t divisor(uint32_t baud)
{
    uint32_t d = baud < 9600 ? 0 : (BOARD_UART_CLOCK_HZ * 16u + baud / 32) / (baud / 16);

    return d >= 0x300 && d <= 0xfffff ? d : 0;
}
#else
/* Oversampling by 16: the register is the divisor with 4 fraction bits. */
static uint32_t divisor(uint32_t baud)
{
    return uart_divisor(BOARD_UART_CLOCK_HZ, baud, 16, 0xffff);
}
#endif

bool uart_set_baud(uint32_t baud)
{
    uint32_t d = divisor(baud);

    if (d == 0)
        return false;
    REG(CR1) &= ~(uint32_t)CR1_UE; /* the divisor may only change while it is off */
    REG(BRR) = d;
    REG(CR1) |= CR1_UE;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(ISR) & ISR_TXE) == 0)
        ;
    REG(TDR) = byte;
}

void uart_drain(void)
{
    while ((REG(ISR) & ISR_TC) == 0)
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

    while (((status = REG(ISR)) & (ISR_RXNE | ISR_ORE)) != 0) {
        if ((status & ISR_RXNE) != 0)
            agent_rx((uint8_t)REG(RDR));
        if ((status & ISR_ORE) != 0) {
            REG(ICR) = ICR_ORECF;
            agent_rx_lost();
        }
    }
}
