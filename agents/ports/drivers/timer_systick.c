/*
 * SysTick in two roles.
 *
 * As the timebase: core cycles in 24 bits, its wrap counted by its interrupt. Any window length;
 * each 2^24 cycles of one cost an interrupt of about 40 cycles, counted from the window's begin,
 * because the period starts anew there. What one costs is measured at start and taken out again.
 *
 * As a guard for 32-bit counters with no wrap interrupt of their own: it interrupts every 2^24 core
 * cycles, so that they are read at least once in each wrap. Counters that take a minute or more to
 * wrap need no guard within a window, so there it is off. Faster ones keep it, restarted at the
 * window's begin: about 50 cycles in 2^24 (3 ppm), and always the same number for the same code.
 */
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "agents/wire/wire.h"

enum {
    CSR_ENABLE = 1 << 0,
    CSR_INTERRUPT = 1 << 1,
    CSR_CORE_CLOCK = 1 << 2,
    CSR_COUNTED = 1 << 16,
    UNGUARDED_SECONDS = 60,
    WORTH_SLEEPING = 1000,
};

#define PERIOD         (1u << 24)
#define ICSR_PENDSTSET (1u << 26)
#define ICSR_PENDSTCLR (1u << 25)

static bool guarding;
static volatile uint64_t begin; /* ticks at the start of this period */
static uint64_t last;
static uint32_t cost16; /* ticks that 16 of its interrupts take */
static uint32_t lost16; /* 16 times the ticks they took since the start of the first period */

void systick_handler(void);
void systick_handler(void)
{
    if (guarding) {
        (void)timer_chosen()->ticks();
    } else {
        begin += PERIOD;
        lost16 += cost16;
    }
}

static void restart(void)
{
    REG32(SCS_SYST_CVR) = 0;
    REG32(SCS_ICSR) = ICSR_PENDSTCLR;
    while (REG32(SCS_SYST_CVR) == 0)
        ; /* reloads with the next clock */
}

static void start(void)
{
    REG32(SCS_SYST_RVR) = PERIOD - 1;
    REG32(SCS_SYST_CSR) = CSR_ENABLE | CSR_INTERRUPT | CSR_CORE_CLOCK;
    restart();
}

/* Ticks that 16 rounds take in which ICSR is written so. */
static uint32_t rounds(uint32_t icsr)
{
    uint32_t from = REG32(SCS_SYST_CVR);

    for (uint32_t n = 16; n != 0; n--) {
        REG32(SCS_ICSR) = icsr;
        __asm__ volatile("dsb\n\tisb");
    }
    return (from - REG32(SCS_SYST_CVR)) & (PERIOD - 1);
}

/* Interrupts asked for by hand against none; masked ones are never taken and cost nothing. */
static void measure_cost(void)
{
    uint32_t was = cpu_mask();
    uint32_t with;
    uint32_t without;

    cpu_unmask(cpu_has_vectors() ? 0 : 1);
    without = rounds(0);
    with = rounds(ICSR_PENDSTSET);
    cpu_unmask(was);
    REG32(SCS_ICSR) = ICSR_PENDSTCLR;
    cost16 = with > without ? with - without : 0;
    begin = 0;
    lost16 = 0;
}

/* ---- guard ---- */

void guard_quiet(bool quiet)
{
    guarding = true;
    if (quiet && timer_chosen()->hz < UINT32_MAX / UNGUARDED_SECONDS)
        REG32(SCS_SYST_CSR) = 0;
    else
        start();
    (void)timer_chosen()->ticks();
}

/* An interrupt as the alarm clock. Rounds down; who wants the rest asks again. */
uint32_t guard_doze(uint32_t ticks)
{
    uint32_t hz = timer_chosen()->hz;
    uint32_t cycles = hz > BOARD_CLOCK_HZ ? ticks / (hz / BOARD_CLOCK_HZ) : ticks;
    uint32_t left;
    uint32_t was;

    if (cycles < WORTH_SLEEPING)
        return 0;
    if (cycles >= PERIOD)
        cycles = PERIOD - 1;
    was = cpu_mask();
    REG32(SCS_SYST_RVR) = cycles;
    REG32(SCS_SYST_CSR) = CSR_ENABLE | CSR_INTERRUPT | CSR_CORE_CLOCK;
    restart();
    __asm__ volatile("dsb\n\twfi");
    left = REG32(SCS_SYST_CVR);
    if ((REG32(SCS_SYST_CSR) & CSR_COUNTED) != 0) /* after the look at CVR: reading clears it */
        left = 0;
    REG32(SCS_SYST_CSR) = 0;
    REG32(SCS_ICSR) = ICSR_PENDSTCLR;
    cpu_unmask(was);
    if (hz >= UINT32_MAX / UNGUARDED_SECONDS)
        start();
    /* Of the core's own counters only: a timer of the chip goes on by itself. */
    return hz == BOARD_CLOCK_HZ ? cycles - left : 0;
}

/* ---- timebase ---- */

/* It counts down from PERIOD - 1 to 0, where it asks for its interrupt. */
static uint32_t since_begin(void)
{
    return (PERIOD - REG32(SCS_SYST_CVR)) & (PERIOD - 1);
}

static uint64_t ticks(void)
{
    uint32_t was = cpu_mask();
    uint64_t now = begin + since_begin() - lost16 / 16;

    if ((REG32(SCS_ICSR) & ICSR_PENDSTSET) != 0)
        now = begin + PERIOD + since_begin() -
              lost16 / 16; /* it may have wrapped after the first look */
    if (now < last)
        now += PERIOD; /* wrapped, and the interrupt still on its way */
    last = now;
    cpu_unmask(was);
    return now;
}

static void start_timebase(void)
{
    start();
    measure_cost();
}

/* The few ticks of the restart itself are lost, outside of any window. */
static void quiet(bool quiet)
{
    if (!quiet)
        return;
    begin = ticks();
    lost16 = 0;
    restart();
}

const struct timer timer_systick = {
    .kind = WIRE_TIMEBASE_SYSTICK,
    .bits = 24,
    .hz = BOARD_CLOCK_HZ,
    .start = start_timebase,
    .ticks = ticks,
    .quiet = quiet,
};
