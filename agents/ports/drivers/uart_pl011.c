/* Arm PL011, as the RP2040 has it: 32 bytes of FIFO each way. DDI 0183; RP2040 Datasheet 4.2. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    DR = 0x00,
    FR = 0x18,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    ICR = 0x44,

    DR_OVERRUN = 1 << 11,
    FR_BUSY = 1 << 3,
    FR_RXFE = 1 << 4,
    FR_TXFF = 1 << 5,
    LCR_FIFOS = 1 << 4,
    LCR_8_BITS = 3 << 5,
    CR_UART = 1 << 0,
    CR_TX = 1 << 8,
    CR_RX = 1 << 9,
    IFLS_RX_EIGHTH = 0, /* 4 bytes; fewer are brought by the timeout of 32 bit times */
    INT_RX = 1 << 4,
    INT_RX_TIMEOUT = 1 << 6,
};

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(IFLS) = IFLS_RX_EIGHTH;
    REG(LCR_H) = LCR_8_BITS | LCR_FIFOS;
    REG(CR) = CR_UART | CR_TX | CR_RX;
}

bool uart_set_baud(uint32_t baud)
{
    /* 16 clocks a bit, 6 fraction bits: clock * 4 / baud. */
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ * 4u, baud, 1 << 6, 0xffff << 6);

    if (divisor == 0)
        return false;
    REG(CR) = 0;
    REG(IBRD) = divisor >> 6;
    REG(FBRD) = divisor & 63;
    REG(LCR_H) = LCR_8_BITS | LCR_FIFOS; /* takes the divisor over */
    REG(CR) = CR_UART | CR_TX | CR_RX;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(FR) & FR_TXFF) != 0)
        ;
    REG(DR) = byte;
}

void uart_drain(void)
{
    while ((REG(FR) & FR_BUSY) != 0)
        ;
}

void uart_listen(bool listen)
{
    REG(IMSC) = listen ? INT_RX | INT_RX_TIMEOUT : 0;
}

void uart_irq(void)
{
    while ((REG(FR) & FR_RXFE) == 0) {
        uint32_t got = REG(DR);

        agent_rx((uint8_t)got);
        if ((got & DR_OVERRUN) != 0)
            agent_rx_lost();
    }
    REG(ICR) = INT_RX | INT_RX_TIMEOUT;
}
