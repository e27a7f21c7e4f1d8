/*
 * Sleep for boards with an nRF52840. Its SysTick stands still while the core sleeps (Product
 * Specification v1.1, "CPU and support module configuration"), so it cannot wake it, and CYCCNT
 * stands still too; TIMER0 does neither. Its clock is the one that the crystal keeps going anyway.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"

enum {
    TASK_START = 0x000,
    TASK_STOP = 0x004,
    TASK_CLEAR = 0x00c,
    TASK_CAPTURE1 = 0x044,
    EVENT_COMPARE0 = 0x140,
    INTENSET = 0x304,
    INTENCLR = 0x308,
    BITMODE = 0x508,
    PRESCALER = 0x510,
    CC0 = 0x540,
    CC1 = 0x544,

    BITMODE_32 = 3,
    INT_COMPARE0 = 1 << 16,
    RATIO = BOARD_CLOCK_HZ / 16000000,
    WORTH_SLEEPING = 200,
};

#define REG(offset) REG32(NRF51_TIMER0 + (offset))

uint32_t nrf52_doze(uint32_t ticks)
{
    uint32_t units = ticks / RATIO;
    uint32_t was;
    uint32_t slept;

    if (units < WORTH_SLEEPING)
        return 0;
    was = cpu_mask();
    REG(TASK_STOP) = 1;
    REG(TASK_CLEAR) = 1;
    REG(BITMODE) = BITMODE_32;
    REG(PRESCALER) = 0;
    REG(CC0) = units;
    REG(EVENT_COMPARE0) = 0;
    REG(INTENSET) = INT_COMPARE0;
    cpu_enable_interrupt(NRF51_TIMER0_IRQ);
    REG(TASK_START) = 1;
    __asm__ volatile("dsb\n\twfi");
    REG(TASK_CAPTURE1) = 1;
    slept = REG(CC1);
    REG(TASK_STOP) = 1;
    REG(INTENCLR) = INT_COMPARE0;
    (void)REG(
        INTENCLR); /* it has arrived when this is answered: no interrupt after the next line */
    cpu_disable_interrupt(NRF51_TIMER0_IRQ);
    cpu_unmask(was);
    return slept * RATIO;
}
