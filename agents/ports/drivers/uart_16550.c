/* 16550: 16 bytes of FIFO each way. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    RBR_THR = 0, /* divisor low with DLAB */
    IER = 1,     /* divisor high with DLAB */
    FCR = 2,
    LCR = 3,
    LSR = 5,

    IER_RX = 1 << 0,
    FCR_ON_CLEARED_14 = 0xc7, /* QEMU offers a FIFO only what is missing to its trigger level */
    LCR_8N1 = 0x03,
    LCR_DLAB = 0x80,
    LSR_READY = 1 << 0,
    LSR_OVERRUN = 1 << 1,
    LSR_THR_EMPTY = 1 << 5,
    LSR_IDLE = 1 << 6,
};

#define REG(offset) REG8(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(IER) = 0;
    REG(LCR) = LCR_8N1;
    REG(FCR) = FCR_ON_CLEARED_14;
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ / 16, baud, 1, 0xffff);
    uint8_t ier = REG(IER);

    if (divisor == 0)
        return false;
    REG(LCR) = LCR_8N1 | LCR_DLAB;
    REG(RBR_THR) = (uint8_t)divisor;
    REG(IER) = (uint8_t)(divisor >> 8);
    REG(LCR) = LCR_8N1;
    REG(IER) = ier;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(LSR) & LSR_THR_EMPTY) == 0)
        ;
    REG(RBR_THR) = byte;
}

void uart_drain(void)
{
    while ((REG(LSR) & LSR_IDLE) == 0)
        ;
}

void uart_listen(bool listen)
{
    REG(IER) = listen ? IER_RX : 0;
}

void uart_irq(void)
{
    uint8_t status;

    while (((status = REG(LSR)) & LSR_READY) != 0) {
        agent_rx(REG(RBR_THR));
        if ((status & LSR_OVERRUN) != 0) /* reading the status has cleared it */
            agent_rx_lost();
    }
}
