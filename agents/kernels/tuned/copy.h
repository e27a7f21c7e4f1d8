/* How a window of inputs is collected in scratch. */
#ifndef AGENTS_KERNELS_TUNED_COPY_H
#define AGENTS_KERNELS_TUNED_COPY_H

#include <stdint.h>

#include "agents/kernels/tuned/dot.h"

/* May words be read there? */
static inline uint32_t tuned_words_at(const void *at)
{
#if defined __ARM_FEATURE_UNALIGNED
    (void)at;
    return 1;
#else
    return ((uintptr_t)at & 3) == 0;
#endif
}

/* Four bytes from where words may be read. */
static inline uint32_t tuned_load(const int8_t *from)
{
    uint32_t v;

#if defined __ARM_FEATURE_UNALIGNED
    __builtin_memcpy(&v, from, sizeof v);
#else
    __builtin_memcpy(&v, __builtin_assume_aligned(from, 4), sizeof v);
#endif
    return v;
}

/* Where the next inputs go, one after the other. */
struct tuned_bytes {
    int8_t *to;
};

/* The next n inputs; `to` moves on. */
void tuned_copy_bytes(struct tuned_bytes *s, const int8_t *from, uint32_t n);
/* n times the same input. */
void tuned_fill_bytes(struct tuned_bytes *s, int32_t value, uint32_t n);

#if TUNED_PACKED_PAIRS

/* Inputs plus 128 go to one half of each pair (dot.h), and are added up. */
struct tuned_sink {
    uint16_t *to;
    uint32_t sum;
};

void tuned_copy(struct tuned_sink *s, const int8_t *from, uint32_t n);
void tuned_fill(struct tuned_sink *s, int32_t value, uint32_t n);

#else

/* The same as bytes. */
struct tuned_sink {
    struct tuned_bytes bytes;
};

static inline void tuned_copy(struct tuned_sink *s, const int8_t *from, uint32_t n)
{
#if defined __ARM_FEATURE_UNALIGNED
    if (n % 4 == 0 && n <= 16) { /* a few words do not pay for a call */
        int8_t *to = s->bytes.to;
        s->bytes.to += n;
        for (; to != s->bytes.to; to += 4, from += 4)
            __builtin_memcpy(to, from, 4);
        return;
    }
#endif
    tuned_copy_bytes(&s->bytes, from, n);
}

static inline void tuned_fill(struct tuned_sink *s, int32_t value, uint32_t n)
{
    tuned_fill_bytes(&s->bytes, value, n);
}

#endif

#endif
