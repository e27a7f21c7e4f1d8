/* The current of a virtual board from what is told of it, however late that is. */
#include <stdio.h>

#include "targets/virtual/meter/waveform.h"
#include "tests/unit/unit.h"

#define MS       1000000u
#define PER_MS   7812u /* instructions of 128 ns */
#define SLEEP_NA 1200000
#define IDLE_NA  4000000
#define RUN_NA   9000000

static const struct waveform_levels levels = {
    .sleep_a = 1.2e-3, .idle_a = 4e-3, .run_a = 9e-3, .count_ns = 128};

static void told(struct waveform *w, const char *what, uint64_t at_ms, uint64_t count)
{
    char line[96];

    (void)snprintf(line, sizeof(line), "%s %llu %llu", what, (unsigned long long)at_ms * MS,
                   (unsigned long long)count);
    assert_true(waveform_record(w, line, at_ms * MS));
}

/* Mean of the next so many milliseconds. */
static int mean_na(struct waveform *w, unsigned ms)
{
    struct waveform_sample s;

    assert_true(waveform_next(w, (uint64_t)ms * MS, &s));
    return (int)(s.amperes * 1e9 + 0.5);
}

static void set_up(struct waveform *w)
{
    waveform_init(w, &levels);
    told(w, "time", 1, 10);
    waveform_skip_to_now(w);
}

/* 20 ms asleep, 30 ms at work, told at once: not 50 ms at work. */
static void who_woke_up_between_two_records_slept_before(void **state)
{
    struct waveform w;

    set_up(&w);
    told(&w, "time", 51, 10 + 30 * PER_MS);
    assert_in_range(mean_na(&w, 20), SLEEP_NA - 1000, SLEEP_NA + 1000);
    assert_in_range(mean_na(&w, 30), IDLE_NA - 1000, IDLE_NA);
}

/* 30 ms at work, because the host let it wait, 20 ms asleep before its window. */
static void who_is_about_to_measure_slept_last(void **state)
{
    struct waveform w;

    set_up(&w);
    told(&w, "edge 1", 51, 10 + 30 * PER_MS);
    assert_in_range(mean_na(&w, 30), IDLE_NA - 1000, IDLE_NA);
    assert_in_range(mean_na(&w, 20), SLEEP_NA, SLEEP_NA + 1000);
}

static void a_core_that_hardly_wakes_sleeps(void **state)
{
    struct waveform w;

    set_up(&w);
    told(&w, "time", 51, 10 + 2 * PER_MS);
    assert_int_equal(mean_na(&w, 50), SLEEP_NA);
}

static void a_core_that_spins_does_not_sleep(void **state)
{
    struct waveform w;

    set_up(&w);
    told(&w, "time", 51, 10 + 60 * PER_MS); /* counted later than the time was read */
    told(&w, "time", 101, 10 + 100 * PER_MS - PER_MS / 2);
    assert_int_equal(mean_na(&w, 50), IDLE_NA);
}

static void the_marker_is_what_counts_in_a_window(void **state)
{
    struct waveform w;

    set_up(&w);
    told(&w, "edge 1", 11, 10);
    told(&w, "edge 0", 31, 10 + 20 * PER_MS);
    told(&w, "time", 41, 200 + 20 * PER_MS);
    assert_int_equal(mean_na(&w, 10), SLEEP_NA);
    assert_int_equal(mean_na(&w, 20), RUN_NA);
    assert_int_equal(mean_na(&w, 10), SLEEP_NA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_woke_up_between_two_records_slept_before),
        cmocka_unit_test(who_is_about_to_measure_slept_last),
        cmocka_unit_test(a_core_that_hardly_wakes_sleeps),
        cmocka_unit_test(a_core_that_spins_does_not_sleep),
        cmocka_unit_test(the_marker_is_what_counts_in_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
