/*
 * The Helium intrinsics that the kernels here use; where there is no Helium, exact C in their place,
 * so that the same kernels run and are checked on the host. (Arm's names; Armv8-M Architecture
 * Reference Manual, C2.4.)
 */
#ifndef AGENTS_KERNELS_MVE_HELIUM_H
#define AGENTS_KERNELS_MVE_HELIUM_H

#include <stdint.h>

#ifdef __ARM_FEATURE_MVE

#include <arm_mve.h>

#else

typedef struct {
    int8_t v[16];
} int8x16_t;
typedef struct {
    int32_t v[4];
} int32x4_t;
typedef struct {
    int16_t v[8];
} int16x8_t;
typedef struct {
    uint32_t v[4];
} uint32x4_t;
/* One bit for each byte of a vector. */
typedef uint16_t mve_pred16_t;

static inline mve_pred16_t vctp8q(uint32_t n)
{
    return (mve_pred16_t)(n >= 16 ? 0xffff : (1u << n) - 1);
}

static inline mve_pred16_t vctp32q(uint32_t n)
{
    return vctp8q(n >= 4 ? 16 : n * 4);
}

static inline int8x16_t vldrbq_z_s8(const int8_t *from, mve_pred16_t p)
{
    int8x16_t r;

    for (int i = 0; i < 16; i++)
        r.v[i] = p >> i & 1 ? from[i] : 0;
    return r;
}

static inline int8x16_t vldrbq_s8(const int8_t *from)
{
    return vldrbq_z_s8(from, 0xffff);
}

static inline void vstrbq_p_s8(int8_t *to, int8x16_t v, mve_pred16_t p)
{
    for (int i = 0; i < 16; i++) {
        if (p >> i & 1)
            to[i] = v.v[i];
    }
}

static inline int8x16_t vdupq_n_s8(int8_t n)
{
    int8x16_t r;

    for (int i = 0; i < 16; i++)
        r.v[i] = n;
    return r;
}

static inline int8x16_t vmaxq_s8(int8x16_t a, int8x16_t b)
{
    for (int i = 0; i < 16; i++)
        a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    return a;
}

static inline int8x16_t vminq_s8(int8x16_t a, int8x16_t b)
{
    for (int i = 0; i < 16; i++)
        a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return a;
}

static inline int32_t vmladavaq_s8(int32_t sum, int8x16_t a, int8x16_t b)
{
    uint32_t r = (uint32_t)sum;

    for (int i = 0; i < 16; i++)
        r += (uint32_t)(a.v[i] * b.v[i]);
    return (int32_t)r;
}

static inline mve_pred16_t vctp16q(uint32_t n)
{
    return vctp8q(n >= 8 ? 16 : n * 2);
}

static inline int16x8_t vldrbq_z_s16(const int8_t *from, mve_pred16_t p)
{
    int16x8_t r;

    for (int i = 0; i < 8; i++)
        r.v[i] = p >> (2 * i) & 1 ? from[i] : 0;
    return r;
}

static inline int16x8_t vldrbq_s16(const int8_t *from)
{
    return vldrbq_z_s16(from, 0xffff);
}

static inline void vstrbq_p_s16(int8_t *to, int16x8_t v, mve_pred16_t p)
{
    for (int i = 0; i < 8; i++) {
        if (p >> (2 * i) & 1)
            to[i] = (int8_t)v.v[i];
    }
}

static inline void vstrbq_s16(int8_t *to, int16x8_t v)
{
    vstrbq_p_s16(to, v, 0xffff);
}

static inline int16x8_t vaddq_s16(int16x8_t a, int16x8_t b)
{
    for (int i = 0; i < 8; i++)
        a.v[i] = (int16_t)(a.v[i] + b.v[i]);
    return a;
}

static inline void vstrhq_s16(int16_t *to, int16x8_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = v.v[i];
}

/* One expression for each of the four lanes. */
#define HELIUM_LANES(expression)                                                                   \
    do {                                                                                           \
        for (int i = 0; i < 4; i++)                                                                \
            r.v[i] = (int32_t)(expression);                                                        \
    } while (0)

static inline int32x4_t vldrbq_z_s32(const int8_t *from, mve_pred16_t p)
{
    int32x4_t r;

    HELIUM_LANES(p >> (4 * i) & 1 ? from[i] : 0);
    return r;
}

static inline int32x4_t vldrwq_s32(const int32_t *from)
{
    int32x4_t r;

    HELIUM_LANES(from[i]);
    return r;
}

static inline void vstrbq_p_s32(int8_t *to, int32x4_t v, mve_pred16_t p)
{
    for (int i = 0; i < 4; i++) {
        if (p >> (4 * i) & 1)
            to[i] = (int8_t)v.v[i];
    }
}

/* Four int16_t, widened, and back. */
static inline int32x4_t vldrhq_z_s32(const int16_t *from, mve_pred16_t p)
{
    int32x4_t r;

    HELIUM_LANES(p >> (4 * i) & 1 ? from[i] : 0);
    return r;
}

static inline void vstrhq_p_s32(int16_t *to, int32x4_t v, mve_pred16_t p)
{
    for (int i = 0; i < 4; i++) {
        if (p >> (4 * i) & 1)
            to[i] = (int16_t)v.v[i];
    }
}

/* Elements of a table. */
static inline uint32x4_t vldrhq_gather_shifted_offset_u32(const uint16_t *from, uint32x4_t at)
{
    uint32x4_t r;

    for (int i = 0; i < 4; i++)
        r.v[i] = from[at.v[i]];
    return r;
}

/* Products of the even lanes, and of the odd ones. */
static inline int32x4_t vmullbq_int_s16(int16x8_t a, int16x8_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[2 * i] * b.v[2 * i]);
    return r;
}

