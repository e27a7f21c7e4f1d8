/*
 * The arithmetic that quantised kernels share, by the published definitions of gemmlowp and
 * TensorFlow Lite (doc/quantization.md, fixedpoint.h; kernels/internal/common.h). Sums wrap around
 * at 32 (or 64) bits as they do there, without undefined behaviour here. int has 16 bits on AVR.
 */
#ifndef AGENTS_KERNELS_ARITH_H
#define AGENTS_KERNELS_ARITH_H

#include <stdint.h>

static inline int32_t arith_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t arith_subtract(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int64_t arith_add_wide(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int32_t arith_clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Cores for which a product of 64 bits is a call of the compiler's library. */
#if defined(__ARM_ARCH_6M__) || defined(__AVR__)
#define ARITH_PIECES 1
#endif

/*
 * floor((ab + 2^30) / 2^31) for a core without a long product: from pieces of 16 bits, whose sums
 * stay within 32 bits.
 */
static inline int32_t arith_high_mul_pieces(int32_t a, int32_t b)
{
    int32_t a_high = a >> 16, b_high = b >> 16;
    uint32_t a_low = (uint16_t)a, b_low = (uint16_t)b;
    int32_t middle = (int32_t)((uint32_t)a_high * b_low + ((a_low * b_low) >> 16));
    int32_t middle2 = (int32_t)(a_low * (uint32_t)b_high + (uint16_t)middle);
    uint32_t high = (uint32_t)(a_high * b_high + (middle >> 16) + (middle2 >> 16));

    return (int32_t)(2 * high + ((((uint32_t)(uint16_t)middle2 >> 14) + 1) >> 1));
}

/*
 * SaturatingRoundingDoublingHighMul(a, b): a * b / 2^31, ties up. The definition rounds the
 * magnitude with a nudge that depends on the sign; floor((ab + 2^30) / 2^31) is the same number.
 * Only a = b = -2^31 saturates.
 */
static inline int32_t arith_high_mul(int32_t a, int32_t b)
{
    if (a == b && a == INT32_MIN)
        return INT32_MAX;
#ifdef ARITH_PIECES
    return arith_high_mul_pieces(a, b);
#else
    return (int32_t)(((int64_t)a * b + (1L << 30)) >> 31);
#endif
}

/* The same of a multiplier that is not negative. */
static inline int32_t arith_high_mul_positive(int32_t a, int32_t multiplier)
{
#ifdef ARITH_PIECES
    return arith_high_mul_pieces(a, multiplier);
#else
    return (int32_t)(((int64_t)a * multiplier + (1L << 30)) >> 31);
#endif
}

/* RoundingDivideByPOT(x, n), n in 0..31: x / 2^n, ties away from zero. */
static inline int32_t arith_shift_right(int32_t x, int32_t n)
{
    int32_t mask = (int32_t)(((uint32_t)1 << n) - 1);
    int32_t threshold = (int32_t)((uint32_t)mask >> 1) + (x < 0);

    return (x >> n) + ((x & mask) > threshold);
}

/*
 * MultiplyByQuantizedMultiplier(x, multiplier, shift): both roundings, one after the other. shift
 * is -31..30; a hostile image may hold others, which only must not be undefined.
 */
static inline int32_t arith_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    int32_t left = shift > 0 ? shift & 31 : 0;
    int32_t right = shift > 0 ? 0 : (int32_t)(0u - (uint32_t)shift) & 31;

    return arith_shift_right(arith_high_mul((int32_t)((uint32_t)x << left), multiplier), right);
}

/* SaturatingRoundingMultiplyByPOT<n>(x), n > 0. */
static inline int32_t arith_shift_left_saturate(int32_t x, int32_t n)
{
    int32_t limit = (int32_t)(((uint32_t)1 << (31 - n)) - 1);

    if (x > limit)
        return INT32_MAX;
    if (x < -limit - 1)
        return INT32_MIN;
    return (int32_t)((uint32_t)x << n);
}

/*
 * 1 / d for d = (1 + x) / 2, x in 0..1 as Q0.31: three Newton steps from 48/17 - 32/17 d, in fixed point
 * with 2 integer bits. Part of gemmlowp's one_over_one_plus_x_for_x_in_0_1() and of its tanh().
 */
static inline int32_t arith_reciprocal_of_half_sum(int32_t x)
{
    int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2); /* RoundingHalfSum(x, one) */
    int32_t y = arith_add(1515870810, arith_high_mul(half, -1010580540));

    for (int i = 0; i < 3; i++) {
        int32_t error = arith_subtract((int32_t)1 << 29, arith_high_mul(half, y));
        y = arith_add(y, arith_shift_left_saturate(arith_high_mul(y, error), 2));
    }
    return y;
}

/* MultiplyByQuantizedMultiplier(int64_t x, multiplier, shift): 16-bit multiplier, one rounding. */
static inline int32_t arith_requantize_wide(int64_t x, int32_t multiplier, int32_t shift)
{
    int32_t reduced = multiplier < 0x7fff0000 ? (multiplier + 0x8000) >> 16 : 0x7fff;
    uint32_t total = (15u - (uint32_t)shift) & 63;
    uint64_t product = (uint64_t)x * (uint64_t)(int64_t)reduced;

    return (int32_t)((int64_t)(product + (1ull << (total ? total - 1 : 0))) >> total);
}

static inline int16_t arith_saturate16(int32_t v)
{
#ifdef __ARM_FEATURE_SAT
    int32_t r;

    __asm__("ssat %0, #16, %1" : "=r"(r) : "r"(v) : "cc");
    return (int16_t)r;
#else
    int16_t same = (int16_t)v;

    return same == v ? same : (int16_t)(INT16_MAX ^ v >> 31);
#endif
}

static inline int8_t arith_saturate8(int32_t v)
{
#ifdef __ARM_FEATURE_SAT
    int32_t r;

    __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(v) : "cc");
    return (int8_t)r;
#else
    return (int8_t)arith_clamp(v, INT8_MIN, INT8_MAX);
#endif
}

#endif
