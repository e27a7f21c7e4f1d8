/*
 * port_sleep() of the hardware ports over made-up counters: most of those that count a core's
 * cycles stand still while the core sleeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/core/port.h"
#include "agents/ports/common/timer.h"

static struct {
    uint64_t now;   /* true time */
    uint64_t slept; /* of it */
    uint32_t nap;   /* a sleep ends after so much, whatever was asked for */
    bool stands_still;
    unsigned dozes;
} chip;

static void start(void)
{
}

static uint64_t ticks(void)
{
    chip.now += 10; /* asking takes time, and spinning is asking */
    return chip.stands_still ? chip.now - chip.slept : chip.now;
}

static uint32_t doze(uint32_t wanted)
{
    const uint32_t nap = wanted < chip.nap ? wanted : chip.nap;

    chip.dozes++;
    if (wanted < 1000)
        return 0;
    chip.now += nap;
    chip.slept += nap;
    return chip.stands_still ? nap : 0;
}

static const struct timer made_up = {.hz = 1000000, .start = start, .ticks = ticks, .doze = doze};
const struct timer *const board_timers[] = {&made_up, NULL};

static uint64_t time_of_sleep(uint32_t wanted)
{
    uint64_t before;

    timer_choose();
    chip.slept = 0;
    chip.dozes = 0;
    before = chip.now;
    port_sleep(wanted);
    return chip.now - before;
}

static void expect_sleep(uint32_t wanted)
{
    const uint64_t took = time_of_sleep(wanted);

    assert_in_range(took, wanted, (uint64_t)wanted + wanted / 50 + 1000);
    assert_in_range(chip.dozes, 1, wanted / chip.nap + 200);
}

static void a_counter_that_goes_on_is_slept_through_once(void **state)
{
    (void)state;
    chip.stands_still = false;
    chip.nap = UINT32_MAX;
    expect_sleep(50000000);
    assert_true(chip.slept > 49990000);
    chip.nap = 1 << 24;
    expect_sleep(50000000);
    expect_sleep(UINT32_MAX - 5);
}

static void a_counter_that_stands_still_is_no_longer_sleep(void **state)
{
    (void)state;
    chip.stands_still = true;
    chip.nap = UINT32_MAX;
    expect_sleep(50000000);
    chip.nap = 1 << 24;
    expect_sleep(50000000);
    expect_sleep(UINT32_MAX - 5);
}

static void waking_early_is_no_shorter_sleep(void **state)
{
    (void)state;
    chip.nap = 100000;
    for (int still = 0; still < 2; still++) {
        chip.stands_still = still != 0;
        expect_sleep(5000000);
    }
}

static void short_gaps_are_spun(void **state)
{
    (void)state;
    chip.nap = UINT32_MAX;
    for (int still = 0; still < 2; still++) {
        chip.stands_still = still != 0;
        assert_in_range(time_of_sleep(500), 500, 1500);
        assert_int_equal(chip.slept, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_that_goes_on_is_slept_through_once),
        cmocka_unit_test(a_counter_that_stands_still_is_no_longer_sleep),
        cmocka_unit_test(waking_early_is_no_shorter_sleep),
        cmocka_unit_test(short_gaps_are_spun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
