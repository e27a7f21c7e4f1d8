/*
 * LSTM_S8. Spans: as for ref; the weights of each gate in blocks as in tuned.h, its biases filled up
 * to whole blocks: int32_t [2][blocks of units][4].
 */
#include "agents/kernels/ref/lstm.h"

#include "agents/kernels/check.h"
#include "agents/kernels/ref/curve.h"
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

/* n sums with their biases become what the curve takes: 16 bits each. */
static void finish(int32_t *sums, const int32_t *bias, uint32_t extra, uint32_t n,
                   const struct tuned_channel *c)
{
    for (const int32_t *end = sums + n; sums != end; sums++, bias++)
        *sums =
            arith_saturate16(tuned_scale((int32_t)((uint32_t)*sums - extra + (uint32_t)*bias), c));
}

static void curve(unsigned g, const int32_t *a, const int32_t *b, const uint16_t *table, uint32_t n,
                  int16_t *gate)
{
    if (g == LSTM_CELL) {
        for (const int16_t *end = gate + n; gate != end; gate++)
            *gate = curve_tanh_of(3 * arith_saturate16(*a++ + *b++), table);
    } else {
        for (const int16_t *end = gate + n; gate != end; gate++)
            *gate = curve_logistic_of(3 * arith_saturate16(*a++ + *b++), table);
    }
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
        uint32_t left = p->units - u;
        n = dot(a, in_weights, in, p->in_n, u / TUNED_BLOCK, blocks);
        dot(b, hidden_weights, hidden, p->units, u / TUNED_BLOCK, blocks);
        n = left < n ? left : n;
        finish(a, bias + u, in_extra, n, &in_factor);
        finish(b, hidden_bias + u, hidden_extra, n, &hidden_factor);
        curve(g, a, b, at[4], n, gate + u);
    }
}

/* v / 2^(n + 1) as requantising by 2^30 and -n does it: rounded twice. */
static inline int32_t halve(int32_t v, int32_t n)
{
    v = (v + 1) >> 1;
    return (v + (v >> 31) + (int32_t)(1u << (n - 1))) >> n;
}

/* Requantising to the right, multiplier not negative. */
static inline int32_t requantize(int32_t v, int32_t multiplier, int32_t n)
{
    v = tuned_high_mul(v, multiplier);
    return (v + (v >> 31) + (int32_t)(1u << (n - 1))) >> n;
}

/* Right shifts are 1 to 31 for a host of good will, and never undefined. */
static int32_t right_of(int32_t shift)
{
    int32_t n = (int32_t)((0u - (uint32_t)shift) & 31);

    return n ? n : 1;
}

/* The host has seen to it that forget and input are powers of two, and the product is short. */
static void update(const struct kernel_lstm *p, void *const *at, int8_t *hidden, int16_t *cell)
{
    uint32_t units = p->units;
    const int16_t *gate = at[5];
    const uint16_t *table = at[4];
    int32_t forget = right_of(p->forget_shift), input = right_of(p->input_shift);
    int32_t out = right_of(p->out_shift), multiplier = p->out_multiplier, clip = p->cell_clip;
    int32_t scale = (int16_t)p->tanh_multiplier, right = p->tanh_shift & 31;
    int32_t round = right ? (int32_t)(1u << (right - 1)) : 0;

    for (uint32_t n = units; n > 0; n--, gate++, cell++) {
        int32_t kept = halve(gate[LSTM_FORGET * units] * *cell, forget);
        int32_t added = halve(gate[0] * gate[LSTM_CELL * units], input);
        int32_t v = arith_saturate16(arith_saturate16(kept) + arith_saturate16(added));
        if (clip)
            v = arith_clamp(v, -clip, clip);
        *cell = (int16_t)v;
        v = curve_tanh_of(arith_add(v * scale, round) >> right, table);
        v = requantize(v * gate[LSTM_OUTPUT * units], multiplier, out);
        *hidden++ = arith_saturate8(arith_add(v, p->hidden_zero));
    }
}

void tuned_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate, update);
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
