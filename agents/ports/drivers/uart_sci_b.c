/* Renesas SCI_B (RA8) in asynchronous mode, one byte of buffer. RA8D1 User's Manual 31. */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "targets/chips/ra8d1.h"

enum {
    RDR = 0x00,
    TDR = 0x04,
    CCR0 = 0x08,
    CCR2 = 0x10,
    CSR = 0x48,
    CFCLR = 0x68,

    CCR0_RE = 1 << 0,
    CCR0_TE = 1 << 4,
    CCR0_RIE = 1 << 16,
    CCR2_EIGHT_CLOCKS = 1 << 5 | 1 << 4, /* ABCS, BGDM: 8 clocks a bit */
    CSR_ORER = 1 << 24,
    CSR_FER = 1 << 28,
    CSR_TDRE = 1 << 29,
    CSR_TEND = 1 << 30,
};

#define CSR_RDRF    0x80000000u
#define REG(offset) REG32(BOARD_UART_BASE + (offset))

static uint32_t enabled = CCR0_RE | CCR0_TE;

void uart_start(void)
{
    REG(CCR0) = enabled; /* CCR3 comes out of reset as 8 bits, LSB first, one stop bit */
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ / 8, baud, 1, 256);

    if (divisor == 0)
        return false;
    REG(CCR0) = 0;
    REG(CCR2) = CCR2_EIGHT_CLOCKS | (divisor - 1) << 8;
    REG(CCR0) = enabled;
    return true;
}

void uart_put(uint8_t byte)
{
    while ((REG(CSR) & CSR_TDRE) == 0)
        ;
    REG(TDR) = byte;
}

void uart_drain(void)
{
    while ((REG(CSR) & CSR_TEND) == 0)
        ;
}

void uart_listen(bool listen)
{
    enabled = listen ? enabled | CCR0_RIE : enabled & ~(uint32_t)CCR0_RIE;
    REG(CCR0) = enabled;
}

void uart_irq(void)
{
    uint32_t status;

    ra8d1_clear_interrupt(BOARD_UART_IRQ);
    ra8d1_clear_interrupt(BOARD_UART_ERROR_IRQ);
    while (((status = REG(CSR)) & (CSR_RDRF | CSR_ORER | CSR_FER)) != 0) {
        /* With an error of its frame a byte comes without RDRF, and none comes any more until the
         * error is cleared. As junk it tells of a host that speaks at another rate. */
        if ((status & (CSR_RDRF | CSR_FER)) != 0)
            agent_rx((uint8_t)REG(RDR));
        if ((status & (CSR_ORER | CSR_FER)) != 0)
            REG(CFCLR) = status & (CSR_ORER | CSR_FER);
        if ((status & CSR_ORER) != 0)
            agent_rx_lost();
    }
}
