/*
 * Core cycles without an interrupt in most windows: Timer 1 counts cycles in 16 bits, Timer 3
 * counts the same clock divided by 1024. Since the two run from one prescaler, Timer 3 says which
 * wrap of Timer 1 this is: together 26 bits, 4.2 s at 16 MHz, before the first interrupt.
 *
 * A longer window meets one interrupt of about 60 cycles per 2^26 (1 ppm), counted from its begin
 * because both start anew there; any length is fine.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "agents/ports/avr/avr.h"
#include "agents/ports/common/board.h"
#include "agents/wire/wire.h"

enum {
    COARSE_SHIFT = 10,
    PERIOD_SHIFT = 26,
};

static uint64_t begin; /* ticks when the counters were zeroed, plus whole periods since */

ISR(TIMER3_OVF_vect)
{
    begin += 1ull << PERIOD_SHIFT;
}

EMPTY_INTERRUPT(TIMER1_COMPA_vect) /* it only wakes */

static uint64_t ticks(void)
{
    uint8_t was = SREG;
    uint16_t fine;
    uint16_t coarse;
    uint32_t approximate;
    uint64_t now;

    cli();
    fine = TCNT1;
    coarse = TCNT3;
    now = begin;
    if ((TIFR3 & _BV(TOV3)) != 0 && coarse < 0x8000)
        now += 1ull << PERIOD_SHIFT;
    SREG = was;
    /* What is missing to the true count is less than half a wrap of Timer 1, in either direction. */
    approximate = (uint32_t)coarse << COARSE_SHIFT;
    now += approximate;
    return now + (uint64_t)(int64_t)(int16_t)(fine - (uint16_t)approximate);
}

static void restart(void)
{
    TCNT3 = 0;
    TCNT1 = 0;
    GTCCR = _BV(PSRSYNC);
    TIFR3 = _BV(TOV3);
}

static void start(void)
{
    TCCR1A = 0;
    TCCR3A = 0;
    TIMSK3 = _BV(TOIE3);
    TCCR3B = _BV(CS32) | _BV(CS30); /* clock / 1024 */
    TCCR1B = _BV(CS10);             /* clock */
    restart();
}

static void quiet(bool quiet)
{
    if (!quiet)
        return;
    begin = ticks();
    restart();
}

static uint32_t doze(uint32_t ticks_to_sleep)
{
    uint16_t soon = ticks_to_sleep < 0x7000 ? (uint16_t)ticks_to_sleep : 0x7000;

    if (soon < 200)
        return 0;
    cli();
    OCR1A = TCNT1 + soon;
    TIFR1 = _BV(OCF1A);
    TIMSK1 = _BV(OCIE1A);
    sleep_enable();
    sei();
    sleep_cpu();
    sleep_disable();
    TIMSK1 = 0;
    return 0;
}

const struct timer timer_avr = {
    .kind = WIRE_TIMEBASE_AVR_TIMER,
    .bits = PERIOD_SHIFT,
    .hz = BOARD_CLOCK_HZ,
    .start = start,
    .ticks = ticks,
    .quiet = quiet,
    .doze = doze,
};
