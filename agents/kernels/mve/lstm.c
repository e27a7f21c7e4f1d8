/*
 * LSTM_S8. Spans: as for ref; the weights of each gate in blocks as in mve.h, its biases filled up
 * to whole blocks: int32_t [2][blocks of units][4].
 */
#include "agents/kernels/lstm.h"

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

static inline int32x4_t saturate16(int32x4_t v)
{
    return vminq_s32(vmaxq_s32(v, vdupq_n_s32(INT16_MIN)), vdupq_n_s32(INT16_MAX));
}

/*
 * The table at |x|, `bits` of which lie between two entries, less `middle`; mirrored where x is
 * negative. What lies beyond the table is `last`.
 */
static inline int32x4_t interpolate(int32x4_t x, const uint16_t *table, int bits, int32_t middle,
                                    int32_t last)
{
    int32x4_t size = vabsq_s32(x), sign = vshrq_n_s32(x, 31);
    uint32x4_t i = bits == 8 ? vshrq_n_u32(vreinterpretq_u32_s32(size), 8)
                             : vshrq_n_u32(vreinterpretq_u32_s32(size), 9);
    uint32x4_t end = vdupq_n_u32(254);
    mve_pred16_t beyond = vcmphiq_u32(i, end);

    i = vminq_u32(i, end);
    int32x4_t a = vreinterpretq_s32_u32(vldrhq_gather_shifted_offset_u32(table, i));
    int32x4_t b = vreinterpretq_s32_u32(vldrhq_gather_shifted_offset_u32(table + 1, i));
    int32x4_t fraction = vandq_s32(size, vdupq_n_s32((1 << bits) - 1));
    int32x4_t y = vaddq_s32(bits == 8 ? vshlq_n_s32(a, 8) : vshlq_n_s32(a, 9),
                            vmulq_s32(vsubq_s32(b, a), fraction));
    y = vpselq_s32(vdupq_n_s32(last), y, beyond);
    return veorq_s32(vsubq_s32(y, vdupq_n_s32(middle)), sign);
}

/* curve_logistic_of() and curve_tanh_of() of four values. */
static inline int32x4_t logistic(int32x4_t x, const uint16_t *table)
{
    int32x4_t y = interpolate(x, table, 9, 1 << 24, 0x7fff << 10);

    return vshrq_n_s32(vaddq_s32(y, vdupq_n_s32((1 << 24) + (1 << 9))), 10);
}

static __attribute__((noinline)) int32x4_t tanh_of(int32x4_t x, const uint16_t *table)
{
    int32x4_t y = interpolate(x, table, 8, 1 << 23, 0xffff << 8);

    return vshrq_n_s32(vaddq_s32(y, vdupq_n_s32(1 << 7)), 8);
}

/* Four of a gate's sums with their biases become 16 bits each. */
static inline int32x4_t finish(int32x4_t sums, const int32_t *bias, int32_t multiplier,
                               int32_t shift)
{
    int32x4_t v = vaddq_s32(sums, vldrwq_s32(bias));

    return saturate16(mve_requantize(v, vdupq_n_s32(multiplier), vdupq_n_s32(shift)));
}

static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    const int8_t *in_weights = at[LSTM_GATE_SPAN(g)], *hidden_weights = at[LSTM_GATE_SPAN(g) + 1];
    const int32_t *bias = at[LSTM_GATE_SPAN(g) + 2];
    const int32_t *hidden_bias = bias + MVE_BLOCK * blocks_of(p->units);
    int16_t *gate = (int16_t *)at[5] + g * p->units;

    for (uint32_t u = 0; u < p->units; u += MVE_BLOCK) {
        int32x4_t a =
            finish(mve_dot(in, in_weights, p->in_n), bias + u, p->in_multiplier[g], p->in_shift[g]);
        int32x4_t b = finish(mve_dot(hidden, hidden_weights, p->units), hidden_bias + u,
                             p->hidden_multiplier[g], p->hidden_shift[g]);
        int32x4_t x = vmulq_s32(saturate16(vaddq_s32(a, b)), vdupq_n_s32(3));
        x = g == LSTM_CELL ? tanh_of(x, at[4]) : logistic(x, at[4]);
        vstrhq_p_s32(gate + u, x, vctp32q(p->units - u));
        in_weights += block_size(p->in_n);
        hidden_weights += block_size(p->units);
    }
}

/* Four units of a product of two 16-bit numbers, at a factor. */
static inline int32x4_t product(int32x4_t a, int32x4_t b, int32_t multiplier, int32_t shift)
{
    return mve_requantize(vmulq_s32(a, b), vdupq_n_s32(multiplier), vdupq_n_s32(shift));
}

/* The next cell states; no shift goes to the left. */
static __attribute__((noinline)) void update_cell(const struct kernel_lstm *p, const int16_t *gate,
                                                  int16_t *cell)
{
    uint32_t units = p->units;
    int32_t clip = p->cell_clip ? p->cell_clip : INT16_MAX + 1;

    for (uint32_t u = 0; u < units; u += MVE_BLOCK, gate += MVE_BLOCK, cell += MVE_BLOCK) {
        mve_pred16_t tail = vctp32q(units - u);
        int32x4_t kept = product(vldrhq_z_s32(gate + LSTM_FORGET * units, tail),
                                 vldrhq_z_s32(cell, tail), p->forget_multiplier, p->forget_shift);
        int32x4_t added =
            product(vldrhq_z_s32(gate, tail), vldrhq_z_s32(gate + LSTM_CELL * units, tail),
                    p->input_multiplier, p->input_shift);
        int32x4_t v = saturate16(vaddq_s32(saturate16(kept), saturate16(added)));
        v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(-clip)), vdupq_n_s32(clip));
        vstrhq_p_s32(cell, v, tail);
    }
}

/* And the hidden ones from them; the host has seen to it that tanh's input is short. */
static __attribute__((noinline)) void update_hidden(const struct kernel_lstm *p,
                                                    const uint16_t *table, const int16_t *gate,
                                                    const int16_t *cell, int8_t *hidden)
{
    int32_t right = -(p->tanh_shift & 31), scale = (int16_t)p->tanh_multiplier;

    for (uint32_t u = 0; u < p->units; u += MVE_BLOCK) {
        mve_pred16_t tail = vctp32q(p->units - u);
        int32x4_t v = vmulq_s32(vldrhq_z_s32(cell + u, tail), vdupq_n_s32(scale));
        v = tanh_of(vrshlq_s32(v, vdupq_n_s32(right)), table); /* the shift rounds */
        v = product(v, vldrhq_z_s32(gate + u, tail), p->out_multiplier, p->out_shift);
        v = vaddq_s32(v, vdupq_n_s32(p->hidden_zero));
        v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(INT8_MIN)), vdupq_n_s32(INT8_MAX));
        vstrbq_p_s32(hidden + u, v, tail);
    }
}

static void update(const struct kernel_lstm *p, void *const *at, int8_t *hidden, int16_t *cell)
{
    const int16_t *gate = at[5];

    update_cell(p, gate, cell);
    update_hidden(p, at[4], gate + LSTM_OUTPUT * p->units, cell, hidden);
}

void mve_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate, update);
}

bool mve_lstm_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm *p = params;
    uint32_t blocks = blocks_of(p->units);

    if (p->in_n > 0xffffff || p->units > 0xffff)
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
