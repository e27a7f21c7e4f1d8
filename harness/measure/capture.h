/*
 * Samples of a meter into memory while the board works: a thread that reads blocks, so that nobody
 * who waits for the board delays the meter.
 */
#ifndef HARNESS_MEASURE_CAPTURE_H
#define HARNESS_MEASURE_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/meter/meter.h"

#define CAPTURE_MAX 60000000u /* samples: ten minutes at 100 kS/s, 600 MB */

struct capture;

/* What was sampled; arrays as in struct meter_block, NULL where the meter has none. */
struct capture_samples {
    const float *current_a, *filtered_a, *voltage_v;
    const uint8_t *logic, *range;
    size_t count;
};

/* Starts the meter too. mask: the marker line. ERR_METER beyond `most` samples. */
int capture_start(struct meter *meter, uint8_t mask, size_t most, struct capture **ret,
                  struct err *err) MUST_CHECK;

size_t capture_count(struct capture *c);

/* Until so many samples are there. ERR_METER when none come for a while. */
int capture_wait(struct capture *c, size_t samples, struct err *err) MUST_CHECK;

/*
 * Until the marker has fallen `falls` times and `after` more samples are there. ERR_METER when it
 * has not within `patience` samples from now: the line does not move.
 */
int capture_wait_falls(struct capture *c, unsigned falls, size_t after, size_t patience,
                       struct err *err) MUST_CHECK;

/* Stops the meter and the thread; the samples stay until capture_free(). */
int capture_stop(struct capture *c, struct err *err) MUST_CHECK;
struct capture_samples capture_samples(const struct capture *c);

void capture_free(struct capture *c); /* NULL is fine; stops first */
DEFINE_AUTO(struct capture, capture_free)

#endif
