/*
 * The instructions of the DSP extension that the kernels here use, one function each; elsewhere
 * exact C in their place, so that the same kernels run and are checked on the host.
 */
#ifndef AGENTS_KERNELS_ARMV7EM_DSP_H
#define AGENTS_KERNELS_ARMV7EM_DSP_H

#include <stdint.h>

/* Four bytes from any address. */
static inline uint32_t dsp_load(const void *from)
{
    uint32_t v;

    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

static inline void dsp_store(void *to, uint32_t v)
{
    __builtin_memcpy(to, &v, sizeof v);
}

#ifdef __ARM_FEATURE_DSP

#define DSP_ASM 1 /* inner loops have versions in assembly */

/* Bytes 0 and 2, sign-extended to the two halves. */
static inline uint32_t dsp_even(uint32_t v)
{
    uint32_t r;

    __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(v));
    return r;
}

/* Bytes 1 and 3. */
static inline uint32_t dsp_odd(uint32_t v)
{
    uint32_t r;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(v));
    return r;
}

/* The low halves of a and b: a's below. */
static inline uint32_t dsp_low_halves(uint32_t a, uint32_t b)
{
    uint32_t r;

    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"(a), "r"(b));
    return r;
}

/* The high halves of a and b: a's below. */
static inline uint32_t dsp_high_halves(uint32_t a, uint32_t b)
{
    uint32_t r;

    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(r) : "r"(b), "r"(a));
    return r;
}

/* sum + a.low * b.low + a.high * b.high */
static inline uint32_t dsp_dot(uint32_t a, uint32_t b, uint32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* a * b / 2^32, rounded. */
static inline int32_t dsp_high(int32_t a, int32_t b)
{
    int32_t r;

    __asm__("smmulr %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
    return r;
}

/* sum + a * b / 2^32, rounded. */
static inline int32_t dsp_high_add(int32_t a, int32_t b, int32_t sum)
{
    int32_t r;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(sum));
    return r;
}

/* Of each two bytes, with their signs, the larger. */
static inline uint32_t dsp_larger(uint32_t a, uint32_t b)
{
    uint32_t r;

    __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b) : "cc");
    return r;
}

static inline uint32_t dsp_smaller(uint32_t a, uint32_t b)
{
    uint32_t r;

    __asm__("ssub8 %0, %1, %2\n sel %0, %2, %1" : "=&r"(r) : "r"(a), "r"(b) : "cc");
    return r;
}

static inline int32_t dsp_saturate8(int32_t v)
{
    int32_t r;

    __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(v) : "cc");
    return r;
}

#else

static inline uint32_t dsp_pair(int32_t low, int32_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

static inline uint32_t dsp_even(uint32_t v)
{
    return dsp_pair((int8_t)v, (int8_t)(v >> 16));
}

static inline uint32_t dsp_odd(uint32_t v)
{
    return dsp_pair((int8_t)(v >> 8), (int8_t)(v >> 24));
}

static inline uint32_t dsp_low_halves(uint32_t a, uint32_t b)
{
    return (a & 0xffff) | b << 16;
}

static inline uint32_t dsp_high_halves(uint32_t a, uint32_t b)
{
    return a >> 16 | (b & 0xffff0000u);
}

static inline uint32_t dsp_dot(uint32_t a, uint32_t b, uint32_t sum)
{
    return sum + (uint32_t)((int16_t)a * (int16_t)b) +
           (uint32_t)((int16_t)(a >> 16) * (int16_t)(b >> 16));
}

static inline int32_t dsp_high_add(int32_t a, int32_t b, int32_t sum)
{
    uint64_t product = (uint64_t)((int64_t)a * b) + ((uint64_t)(uint32_t)sum << 32);

    return (int32_t)(uint32_t)((product + 0x80000000u) >> 32);
}

static inline int32_t dsp_high(int32_t a, int32_t b)
{
    return dsp_high_add(a, b, 0);
}

/* 255 in each byte of a that is not below b's. */
static inline uint32_t dsp_not_below(uint32_t a, uint32_t b)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < 32; i += 8)
        mask |= (int8_t)(a >> i) >= (int8_t)(b >> i) ? 0xffu << i : 0;
    return mask;
}

static inline uint32_t dsp_larger(uint32_t a, uint32_t b)
{
    uint32_t mask = dsp_not_below(a, b);

    return (a & mask) | (b & ~mask);
}

static inline uint32_t dsp_smaller(uint32_t a, uint32_t b)
{
    uint32_t mask = dsp_not_below(a, b);

    return (b & mask) | (a & ~mask);
}

static inline int32_t dsp_saturate8(int32_t v)
{
    return v < INT8_MIN ? INT8_MIN : v > INT8_MAX ? INT8_MAX : v;
}

#endif

/*
 * What turns a sum into an output, as the host prepared it (harness/nn/pack_armv7em.c). For right
 * shifts n of 2 to 31, and sums that it has shown to stay below 2^30, both roundings of
 * MultiplyByQuantizedMultiplier() are one instruction each:
 *   high_mul(a, m) = smmulr(2a, m)            floor((am + 2^30) / 2^31)
 *   shift_right(x, n) = smmulr(x - (x < 0), 2^(32 - n))     ties away from zero
 */
struct dsp_scale {
    int32_t multiplier;
    int32_t power; /* 2^(32 - n); negative: DSP_ANY_SHIFT less the shift of any other factor */
};
#define DSP_ANY_SHIFT (-64)

static inline int32_t dsp_finish_fast(uint32_t sum, int32_t multiplier, int32_t power,
                                      int32_t offset)
{
    int32_t v = dsp_high((int32_t)(sum << 1), multiplier);

    return dsp_saturate8(dsp_high_add((int32_t)((uint32_t)v + (uint32_t)(v >> 31)), power, offset));
}

/* By the definition, for any scale. */
int32_t armv7em_finish(uint32_t sum, int32_t multiplier, int32_t power, int32_t offset);

static inline int32_t dsp_finish(uint32_t sum, int32_t multiplier, int32_t power, int32_t offset)
{
    return power < 0 ? armv7em_finish(sum, multiplier, power, offset)
                     : dsp_finish_fast(sum, multiplier, power, offset);
}

#endif
