/*
 * LOGISTIC and TANH of 16-bit values: one table of the sigmoid with 8 bits of index and linear
 * interpolation between (reference_integer_ops::Logistic and Tanh for int16).
 */
#include "agents/kernels/ref/curve.h"

#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

static int32_t scaled(int32_t v, int32_t multiplier, int32_t shift)
{
    int64_t product = (int64_t)v * multiplier;

    shift &= 63;
    return (int32_t)((product + (shift ? 1ll << (shift - 1) : 0)) >> shift);
}

static uint32_t magnitude(int32_t v)
{
    return v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
}

/* The table at `x`, of which the low `bits` bits are between two entries. */
static uint32_t interpolated(uint32_t x, uint32_t bits, const uint16_t *table)
{
    uint32_t i = x >> bits;

    return ((uint32_t)table[i] << bits) +
           (uint32_t)(table[i + 1] - table[i]) * (x & ((1u << bits) - 1));
}

int16_t curve_logistic(int32_t v, int32_t multiplier, int32_t shift, const uint16_t *table)
{
    int32_t x = scaled(v, multiplier, shift);
    uint32_t size = magnitude(x);
    uint32_t y = size >> 9 >= 255 ? 0x7fffu << 10 : interpolated(size, 9, table);

    y = x >= 0 ? y + (1 << 9) : (1u << 25) - y + (1 << 9) - 1;
    return (int16_t)(y >> 10);
}

int16_t curve_tanh(int32_t v, int32_t multiplier, int32_t shift, const uint16_t *table)
{
    int32_t x = scaled(v, multiplier, shift);
    uint32_t size = magnitude(x);
    int32_t y = (int32_t)(size >> 8 >= 255 ? 0xffffu << 8 : interpolated(size, 8, table));

    y = x >= 0 ? y - (1 << 23) + (1 << 7) : (1 << 23) - y + (1 << 7) - 1;
    return (int16_t)(y >> 8);
}

void ref_curve_s16(const void *params, void *const *at)
{
    const struct kernel_curve *p = params;
    const int16_t *in = at[0];
    int16_t *out = at[1];

    for (uint32_t i = 0; i < p->n; i++)
        out[i] = p->tanh ? curve_tanh(in[i], p->multiplier, p->shift, at[2])
                         : curve_logistic(in[i], p->multiplier, p->shift, at[2]);
}

bool ref_curve_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_curve *p = params;

    return check_holds(&spans[0], p->n, 1, 1, 2) && check_holds(&spans[1], p->n, 1, 1, 2) &&
           check_holds(&spans[2], 256, 1, 1, 2);
}
