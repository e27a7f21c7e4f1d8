/* USART0: two bytes of receive buffer, double speed. */
#include <avr/interrupt.h>
#include <avr/io.h>

#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"

static bool sent; /* before the first byte nothing will ever be complete */

void uart_start(void)
{
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
}

bool uart_set_baud(uint32_t baud)
{
    uint32_t divisor = uart_divisor(BOARD_UART_CLOCK_HZ / 8, baud, 1, 4096);

    if (divisor == 0)
        return false;
    UBRR0 = (uint16_t)(divisor - 1);
    return true;
}

void uart_put(uint8_t byte)
{
    while ((UCSR0A & _BV(UDRE0)) == 0)
        ;
    UCSR0A = _BV(U2X0) | _BV(TXC0); /* writing 1 clears TXC */
    UDR0 = byte;
    sent = true;
}

void uart_drain(void)
{
    while (sent && (UCSR0A & _BV(TXC0)) == 0)
        ;
}

void uart_listen(bool listen)
{
    if (listen)
        UCSR0B |= _BV(RXCIE0);
    else
        UCSR0B &= (uint8_t)~_BV(RXCIE0);
}

void uart_irq(void)
{
    uint8_t status;

    while (((status = UCSR0A) & _BV(RXC0)) != 0) {
        agent_rx(UDR0);
        if ((status & _BV(DOR0)) != 0)
            agent_rx_lost();
    }
}

ISR(USART0_RX_vect)
{
    uart_irq();
}
