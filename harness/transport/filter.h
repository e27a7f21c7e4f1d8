/*
 * A transport around another one that makes a good line bad: slow, late, lossy, cut. All of it is
 * reproducible: faults happen at byte counts and by a seeded generator, never by the clock.
 *
 * It also records a session. One line per transfer:
 *   <microseconds since the start> > <hex of bytes to the target>      (< for the other way)
 */
#ifndef HARNESS_TRANSPORT_FILTER_H
#define HARNESS_TRANSPORT_FILTER_H

#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/transport/transport.h"

enum filter_direction {
    FILTER_TO_TARGET,
    FILTER_FROM_TARGET,
};

enum filter_kind {
    FILTER_CUT,       /* from byte n on the port is gone: ERR_IO, both ways */
    FILTER_STALL,     /* from byte n on nothing passes any more, without an error */
    FILTER_DROP,      /* `count` bytes from n on vanish */
    FILTER_CORRUPT,   /* `count` bytes from n on have a bit flipped */
    FILTER_DUPLICATE, /* `count` bytes from n on come twice */
    FILTER_INSERT,    /* `count` bytes come before byte n: those given, or random ones */
};

struct filter_fault {
    enum filter_kind kind;
    enum filter_direction direction;
    uint64_t at;          /* byte n of that direction, 0-based */
    uint64_t count;       /* 0: 1 */
    const uint8_t *bytes; /* for FILTER_INSERT; NULL: random */
};

struct filter_options {
    unsigned pace_baud;  /* both ways, 10 bits a byte; 0: as fast as it goes */
    unsigned latency_us; /* added to bytes from the target: an adapter's turn-around */
    uint32_t seed;
    /* Chances per byte, in parts per million, in both directions. */
    uint32_t drop_ppm, corrupt_ppm, duplicate_ppm;
    const struct filter_fault *faults; /* must outlive the filter */
    unsigned fault_count;
    struct buf *record; /* NULL: do not record; the owner sets its limit */
};

/* Takes over inner: closing the filter closes it; so does a failure here. */
int filter_open(struct transport *inner, const struct filter_options *options,
                struct transport **ret, struct err *err) MUST_CHECK;

/* Bytes that went in so far, faults not applied: where "byte n" is counted. */
uint64_t filter_count(const struct transport *filter, enum filter_direction direction);

#endif
