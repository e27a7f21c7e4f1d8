#include "harness/base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static uint64_t clock_read(clockid_t id)
{
    struct timespec t = {0};

    (void)clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

void clock_sleep_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL); /* a signal may cut it short: callers loop on a deadline anyway */
}

struct deadline deadline_in_ms(uint64_t ms)
{
    return (struct deadline){.at_ns = clock_monotonic_ns() + ms * 1000000u};
}

bool deadline_passed(struct deadline d)
{
    return clock_monotonic_ns() >= d.at_ns;
}

struct deadline deadline_sooner(struct deadline a, struct deadline b)
{
    return a.at_ns < b.at_ns ? a : b;
}

unsigned deadline_left_ms(struct deadline d)
{
    const uint64_t now = clock_monotonic_ns();
    const uint64_t left = now >= d.at_ns ? 0 : (d.at_ns - now + 999999u) / 1000000u;

    return left > INT_MAX ? INT_MAX : (unsigned)left;
}

void clock_format_utc(uint64_t realtime_ns, char text[static 21])
{
    const time_t s = (time_t)(realtime_ns / 1000000000u);
    struct tm tm = {0};

    (void)gmtime_r(&s, &tm);
    if (strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}
