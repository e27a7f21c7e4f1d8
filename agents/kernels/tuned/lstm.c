/*
 * LSTM_S8. Spans: as for ref; the weights of each gate in blocks as in tuned.h, its biases filled up
 * to whole blocks: int32_t [2][blocks of units][4].
 */
#include "agents/kernels/ref/lstm.h"

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

static inline int32_t scale(uint32_t sum, const struct tuned_channel *c)
{
    return tuned_scale((int32_t)sum, c);
}

static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    const uint8_t *in_weights = at[LSTM_GATE_SPAN(g)], *hidden_weights = at[LSTM_GATE_SPAN(g) + 1];
    const int32_t *bias = at[LSTM_GATE_SPAN(g) + 2];
    const struct tuned_channel in_factor = factor(p->in_multiplier[g], p->in_shift[g]);
    const struct tuned_channel hidden_factor = factor(p->hidden_multiplier[g], p->hidden_shift[g]);
    uint32_t blocks = blocks_of(p->units), n;
    const int32_t *hidden_bias = bias + TUNED_BLOCK * blocks;
    int16_t *gate = (int16_t *)at[5] + g * p->units;
    /* Weights are 128 too large. */
    uint32_t in_extra = (uint32_t)tuned_sum(in, p->in_n) * 128;
    uint32_t hidden_extra = (uint32_t)tuned_sum(hidden, p->units) * 128;

    for (uint32_t u = 0; u < p->units; u += n) {
        int32_t a[TUNED_WIDE], b[TUNED_WIDE];
        n = dot(a, in_weights, in, p->in_n, u / TUNED_BLOCK, blocks);
        dot(b, hidden_weights, hidden, p->units, u / TUNED_BLOCK, blocks);
        for (uint32_t i = 0; i < n; i++) {
            a[i] = scale((uint32_t)a[i] - in_extra + (uint32_t)bias[u + i], &in_factor);
            b[i] =
                scale((uint32_t)b[i] - hidden_extra + (uint32_t)hidden_bias[u + i], &hidden_factor);
        }
        uint32_t left = p->units - u;
        lstm_gate_values(g, a, b, at[4], left < n ? left : n, gate + u);
    }
}

void tuned_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate);
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
    return p->in_n > 0 && p->in_n <= 0xffffff && p->units > 0 && p->units <= 0xffff &&
           lstm_shapes_fit(p, spans);
}
