/* SiFive UART: 8 bytes of FIFO each way. FE310-G000 Manual 18. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    TXDATA = 0x00,
    RXDATA = 0x04,
    TXCTRL = 0x08,
    RXCTRL = 0x0c,
    IE = 0x10,
    IP = 0x14,
    DIV = 0x18,

    CTRL_ENABLE = 1 << 0,
    TXCTRL_WATERMARK_1 = 1 << 16, /* pending when fewer than one byte waits */
    INT_TX = 1 << 0,
    INT_RX = 1 << 1,
};

#define FIFO_FLAG   0x80000000u /* txdata: full; rxdata: empty */

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(TXCTRL) = CTRL_ENABLE | TXCTRL_WATERMARK_1;
    REG(RXCTRL) = CTRL_ENABLE; /* pending when more than 0 bytes wait */
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ, baud, 16, 0x10000);

    if (divisor == 0)
        return false;
    REG(DIV) = divisor - 1;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(TXDATA) & FIFO_FLAG) != 0)
        ;
    REG(TXDATA) = byte;
}

void uart_drain(void)
{
    while ((REG(IP) & INT_TX) == 0)
        ;
    /* Nothing tells when the shift register is done: wait ten bits, at 2 cycles a round or more. */
    for (uint32_t n = (REG(DIV) + 1) * 5; n != 0; n--)
        __asm__ volatile("");
}

void uart_listen(bool listen)
{
    REG(IE) = listen ? INT_RX : 0;
}

void uart_irq(void)
{
    uint32_t data;

    while (((data = REG(RXDATA)) & FIFO_FLAG) == 0)
        agent_rx((uint8_t)data);
}
