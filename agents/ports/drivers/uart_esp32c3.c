/* ESP32-C3 UART: 128 bytes of FIFO each way, clocked by the crystal. TRM chapter 26. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/chip.h"

enum {
    FIFO = 0x00,
    INT_ENA = 0x0c,
    INT_CLR = 0x10,
    CLKDIV = 0x14,
    STATUS = 0x1c,
    CONF0 = 0x20,
    CONF1 = 0x24,
    MEM_CONF = 0x60,
    FSM_STATUS = 0x6c,
    CLK_CONF = 0x78,

    INT_RXFIFO_FULL = 1 << 0,
    INT_RXFIFO_TOUT = 1 << 8,
    INT_RECEIVED = INT_RXFIFO_FULL | INT_RXFIFO_TOUT,
    COUNT = 0x3ff, /* in STATUS: received, and 16 bits higher to be sent */
    TX_FULL = 126,
    CONF0_FRAME = 0x3f,
    CONF0_8N1 = 3 << 2 | 1 << 4,
    CONF1_RX_THRESHOLD = 0x1ff,
    CONF1_RX_TOUT_ENABLE = 1 << 21,
    MEM_CONF_RX_TOUT = 0x3ff << 16,
    RX_TOUT_20_BITS = 20 << 16, /* two frames */
    FSM_TX = 0xf << 4,
    CLK_CRYSTAL = 3 << 20,
    CLK_ENABLE = 1 << 22,
    CLK_TX_ENABLE = 1 << 24,
    CLK_RX_ENABLE = 1 << 25,
    FRACTION = 16, /* of a divisor's unit */
};

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(INT_ENA) = 0;
    REG(CLK_CONF) = CLK_CRYSTAL | CLK_ENABLE | CLK_TX_ENABLE | CLK_RX_ENABLE;
    REG(CONF0) = (REG(CONF0) & ~(uint32_t)CONF0_FRAME) | CONF0_8N1;
    /* Espressif's header reads as if the threshold had to be exceeded: with the time-out no byte
     * waits for the next one either way. */
    REG(MEM_CONF) = (REG(MEM_CONF) & ~(uint32_t)MEM_CONF_RX_TOUT) | RX_TOUT_20_BITS;
    REG(CONF1) = (REG(CONF1) & ~(uint32_t)CONF1_RX_THRESHOLD) | CONF1_RX_TOUT_ENABLE | 1;
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor =
        uart_divisor(BOARD_UART_CLOCK_HZ * FRACTION, baud, 3 * FRACTION, 0xfff * FRACTION);

    if (divisor == 0)
        return false;
    REG(CLKDIV) = divisor / FRACTION | divisor % FRACTION << 20;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(STATUS) >> 16 & COUNT) >= TX_FULL)
        ;
    REG(FIFO) = byte;
}

void uart_drain(void)
{
    while ((REG(STATUS) >> 16 & COUNT) != 0 || (REG(FSM_STATUS) & FSM_TX) != 0)
        ;
}

void uart_listen(bool listen)
{
    REG(INT_ENA) = listen ? INT_RECEIVED : 0;
}

void uart_irq(void)
{
    do {
        while ((REG(STATUS) & COUNT) != 0)
            agent_rx((uint8_t)REG(FIFO));
        REG(INT_CLR) = INT_RECEIVED;
    } while ((REG(STATUS) & COUNT) != 0); /* one that came before the flags were cleared */
}
