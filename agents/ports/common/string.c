/* What the compiler calls even in freestanding code. Small first: the kernels move little. */
#include <stdint.h>
#include <string.h>

/* Link-time optimisation looks for callers before the compiler makes its own calls: keep them. */
#define KEPT __attribute__((used))

static int aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & 3) == 0;
}

/* Upwards: right for regions that do not overlap, and for those where the target comes first. */
static void *copy_up(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (aligned(t, f)) {
        for (; n >= 4; n -= 4, t += 4, f += 4)
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
    }
    while (n-- != 0)
        *t++ = *f++;
    return to;
}

KEPT void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    return copy_up(to, from, n);
}

KEPT void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= n)
        return copy_up(to, from, n);
    while (n-- != 0)
        t[n] = f[n];
    return to;
}

KEPT void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;

    if (((uintptr_t)t & 3) == 0) {
        uint32_t word = (uint8_t)value * 0x01010101u;

        for (; n >= 4; n -= 4, t += 4)
            *(uint32_t *)(void *)t = word;
    }
    while (n-- != 0)
        *t++ = (uint8_t)value;
    return to;
}

KEPT int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (; n-- != 0; x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}
