/* The port functions that need the core or the drivers; memory, time and identity are in common/. */
#include "agents/core/port.h"

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/life.h"
#include "agents/ports/common/uart.h"
#include "agents/ports/riscv/cpu.h"
#include "agents/ports/riscv/irq.h"
#include "agents/wire/wire.h"
#include "targets/chips/chip.h"

void trap_c(void);
void cpu_sleep(void); /* start.S, with two places in it */
extern const char cpu_sleep_wfi[];
extern const char cpu_sleep_end[];

static _Noreturn void fault(uint32_t cause)
{
    life_say_value("\r\ntinyrig: fault cause=", cause);
    life_say_value(" pc=", CSR_READ(mepc));
    life_say_value(" tval=", CSR_READ(mtval));
    life_say("\r\n");
    life_reset(WIRE_RESET_FAULT);
}

void trap_c(void)
{
    uint32_t cause = CSR_READ(mcause);

    if (!irq_take(cause))
        fault(cause);
    if (CSR_READ(mepc) == (uintptr_t)cpu_sleep_wfi)
        CSR_WRITE(mepc, cpu_sleep_end);
}

void port_init(void)
{
    board_start();
    life_start();
    uart_start();
    (void)uart_set_baud(AGENT_BAUD);
    board_marker(false);
    timer_choose();
    irq_start();
    port_link_silence(false);
    cpu_unmask(MSTATUS_MIE);
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
    /* With interrupts masked none can slip in between the look and the sleep. */
    uint32_t was = cpu_mask();

    if (may_sleep && !agent_rx_pending())
        cpu_sleep();
    cpu_unmask(was);
}

void port_link_silence(bool silent)
{
    uint32_t was = cpu_mask();

    uart_listen(!silent);
    if (!silent)
        uart_irq(); /* what came meanwhile raised no interrupt */
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

void port_cold(void)
{
    __asm__ volatile("fence.i"); /* the E31's instruction cache; no data cache */
}

void cpu_reset(void)
{
    board_reset();
    life_say("tinyrig: this board cannot reset itself; reset it from outside\r\n");
    uart_drain();
    cpu_mask();
    for (;;)
        __asm__ volatile("wfi");
}
