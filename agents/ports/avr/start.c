/* The stages avr-libc's start-up leaves to us: they run before main(), in order of their number. */
#include <avr/io.h>
#include <avr/wdt.h>

#include "agents/core/agent.h"
#include "agents/ports/avr/avr.h"

uint8_t avr_reset_flags __attribute__((section(".noinit")));

void paint_stack(void) __attribute__((naked, used, section(".init1")));
void stop_watchdog(void) __attribute__((naked, used, section(".init3")));
int main(void);

/* Before there is a stack, so in assembly. */
void paint_stack(void)
{
    __asm__ volatile("ldi r30, lo8(port_stack_limit)\n"
                     "ldi r31, hi8(port_stack_limit)\n"
                     "ldi r24, 0xa5\n"
                     "ldi r25, hi8(port_stack_top)\n"
                     "1: st Z+, r24\n"
                     "cpi r30, lo8(port_stack_top)\n"
                     "cpc r31, r25\n"
                     "brne 1b\n");
}

/* It stays on across the reset it caused, at its shortest period. */
void stop_watchdog(void)
{
    avr_reset_flags = MCUSR;
    MCUSR = 0;
    wdt_disable();
}

int main(void)
{
    agent_main();
}
