/*
 * nRF51 TIMER0: 32 bits at 16 MHz, read by capture. Two compare interrupts a wrap keep the high
 * half right between windows; within one they are off, so a window may last up to 2^32 ticks, 268 s.
 */
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"
#include "targets/chips/nrf51.h"

enum {
    TASK_START = 0x000,
    TASK_CAPTURE0 = 0x040,
    EVENT_COMPARE1 = 0x144,
    EVENT_COMPARE2 = 0x148,
    EVENT_COMPARE3 = 0x14c,
    INTENSET = 0x304,
    INTENCLR = 0x308,
    BITMODE = 0x508,
    PRESCALER = 0x510,
    CC0 = 0x540,
    CC1 = 0x544,
    CC2 = 0x548,
    CC3 = 0x54c,

    BITMODE_32 = 3,
    INT_COMPARE_1_AND_2 = 3 << 17,
    INT_COMPARE_3 = 1 << 19,
    WORTH_SLEEPING = 200,
};

#define REG(offset) REG32(NRF51_TIMER0 + (offset))

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now;

    REG(TASK_CAPTURE0) = 1;
    now = timer_extend(REG(CC0));
    cpu_unmask(was);
    return now;
}

void timer_irq(void);
void timer_irq(void)
{
    REG(EVENT_COMPARE1) = 0;
    REG(EVENT_COMPARE2) = 0;
    (void)ticks();
}

static void quiet(bool quiet)
{
    REG(quiet ? INTENCLR : INTENSET) = INT_COMPARE_1_AND_2;
    (void)ticks();
}

static uint32_t doze(uint32_t ticks_to_sleep)
{
    uint32_t was = cpu_mask();

    REG(EVENT_COMPARE3) = 0;
    REG(CC3) = (uint32_t)ticks() + ticks_to_sleep;
    REG(INTENSET) = INT_COMPARE_3;
    if (ticks_to_sleep > WORTH_SLEEPING)
        __asm__ volatile("dsb\n\twfi");
    REG(INTENCLR) = INT_COMPARE_3;
    REG32(SCS_NVIC_ICPR) = 1u << NRF51_TIMER0_IRQ;
    cpu_unmask(was);
    return 0;
}

static void start(void)
{
    REG(BITMODE) = BITMODE_32;
    REG(PRESCALER) = 0;
    REG(CC1) = 0x40000000;
    REG(CC2) = 0xc0000000;
    REG(TASK_START) = 1;
    cpu_enable_interrupt(NRF51_TIMER0_IRQ);
}

const struct timer timer_nrf51 = {
    .kind = WIRE_TIMEBASE_CHIP_TIMER,
    .bits = 32,
    .hz = 16000000,
    .start = start,
    .ticks = ticks,
    .quiet = quiet,
    .doze = doze,
};
