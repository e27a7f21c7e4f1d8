/*
 * Samples to bytes and back, without loss: what a meter gives has few different values (the codes of
 * its converter), so a chunk is a sorted palette of its values and two planes of index bytes, beside
 * the planes of marker lines and ranges, all through zstd. A chunk with too many values keeps the
 * four byte planes of its floats. Pure; the reader's side takes any bytes.
 *
 *   u8 version 1 | u8 flags (1 palette, 2 logic, 4 range) | u16 0 | u32 samples | u32 values
 *   values f32 | planes, each `samples` bytes: index low, index high (or float 0..3), logic, range
 */
#ifndef HARNESS_TRACE_PACK_H
#define HARNESS_TRACE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

#define PACK_SAMPLES_MAX 100000u

struct pack_samples {
    float *current_a;
    uint8_t *logic; /* NULL: none */
    uint8_t *range; /* NULL: one */
    size_t count;   /* at most PACK_SAMPLES_MAX */
};

void pack_chunk(const struct pack_samples *s, struct buf *out);

/* Arrays of s must have room for PACK_SAMPLES_MAX; logic and range may be NULL when not wanted.
 * ERR_STORE on bytes that pack_chunk() never writes. */
int pack_open(const void *data, size_t n, struct pack_samples *s, struct err *err) MUST_CHECK;

#endif
