#include "agents/kernels/tuned/copy.h"

#if TUNED_PACKED_PAIRS

void tuned_copy(struct tuned_sink *s, const int8_t *from, uint32_t n)
{
    const uint8_t *bytes = (const uint8_t *)from;
    uint16_t *to = s->to;
    uint32_t sum = s->sum, flip = 0x80;

    for (; n >= 4; n -= 4, bytes += 4, to += 8) {
        uint32_t a = bytes[0] ^ flip, b = bytes[1] ^ flip, c = bytes[2] ^ flip, d = bytes[3] ^ flip;
        to[0] = (uint16_t)a;
        to[2] = (uint16_t)b;
        to[4] = (uint16_t)c;
        to[6] = (uint16_t)d;
        sum += a + b + c + d;
    }
    for (; n > 0; n--, to += 2) {
        uint32_t a = *bytes++ ^ flip;
        *to = (uint16_t)a;
        sum += a;
    }
    s->to = to;
    s->sum = sum;
}

void tuned_fill(struct tuned_sink *s, int32_t value, uint32_t n)
{
    uint16_t *to = s->to;
    uint32_t v = (uint32_t)(value + 128);

    s->sum += v * n;
    for (; n > 0; n--, to += 2)
        *to = (uint16_t)v;
    s->to = to;
}

#endif

#if defined __ARM_FEATURE_UNALIGNED
#define ALIGNMENT 1
#else
#define ALIGNMENT 4
#endif

static inline void copy_words(int8_t *to, const int8_t *from, uint32_t bytes)
{
    __builtin_memcpy(__builtin_assume_aligned(to, ALIGNMENT),
                     __builtin_assume_aligned(from, ALIGNMENT), bytes);
}

void tuned_copy_bytes(struct tuned_bytes *s, const int8_t *from, uint32_t n)
{
    int8_t *to = s->to;

    s->to += n;
    if (tuned_words_at(to) && tuned_words_at(from)) {
        for (; n >= 16; n -= 16, to += 16, from += 16)
            copy_words(to, from, 16);
        for (; n >= 4; n -= 4, to += 4, from += 4)
            copy_words(to, from, 4);
    }
    for (; n >= 4; n -= 4, to += 4, from += 4) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
    }
    while (n--)
        *to++ = *from++;
}

void tuned_fill_bytes(struct tuned_bytes *s, int32_t value, uint32_t n)
{
    int8_t *to = s->to;

    s->to += n;
    for (; n >= 4; n -= 4, to += 4)
        to[0] = to[1] = to[2] = to[3] = (int8_t)value;
    while (n--)
        *to++ = (int8_t)value;
}
