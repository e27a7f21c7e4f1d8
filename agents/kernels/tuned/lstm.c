/*
 * LSTM_S8. Spans: as for ref; the weights of each gate in blocks as in tuned.h, its biases filled up
 * to whole blocks: int32_t [2][blocks of units][4]; behind the gates room for sums.
 */
#include "agents/kernels/lstm.h"

#include "agents/kernels/check.h"
#include "agents/kernels/tuned/scale.h"

static uint32_t blocks_of(uint32_t units)
{
    return units / TUNED_BLOCK + (units % TUNED_BLOCK != 0);
}

/* Sums of the units that begin with block `first`, as many as come at once; says how many. */
static uint32_t dot(int32_t *sums, const uint8_t *weights, const int8_t *x, uint32_t k,
                    uint32_t first, uint32_t blocks)
{
    const uint8_t *w = weights + first * TUNED_BLOCK * k;

    if (blocks - first >= TUNED_WIDE / TUNED_BLOCK) {
        tuned_dot_wide(sums, w, x, k, TUNED_BLOCK * k);
        return TUNED_WIDE;
    }
    tuned_dot_block(sums, w, x, k);
    return TUNED_BLOCK;
}

/* The host has seen to it that shifts lie in tuned_scale()'s range. */
static struct tuned_channel factor(int32_t multiplier, int32_t shift)
{
    uint32_t n = (0u - (uint32_t)shift) & 31;

    return (struct tuned_channel){0, multiplier, (int32_t)((1u << n) + 1), (int32_t)n + 1};
}

/* One of the two products that make a gate. */
struct product {
    const uint8_t *weights; /* 128 too large */
    const int32_t *bias;
    const int8_t *x;
    uint32_t k;
    int32_t multiplier, shift;
    int32_t *sums; /* room for TUNED_WIDE */
};

/* Sums become 16 bits each, and are added to what the gate has when there is `more` to it. */
static inline __attribute__((always_inline)) void finish(const struct product *o,
                                                         const int32_t *sums, const int32_t *bias,
                                                         uint32_t extra, int16_t *gate,
                                                         const int16_t *end, bool more)
{
    const struct tuned_channel c = factor(o->multiplier, o->shift);

    for (; gate != end; gate++) {
        uint32_t sum = (uint32_t)*sums++ - extra + (uint32_t)*bias++;
        int16_t v = arith_saturate16(tuned_scale((int32_t)sum, &c));
        *gate = more ? arith_saturate16(*gate + v) : v;
    }
}

static __attribute__((noinline)) void multiply(const struct product *o, uint32_t units,
                                               int16_t *gate, bool more)
{
    uint32_t extra = (uint32_t)tuned_sum(o->x, o->k) * 128, blocks = blocks_of(units), n;
    int32_t *sums = o->sums;

    for (uint32_t u = 0; u < units; u += n) {
        uint32_t left = units - u;
        n = dot(sums, o->weights, o->x, o->k, u / TUNED_BLOCK, blocks);
        n = left < n ? left : n;
        if (more)
            finish(o, sums, o->bias + u, extra, gate + u, gate + u + n, true);
        else
            finish(o, sums, o->bias + u, extra, gate + u, gate + u + n, false);
    }
}

static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    struct product o = {.weights = at[LSTM_GATE_SPAN(g)],
                        .bias = at[LSTM_GATE_SPAN(g) + 2],
                        .x = in,
                        .k = p->in_n,
                        .multiplier = p->in_multiplier[g],
                        .shift = p->in_shift[g],
                        .sums = (int32_t *)((int16_t *)at[5] + LSTM_GATES * p->units)};
    int16_t *gate = (int16_t *)at[5] + g * p->units;

    multiply(&o, p->units, gate, false);
    o.weights = at[LSTM_GATE_SPAN(g) + 1];
    o.bias += TUNED_BLOCK * blocks_of(p->units);
    o.x = hidden;
    o.k = p->units;
    o.multiplier = p->hidden_multiplier[g];
    o.shift = p->hidden_shift[g];
    multiply(&o, p->units, gate, true);
    lstm_curve(g, at[4], gate, p->units);
}

void tuned_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate, lstm_update);
}

bool tuned_lstm_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm *p = params;
    uint32_t blocks = blocks_of(p->units);

    for (unsigned g = 0; g < LSTM_GATES; g++) {
        const struct kernel_span *s = &spans[LSTM_GATE_SPAN(g)];
        if (!check_holds(&s[0], blocks, TUNED_BLOCK, p->in_n, 1) ||
            !check_holds(&s[1], blocks, TUNED_BLOCK, p->units, 1) ||
            !check_holds(&s[2], 2, blocks, TUNED_BLOCK, sizeof(int32_t)))
            return false;
    }
    return check_holds(&spans[5], TUNED_LSTM_SCRATCH(p->units), 1, 1, 1) &&
           check_aligned(&spans[5], 4) && p->in_n <= 0xffffff && p->units <= 0xffff &&
           lstm_shapes_fit(p, spans);
}
