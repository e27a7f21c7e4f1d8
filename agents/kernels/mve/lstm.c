/*
 * LSTM_S8. Spans: as for ref; the weights of each gate in blocks as in mve.h, its biases filled up
 * to whole blocks: int32_t [2][blocks of units][4].
 */
#include "agents/kernels/ref/lstm.h"

#include "agents/kernels/check.h"
#include "agents/kernels/mve/dot.h"
#include "agents/kernels/mve/scale.h"

static uint32_t blocks_of(uint32_t units)
{
    return units / MVE_BLOCK + (units % MVE_BLOCK != 0);
}

/* Bytes of a block of rows of k weights. */
static uint32_t block_size(uint32_t k)
{
    return (k + MVE_VECTOR - 1) / MVE_VECTOR * MVE_VECTOR * MVE_BLOCK;
}

static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    const int8_t *in_weights = at[LSTM_GATE_SPAN(g)], *hidden_weights = at[LSTM_GATE_SPAN(g) + 1];
    const int32_t *bias = at[LSTM_GATE_SPAN(g) + 2];
    const int32_t *hidden_bias = bias + MVE_BLOCK * blocks_of(p->units);
    int16_t *gate = (int16_t *)at[5] + g * p->units;

    for (uint32_t u = 0; u < p->units; u += MVE_BLOCK) {
        int32_t a[MVE_BLOCK], b[MVE_BLOCK];
        int32x4_t x = vaddq_s32(mve_dot(in, in_weights, p->in_n), vldrwq_s32(bias + u));
        int32x4_t y =
            vaddq_s32(mve_dot(hidden, hidden_weights, p->units), vldrwq_s32(hidden_bias + u));
        vstrwq_s32(
            a, mve_requantize(x, vdupq_n_s32(p->in_multiplier[g]), vdupq_n_s32(p->in_shift[g])));
        vstrwq_s32(b, mve_requantize(y, vdupq_n_s32(p->hidden_multiplier[g]),
                                     vdupq_n_s32(p->hidden_shift[g])));
        uint32_t left = p->units - u;
        lstm_gate_values(g, a, b, at[4], left < MVE_BLOCK ? left : MVE_BLOCK, gate + u);
        in_weights += block_size(p->in_n);
        hidden_weights += block_size(p->units);
    }
}

void mve_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate);
}

bool mve_lstm_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm *p = params;
    uint32_t blocks = blocks_of(p->units);

    if (p->in_n == 0 || p->in_n > 0xffffff || p->units == 0 || p->units > 0xffff)
        return false;
    for (unsigned g = 0; g < LSTM_GATES; g++) {
        const struct kernel_span *s = &spans[LSTM_GATE_SPAN(g)];
        if (!check_holds(&s[0], blocks, block_size(p->in_n), 1, 1) ||
            !check_holds(&s[1], blocks, block_size(p->units), 1, 1) ||
            !check_holds(&s[2], 2, blocks, MVE_BLOCK, sizeof(int32_t)))
            return false;
    }
    return lstm_shapes_fit(p, spans);
}
