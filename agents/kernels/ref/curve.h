/* Sigmoid and tanh of 16-bit values, which LSTM uses too. */
#ifndef AGENTS_KERNELS_REF_CURVE_H
#define AGENTS_KERNELS_REF_CURVE_H

#include <stdint.h>

static inline int32_t curve_scaled(int32_t v, int32_t multiplier, int32_t shift)
{
    int64_t product;

    if (shift == 0) /* the low 32 bits, without a long product */
        return (int32_t)((uint32_t)v * (uint32_t)multiplier);
    product = (int64_t)v * multiplier;
    shift &= 63;
    return (int32_t)((product + (shift ? 1ll << (shift - 1) : 0)) >> shift);
}

static inline uint32_t curve_magnitude(int32_t v)
{
    return v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
}

/* The table at `x`, of which the low `bits` bits are between two entries. */
static inline uint32_t curve_interpolated(uint32_t x, uint32_t bits, const uint16_t *table)
{
    uint32_t i = x >> bits;

    return ((uint32_t)table[i] << bits) +
           ((uint32_t)table[i + 1] - table[i]) * (x & (((uint32_t)1 << bits) - 1));
}

/* x counts in 1/(3 * 4096); the result is Q0.15. Table: see kernel_curve. */
static inline int16_t curve_logistic_of(int32_t x, const uint16_t *table)
{
    uint32_t size = curve_magnitude(x);
    uint32_t y = size >> 9 >= 255 ? 0x1fffc00 : curve_interpolated(size, 9, table);

    y = x >= 0 ? y + (1 << 9) : 0x2000000 - y + (1 << 9) - 1;
    return (int16_t)(y >> 10);
}

static inline int16_t curve_tanh_of(int32_t x, const uint16_t *table)
{
    uint32_t size = curve_magnitude(x);
    int32_t y = (int32_t)(size >> 8 >= 255 ? 0xffff00 : curve_interpolated(size, 8, table));

    y = x >= 0 ? y - 0x800000 + (1 << 7) : 0x800000 - y + (1 << 7) - 1;
    return (int16_t)(y >> 8);
}

/* The same of v * multiplier / 2^shift. */
static inline int16_t curve_logistic(int32_t v, int32_t multiplier, int32_t shift,
                                     const uint16_t *table)
{
    return curve_logistic_of(curve_scaled(v, multiplier, shift), table);
}

static inline int16_t curve_tanh(int32_t v, int32_t multiplier, int32_t shift,
                                 const uint16_t *table)
{
    return curve_tanh_of(curve_scaled(v, multiplier, shift), table);
}

#endif
