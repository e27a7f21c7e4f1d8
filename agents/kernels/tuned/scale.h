/* From sums to outputs; see struct tuned_channel. */
#ifndef AGENTS_KERNELS_TUNED_SCALE_H
#define AGENTS_KERNELS_TUNED_SCALE_H

#include "agents/kernels/arith.h"
#include "agents/kernels/tuned/dot.h"
#include "agents/kernels/tuned/tuned.h"

/* floor(a * b / 2^32), b >= 0. */
static inline int32_t tuned_high(int32_t a, int32_t b)
{
#if TUNED_PACKED_PAIRS
    /* No instruction for it: from pieces of 16 bits, none of which overflows. */
    int32_t a_high = a >> 16, b_high = b >> 16;
    uint32_t a_low = (uint16_t)a, b_low = (uint16_t)b;
    int32_t middle = (int32_t)((uint32_t)a_high * b_low + ((a_low * b_low) >> 16));
    uint32_t middle2 = a_low * (uint32_t)b_high + (uint16_t)middle;

    return a_high * b_high + (middle >> 16) + (int32_t)(middle2 >> 16);
#else
    return (int32_t)(((int64_t)a * b) >> 32);
#endif
}

/* The output for a sum with its bias, not yet clamped. */
static inline int32_t tuned_scale(int32_t sum, const struct tuned_channel *c)
{
    int32_t h = tuned_high((int32_t)((uint32_t)sum << 2), c->multiplier);

    h = (int32_t)((uint32_t)h + ((uint32_t)(h >> 31) << 1) + (uint32_t)c->rounding);
    return h >> (c->shift & 31);
}

#endif
