/* The port functions that need the core or the drivers; memory, time and identity are in common/. */
#include "agents/core/port.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/life.h"
#include "agents/ports/common/uart.h"

void port_init(void)
{
    board_start();
    life_start();
    uart_start();
    (void)uart_set_baud(AGENT_BAUD);
    board_marker(false);
    timer_choose();
    port_link_silence(false);
    sei();
}

void port_send(const uint8_t *data, size_t n)
{
    while (n-- != 0)
        uart_put(*data++);
}

void port_send_drain(void)
{
    uart_drain();
}

void port_wait(bool may_sleep)
{
    /* The instruction after sei() still runs with interrupts off: none can slip in before sleep. */
    cli();
    if (may_sleep && !agent_rx_pending()) {
        sleep_enable();
        sei();
        sleep_cpu();
        sleep_disable();
    }
    sei();
}

void port_link_silence(bool silent)
{
    uint8_t was = SREG;

    cli();
    uart_listen(!silent);
    if (!silent)
        uart_irq(); /* what came meanwhile raised no interrupt */
    timer_chosen()->quiet(silent);
    SREG = was;
}

bool port_set_baud(uint32_t baud)
{
    return uart_set_baud(baud);
}

void port_marker(bool high)
{
    board_marker(high);
}

void port_cold(void)
{
    /* no caches */
}

void cpu_reset(void)
{
    cli();
    board_reset();
    for (;;)
        ;
}
