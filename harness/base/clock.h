/* Host time. Deadlines are points on the monotonic clock, so they survive clock steps. */
#ifndef HARNESS_BASE_CLOCK_H
#define HARNESS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void); /* since the Unix epoch; only for stamps people read */
void clock_sleep_ms(unsigned ms);

struct deadline {
    uint64_t at_ns;
};

struct deadline deadline_in_ms(uint64_t ms);
bool deadline_passed(struct deadline d);
unsigned deadline_left_ms(struct deadline d); /* rounded up; 0 once passed */
struct deadline deadline_sooner(struct deadline a, struct deadline b);

/* "2026-11-23T18:49:37Z" into text[21]. */
void clock_format_utc(uint64_t realtime_ns, char text[static 21]);

#endif
