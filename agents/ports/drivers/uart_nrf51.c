/* nRF51 UART: 6 bytes of receive FIFO, one interrupt for everything. nRF51 Reference Manual 29. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    STARTRX = 0x000,
    STOPRX = 0x004,
    STARTTX = 0x008,
    RXDRDY = 0x108,
    TXDRDY = 0x11c,
    ERROR = 0x124,
    INTENSET = 0x304,
    INTENCLR = 0x308,
    ERRORSRC = 0x480,
    ENABLE = 0x500,
    PSELTXD = 0x50c,
    PSELRXD = 0x514,
    RXD = 0x518,
    TXD = 0x51c,
    BAUDRATE = 0x524,

    ENABLE_UART = 4,
    INT_RXDRDY = 1 << 2,
    ERRORSRC_OVERRUN = 1 << 0,
};

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(PSELTXD) = BOARD_UART_TX_PIN;
    REG(PSELRXD) = BOARD_UART_RX_PIN;
    REG(ENABLE) = ENABLE_UART;
    REG(STARTTX) = 1;
}

bool uart_set_baud(uint32_t baud)
{
    if (baud < 1200 || baud > 1000000)
        return false;
    /* baud * 2^32 / 16 MHz, without 64-bit division: 268 + 1784/4096 = 2^32 / 16e6 to 5e-7. The
     * register's lower 12 bits are not used. */
    REG(BAUDRATE) = (baud * 268 + (baud * 1784 >> 12) + 0x800) & 0xfffff000u;
    return true;
}

void uart_put(uint8_t byte)
{
    REG(TXDRDY) = 0;
    REG(TXD) = byte;
    while (REG(TXDRDY) == 0)
        ;
}

void uart_drain(void)
{
    /* uart_put() waits until the byte has gone. */
}

void uart_listen(bool listen)
{
    if (listen) {
        REG(STARTRX) = 1;
        REG(INTENSET) = INT_RXDRDY;
    } else {
        REG(INTENCLR) = INT_RXDRDY;
        REG(STOPRX) = 1; /* saves its current; the FIFO keeps what it has */
    }
}

void uart_irq(void)
{
    uint32_t errors = REG(ERRORSRC);

    while (REG(RXDRDY) != 0) {
        REG(RXDRDY) = 0; /* before reading: the read may raise the next one */
        agent_rx((uint8_t)REG(RXD));
    }
    if (errors != 0) {
        REG(ERRORSRC) = errors;
        if ((errors & ERRORSRC_OVERRUN) != 0)
            agent_rx_lost();
    }
}
