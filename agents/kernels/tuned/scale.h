/* From sums to outputs; see struct tuned_channel. */
#ifndef AGENTS_KERNELS_TUNED_SCALE_H
#define AGENTS_KERNELS_TUNED_SCALE_H

#include "agents/kernels/arith.h"
#include "agents/kernels/tuned/dot.h"
#include "agents/kernels/tuned/tuned.h"

/* floor(sum * multiplier / 2^30); sums below 2^29, multipliers not negative. */
static inline int32_t tuned_high(int32_t sum, int32_t multiplier)
{
#if TUNED_PACKED_PAIRS
    /* No instruction for it: from pieces of 16 bits, none of which overflows. */
    int32_t low = (int16_t)sum, high = (int32_t)((uint32_t)sum - (uint32_t)low) >> 16;
    int32_t m_low = (uint16_t)multiplier, m_high = multiplier >> 16;
    uint32_t middle =
        (uint32_t)(low * m_high + ((low * m_low) >> 16)) + (uint32_t)high * (uint32_t)m_low;

    return (int32_t)(((uint32_t)(high * m_high) << 2) + (uint32_t)((int32_t)middle >> 14));
#else
    return (int32_t)(((int64_t)(int32_t)((uint32_t)sum << 2) * multiplier) >> 32);
#endif
}

/* The output for a sum with its bias, not yet clamped. */
static inline int32_t tuned_scale(int32_t sum, const struct tuned_channel *c)
{
    int32_t h = tuned_high(sum, c->multiplier);

    h = (int32_t)((uint32_t)h + ((uint32_t)(h >> 31) << 1) + (uint32_t)c->rounding);
    return h >> (c->shift & 31);
}

/* The same for TUNED_RIGHT: ties away from zero, in two steps that do not overflow. */
static inline int32_t tuned_scale_right(int32_t sum, const struct tuned_channel *c)
{
    int32_t v = arith_high_mul_positive(sum, c->multiplier);

    v = arith_add(v, v >> 31) >> (~c->shift & 31);
    return arith_add((v + 1) >> 1, c->rounding);
}

/* And for TUNED_ANY. */
static inline int32_t tuned_scale_any(int32_t sum, const struct tuned_channel *c)
{
    return arith_add(arith_requantize(sum, c->multiplier, (int8_t)c->shift), c->rounding);
}

#endif
