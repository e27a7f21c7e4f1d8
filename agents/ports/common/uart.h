/*
 * The serial port under the link: six functions, one implementation linked per board
 * (agents/ports/drivers/uart_*.c). Received bytes go to agent_rx() from uart_irq().
 */
#ifndef AGENTS_PORTS_COMMON_UART_H
#define AGENTS_PORTS_COMMON_UART_H

#include <stdbool.h>
#include <stdint.h>

void uart_start(void); /* 8N1, not listening; the rate comes from uart_set_baud() */
/* False when the clock cannot be divided to within 2.5 % of it; the old rate then stays. */
bool uart_set_baud(uint32_t baud);
void uart_put(uint8_t byte);
void uart_drain(void);         /* until the last stop bit has left */
void uart_listen(bool listen); /* the receive interrupt; bytes that waited are taken at once */
void uart_irq(void);           /* everything received so far; also called with interrupts off */

/*
 * The nearest divisor, or 0 when it is none of min..max or the rate it gives is more than 2.5 %
 * off: half of what an 8N1 frame tolerates when the other side is exact.
 */
static inline uint32_t uart_divisor(uint32_t clock_hz, uint32_t baud, uint32_t min, uint32_t max)
{
    uint32_t divisor = baud == 0 ? 0 : (clock_hz + baud / 2) / baud;
    uint32_t got = divisor * baud;
    uint32_t off = got > clock_hz ? got - clock_hz : clock_hz - got;

    return divisor >= min && divisor <= max && off <= clock_hz / 40 ? divisor : 0;
}

#endif
