/*
 * Tick counts of single inferences, packed for events and the store.
 *
 * Layout: one version byte (1), then per sample the difference from the sample before it
 * (the first: from 0), modulo 2^64, zigzag-coded, as a little-endian base-128 number of 1 to 10
 * bytes. Near-equal samples take one or two bytes each.
 */
#ifndef HARNESS_SPEC_SAMPLES_H
#define HARNESS_SPEC_SAMPLES_H

#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

void samples_pack(const uint64_t *samples, size_t count, struct buf *out);

/* ERR_CONFIG on bytes that samples_pack never writes. At most one sample per byte. */
int samples_unpack(const void *data, size_t size, struct arena *arena, const uint64_t **ret_samples,
                   size_t *ret_count, struct err *err) MUST_CHECK;

#endif
