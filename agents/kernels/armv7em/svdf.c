/*
 * SVDF with int8 state. Spans: in, out as for ref,
 *   feature weights as FULLY_CONNECTED's (filters are its outputs),
 *   time weights as for ref, int32_t bias [units] with the state's zero point folded in,
 *   state as for ref, int32_t bias [filters rounded up to 4] of the features,
 *   struct dsp_scale [2]: of the features, of the output.
 */
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"

/* Every byte of the state one place down; the newest of each filter is written after that. */
static void forget(int8_t *state, uint32_t n)
{
    for (; n > 4; n -= 4, state += 4)
        dsp_store(state, dsp_load(state + 1));
    for (; n > 1; n--, state++)
        state[0] = state[1];
}

static uint32_t dot(const int8_t *a, const int8_t *b, uint32_t n, uint32_t sum)
{
    for (; n >= 4; n -= 4, a += 4, b += 4) {
        uint32_t x = dsp_load(a), y = dsp_load(b);
        sum = dsp_dot(dsp_even(x), dsp_even(y), sum);
        sum = dsp_dot(dsp_odd(x), dsp_odd(y), sum);
    }
    for (; n; n--)
        sum += (uint32_t)(*a++ * *b++);
    return sum;
}

static void remember(const struct kernel_svdf *p, void *const *at, const int8_t *in, int8_t *state)
{
    const struct dsp_scale *scale = at[7];
    const uint32_t *w = at[2];
    const int32_t *bias = at[6];
    int8_t *newest = state + p->memory - 1;
    uint32_t sums[4];

    forget(state, p->filters * p->memory);
    for (uint32_t left = p->filters; left; bias += 4) {
        w = armv7em_dot_4(sums, bias, w, in, p->in_n);
        for (uint32_t i = 0; i < 4 && left; i++, left--, newest += p->memory)
            *newest = (int8_t)dsp_finish(sums[i], scale->multiplier, scale->power, p->state_zero);
    }
}

void armv7em_svdf(const void *params, void *const *at)
{
    const struct kernel_svdf *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1], *state = at[5];
    const struct dsp_scale *scale = (const struct dsp_scale *)at[7] + 1;
    uint32_t units = p->filters / p->rank, taps = p->rank * p->memory;

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n) {
        const int8_t *w = at[3];
        const int32_t *bias = at[4];
        remember(p, at, in, state);
        for (uint32_t u = 0; u < units; u++, w += taps, state += taps)
            *out++ = (int8_t)dsp_finish(dot(state, w, taps, (uint32_t)*bias++), scale->multiplier,
                                        scale->power, p->out_zero);
    }
}

bool armv7em_svdf_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_svdf *p = params;

    if (p->state_type != KERNEL_S8 || p->rank == 0 || p->memory == 0 || p->filters % p->rank)
        return false;
    uint32_t in4 = p->in_n / 4 + (p->in_n % 4 != 0), out4 = p->filters / 4 + (p->filters % 4 != 0);
    return check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->filters / p->rank, 1, 1) &&
           check_holds(&spans[2], out4, in4, 4, 4) &&
           check_holds(&spans[3], p->filters, p->memory, 1, 1) &&
           check_holds(&spans[4], p->filters / p->rank, 1, 1, 4) &&
           check_holds(&spans[5], p->batches, check_product(p->filters, p->memory), 1, 1) &&
           check_holds(&spans[6], out4, 4, 1, 4) && check_holds(&spans[7], 2, 2, 1, 4);
}
