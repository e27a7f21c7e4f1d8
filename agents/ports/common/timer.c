/* The timebase is the first candidate that counts, found by trying and not by what a manual says:
 * emulators lack DWT, M0 parts lack SysTick, debuggers stop counters. */
#include "agents/ports/common/timer.h"

#include "agents/core/port.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/layout.h"

static const struct timer *chosen;

static void spin(uint32_t n)
{
    while (n-- != 0)
        __asm__ volatile("");
}

/* It must advance over each of three known loops. */
static bool counts(const struct timer *timer)
{
    uint64_t before = timer->ticks();

    for (uint8_t round = 0; round < 3; round++) {
        uint64_t now;

        spin(1000);
        now = timer->ticks();
        if (now <= before)
            return false;
        before = now;
    }
    return true;
}

void timer_choose(void)
{
    const struct timer *const *candidate = board_timers;

    do {
        chosen = *candidate++;
        chosen->start();
    } while (!counts(chosen) && *candidate != NULL);
}

const struct timer *timer_chosen(void)
{
    return chosen;
}

uint64_t timer_extend(uint32_t now)
{
    static uint32_t last;
    static uint32_t high;

    if (now < last)
        high++;
    last = now;
    return (uint64_t)high << 32 | now;
}

struct port_timebase port_timebase(void)
{
#ifdef BOARD_INJECTED
    uint32_t hz = port_layout.clock_hz; /* DWT and SysTick count the core's clock */
#else
    uint32_t hz = chosen->hz;
#endif

    return (struct port_timebase){.kind = chosen->kind, .bits = chosen->bits, .hz = hz};
}

uint64_t port_ticks(void)
{
    return chosen->ticks();
}

void port_sleep(uint32_t ticks)
{
    uint64_t last = port_ticks();

    for (;;) {
        uint32_t slept = chosen->doze != NULL ? chosen->doze(ticks) : 0;
        uint64_t now = port_ticks();
        uint64_t gone = now - last;

        if (gone < slept)
            gone = slept;
        if (gone >= ticks)
            return;
        ticks -= (uint32_t)gone;
        last = now;
    }
}
