/* LSTM_S8: what its variants share. */
#include "agents/kernels/lstm.h"

#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/curve.h"

void lstm_run(const struct kernel_lstm *p, void *const *at, lstm_gate_fn *gate,
              lstm_update_fn *next)
{
    for (uint32_t b = 0; b < p->batches; b++) {
        int8_t *hidden = (int8_t *)at[2] + b * p->units;
        int16_t *cell = (int16_t *)at[3] + b * p->units;
        for (uint32_t t = 0; t < p->steps; t++) {
            uint32_t row = t * p->step_stride + b * p->batch_stride;
            const int8_t *in = (const int8_t *)at[0] + row * p->in_n;
            int8_t *out = (int8_t *)at[1] + row * p->units;
            for (unsigned g = 0; g < LSTM_GATES; g++)
                gate(p, at, g, in, hidden);
            next(p, at, hidden, cell);
            for (uint32_t u = 0; u < p->units; u++)
                out[u] = hidden[u];
        }
    }
}

bool lstm_shapes_fit(const struct kernel_lstm *p, const struct kernel_span *spans)
{
    uint64_t rows = (uint64_t)check_product(p->steps - 1, p->step_stride) +
                    check_product(p->batches - 1, p->batch_stride) + 1;

    if (p->steps == 0 || p->batches == 0 || rows > 0xffffff || p->cell_clip < 0 ||
        check_product(p->steps, p->batches) > rows)
        return false;
    return check_holds(&spans[0], (uint32_t)rows, p->in_n, 1, 1) &&
           check_holds(&spans[1], (uint32_t)rows, p->units, 1, 1) &&
           check_holds(&spans[2], p->batches, p->units, 1, 1) &&
           check_holds(&spans[3], p->batches, p->units, 1, 2) &&
           check_holds(&spans[4], 256, 1, 1, 2) &&
           check_holds(&spans[5], LSTM_GATES, p->units, 1, 2);
}

/* ---- fast forms, for parameters that pack_lstm_fits() has seen ---- */

void lstm_curve(unsigned g, const uint16_t *table, int16_t *gate, uint32_t n)
{
    const int16_t *end = gate + n;

    if (g == LSTM_CELL) {
        for (; gate != end; gate++)
            *gate = curve_tanh_of((int32_t)3 * *gate, table);
    } else {
        for (; gate != end; gate++)
            *gate = curve_logistic_of((int32_t)3 * *gate, table);
    }
}

/* v / 2^(n + 1) as requantising by 2^30 and -n does it: rounded twice. */
static inline int32_t halve(int32_t v, int32_t n)
{
    v = (v + 1) >> 1;
    return (v + (v >> 31) + (int32_t)((uint32_t)1 << (n - 1))) >> n;
}

/* Requantising to the right, multiplier not negative. */
static inline int32_t requantize(int32_t v, int32_t multiplier, int32_t n)
{
    v = arith_high_mul_positive(v, multiplier);
    return (v + (v >> 31) + (int32_t)((uint32_t)1 << (n - 1))) >> n;
}

/* Right shifts are 1 to 31 for a host of good will, and never undefined. */
static int32_t right_of(int32_t shift)
{
    int32_t n = (int32_t)((0u - (uint32_t)shift) & 31);

    return n ? n : 1;
}

/* The host has seen to it that forget and input are powers of two, and the product is short. */
void lstm_update(const struct kernel_lstm *p, void *const *at, int8_t *hidden, int16_t *cell)
{
    uint32_t units = p->units;
    const int16_t *gate = at[5];
    const uint16_t *table = at[4];
    int32_t forget = right_of(p->forget_shift), input = right_of(p->input_shift);
    int32_t out = right_of(p->out_shift), multiplier = p->out_multiplier, clip = p->cell_clip;
    int32_t scale = (int16_t)p->tanh_multiplier, right = p->tanh_shift & 31;
    int32_t round = right ? (int32_t)((uint32_t)1 << (right - 1)) : 0;

    for (uint32_t n = units; n > 0; n--, gate++, cell++) {
        int32_t kept = halve((int32_t)gate[LSTM_FORGET * units] * *cell, forget);
        int32_t added = halve((int32_t)gate[0] * gate[LSTM_CELL * units], input);
        int32_t v = arith_saturate16((int32_t)arith_saturate16(kept) + arith_saturate16(added));
        if (clip)
            v = arith_clamp(v, -clip, clip);
        *cell = (int16_t)v;
        v = curve_tanh_of(arith_add(v * scale, round) >> right, table);
        v = requantize(v * gate[LSTM_OUTPUT * units], multiplier, out);
        *hidden++ = arith_saturate8(arith_add(v, p->hidden_zero));
    }
}
