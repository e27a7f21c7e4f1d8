/*
 * A thread that only reads: bytes of a streaming instrument into a ring, with the time of each
 * piece. Decoding, storing and plotting happen elsewhere and never delay it.
 *
 * The ring holds ten seconds of the fastest serial instrument. When it is full the thread stops
 * reading and the instrument's own back-pressure (or loss, which its stream shows) sets in.
 */
#ifndef HARNESS_METER_READER_H
#define HARNESS_METER_READER_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/transport/transport.h"

struct reader;

/* The transport is the thread's to receive from until reader_stop(); sending stays free. */
int reader_start(struct transport *t, struct reader **ret, struct err *err) MUST_CHECK;

/*
 * Wait up to timeout_ms, then point at what is there in one piece. *ret_at_ns is when its last byte
 * came (monotonic). 0 bytes: none came. ERR_IO after a hang-up, once all bytes were taken.
 */
int reader_peek(struct reader *r, unsigned timeout_ms, const uint8_t **ret_data, size_t *ret_size,
                uint64_t *ret_at_ns, struct err *err) MUST_CHECK;
void reader_consume(struct reader *r, size_t n);

void reader_stop(struct reader *r); /* NULL is fine; ends the thread */
DEFINE_AUTO(struct reader, reader_stop)

#endif
