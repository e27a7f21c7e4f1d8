/*
 * The core's own counter of cycles (machine performance counter, TRM 1.13): 32 bits, which wrap in
 * 107 s at 40 MHz, so windows stay below that. It counts in every privilege and never interrupts.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/drivers/timers.h"
#include "agents/ports/riscv/cpu.h"
#include "agents/wire/wire.h"

/* Event select, mode and count: mpcer, mpcmr, mpccr. */
#define MPCER        0x7e0
#define MPCMR        0x7e1
#define MPCCR        0x7e2
#define COUNT_CYCLES 1u
#define COUNT_ON     1u

#define STRING_(x)   #x
#define STRING(x)    STRING_(x)

static void start(void)
{
    __asm__ volatile("csrw " STRING(MPCER) ", %0" ::"r"(COUNT_CYCLES));
    __asm__ volatile("csrw " STRING(MPCMR) ", %0" ::"r"(COUNT_ON));
}

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now;
    uint32_t low;

    __asm__ volatile("csrr %0, " STRING(MPCCR) : "=r"(low)::"memory");
    now = timer_extend(low);
    cpu_unmask(was);
    return now;
}

const struct timer timer_esp32c3 = {
    .kind = WIRE_TIMEBASE_MCYCLE,
    .bits = 32,
    .hz = BOARD_TICK_HZ,
    .start = start,
    .ticks = ticks,
};