static inline int32x4_t vmulltq_int_s16(int16x8_t a, int16x8_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[2 * i + 1] * b.v[2 * i + 1]);
    return r;
}

/* The even lanes, or the odd ones, become the low halves of b. */
static inline int16x8_t vmovnbq_s32(int16x8_t a, int32x4_t b)
{
    for (int i = 0; i < 4; i++)
        a.v[2 * i] = (int16_t)b.v[i];
    return a;
}

static inline int16x8_t vmovntq_s32(int16x8_t a, int32x4_t b)
{
    for (int i = 0; i < 4; i++)
        a.v[2 * i + 1] = (int16_t)b.v[i];
    return a;
}

static inline int16x8_t vdupq_n_s16(int16_t n)
{
    int16x8_t r;

    for (int i = 0; i < 8; i++)
        r.v[i] = n;
    return r;
}

static inline void vstrwq_s32(int32_t *to, int32x4_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = v.v[i];
}

static inline void vstrbq_s32(int8_t *to, int32x4_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (int8_t)v.v[i];
}

static inline int32x4_t vdupq_n_s32(int32_t n)
{
    int32x4_t r;

    HELIUM_LANES(n);
    return r;
}

static inline int32x4_t vaddq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES((uint32_t)a.v[i] + (uint32_t)b.v[i]);
    return r;
}

static inline int32x4_t vsubq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES((uint32_t)a.v[i] - (uint32_t)b.v[i]);
    return r;
}

static inline int32x4_t vmulq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES((uint32_t)a.v[i] * (uint32_t)b.v[i]);
    return r;
}

static inline int32x4_t vabsq_s32(int32x4_t a)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] < 0 ? 0u - (uint32_t)a.v[i] : (uint32_t)a.v[i]);
    return r;
}

static inline int32x4_t veorq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] ^ b.v[i]);
    return r;
}

static inline int32x4_t vreinterpretq_s32_u32(uint32x4_t a)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i]);
    return r;
}

static inline uint32x4_t vreinterpretq_u32_s32(int32x4_t a)
{
    uint32x4_t r;

    for (int i = 0; i < 4; i++)
        r.v[i] = (uint32_t)a.v[i];
    return r;
}

static inline uint32x4_t vdupq_n_u32(uint32_t n)
{
    return vreinterpretq_u32_s32(vdupq_n_s32((int32_t)n));
}

static inline uint32x4_t vshrq_n_u32(uint32x4_t a, int n)
{
    for (int i = 0; i < 4; i++)
        a.v[i] >>= n;
    return a;
}

static inline uint32x4_t vminq_u32(uint32x4_t a, uint32x4_t b)
{
    for (int i = 0; i < 4; i++)
        a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return a;
}

/* Lanes where a is greater. */
static inline mve_pred16_t vcmphiq_u32(uint32x4_t a, uint32x4_t b)
{
    unsigned p = 0;

    for (int i = 0; i < 4; i++)
        p |= a.v[i] > b.v[i] ? 0xfu << (4 * i) : 0;
    return (mve_pred16_t)p;
}

/* a in the lanes of p, else b. */
static inline int32x4_t vpselq_s32(int32x4_t a, int32x4_t b, mve_pred16_t p)
{
    int32x4_t r;

    HELIUM_LANES(p >> (4 * i) & 1 ? a.v[i] : b.v[i]);
    return r;
}

static inline int32x4_t vandq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] & b.v[i]);
    return r;
}

static inline int32x4_t vmaxq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] > b.v[i] ? a.v[i] : b.v[i]);
    return r;
}

static inline int32x4_t vminq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] < b.v[i] ? a.v[i] : b.v[i]);
    return r;
}

static inline int32x4_t vshrq_n_s32(int32x4_t a, int n)
{
    int32x4_t r;

    HELIUM_LANES(a.v[i] >> n);
    return r;
}

static inline int32x4_t vshlq_n_s32(int32x4_t a, int n)
{
    int32x4_t r;

    HELIUM_LANES((uint32_t)a.v[i] << n);
    return r;
}

/* By 0 to 31. */
static inline int32x4_t vshlq_s32(int32x4_t a, int32x4_t n)
{
    int32x4_t r;

    HELIUM_LANES((uint32_t)a.v[i] << (n.v[i] & 31));
    return r;
}

static inline int32_t helium_qadd(int64_t v)
{
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

static inline int32x4_t vqaddq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(helium_qadd((int64_t)a.v[i] + b.v[i]));
    return r;
}

/* 2ab / 2^32, rounded, ties up; only the square of the most negative number saturates. */
static inline int32_t helium_qrdmulh(int32_t a, int32_t b)
{
    return helium_qadd(((int64_t)a * b + (1 << 30)) >> 31);
}

static inline int32x4_t vqrdmulhq_s32(int32x4_t a, int32x4_t b)
{
    int32x4_t r;

    HELIUM_LANES(helium_qrdmulh(a.v[i], b.v[i]));
    return r;
}

/* Shifts left by the low byte of n, right and rounded (ties up) where that is negative. */
static inline int32_t helium_rshl(int32_t a, int32_t n)
{
    int8_t shift = (int8_t)n;
    int32_t right = shift < -40 ? 40 : -shift;

    if (shift >= 0)
        return shift > 31 ? 0 : (int32_t)((uint32_t)a << shift);
    return (int32_t)(((int64_t)a + ((int64_t)1 << (right - 1))) >> right);
}

static inline int32x4_t vrshlq_s32(int32x4_t a, int32x4_t n)
{
    int32x4_t r;

    HELIUM_LANES(helium_rshl(a.v[i], n.v[i]));
    return r;
}

#endif
#endif
