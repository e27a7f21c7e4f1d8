/* The port functions that need the core or the drivers; memory, time and identity are in common/. */
#include "agents/core/port.h"

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/life.h"
#include "agents/ports/common/uart.h"
#include "agents/ports/cortexm/cpu.h"

void port_init(void)
{
    board_start();
    life_start();
    cache_start();
    uart_start();
    (void)uart_set_baud(AGENT_BAUD);
    board_marker(false);
    timer_choose();
#ifdef BOARD_UART_IRQ
    cpu_enable_interrupt(BOARD_UART_IRQ);
#endif
#ifdef BOARD_UART_ERROR_IRQ
    cpu_enable_interrupt(BOARD_UART_ERROR_IRQ);
#endif
    cpu_unmask(cpu_has_vectors() ? 0 : 1);
    port_link_silence(false);
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
    /* With interrupts masked none can slip in between the look and the sleep, and a pending one
     * still ends WFI. */
    uint32_t was = cpu_mask();

    if (may_sleep && !agent_rx_pending())
        __asm__ volatile("dsb\n\twfi");
#ifdef BOARD_RTT_UP
    uart_irq(); /* the rings raise no interrupt of their own where vectors are not ours */
#endif
    cpu_unmask(was);
}

void port_link_silence(bool silent)
{
    const struct timer *timer = timer_chosen();
    uint32_t was = cpu_mask();

    uart_listen(!silent);
    if (!silent)
        uart_irq(); /* what came meanwhile raised no interrupt */
    if (timer->quiet != NULL)
        timer->quiet(silent);
    cpu_unmask(was);
}

bool port_set_baud(uint32_t baud)
{
    return uart_set_baud(baud);
}

void port_marker(bool high)
{
    board_marker(high);
}

void cpu_reset(void)
{
    __asm__ volatile("dsb");
    REG32(SCS_AIRCR) = 0x05fa0004; /* SYSRESETREQ */
    for (;;)
        ;
}
