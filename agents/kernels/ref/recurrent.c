/* SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM: operators that remember. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/lstm.h"
#include "agents/kernels/ref/curve.h"
#include "agents/kernels/ref/ref.h"

/* ---- SVDF ---- */

static int32_t cell_of(const void *state, uint32_t type, uint32_t i)
{
    return type == KERNEL_S8 ? ((const int8_t *)state)[i] : ((const int16_t *)state)[i];
}

static void set_cell(void *state, uint32_t type, uint32_t i, int32_t v)
{
    if (type == KERNEL_S8)
        ((int8_t *)state)[i] = (int8_t)arith_clamp(v, INT8_MIN, INT8_MAX);
    else
        ((int16_t *)state)[i] = (int16_t)arith_saturate16(v);
}

/* Everything one place to the left, each filter's newest value at its end. */
static void remember(const struct kernel_svdf *p, const int8_t *in, const int8_t *weights,
                     void *state, uint32_t first)
{
    for (uint32_t f = 0; f < p->filters; f++) {
        uint32_t row = first + f * p->memory;
        int32_t sum = 0;
        for (uint32_t i = 0; i + 1 < p->memory; i++)
            set_cell(state, p->state_type, row + i, cell_of(state, p->state_type, row + i + 1));
        for (uint32_t i = 0; i < p->in_n; i++)
            sum = (int32_t)((uint32_t)sum +
                            ((uint32_t)in[i] + (uint32_t)p->in_offset) * (uint32_t)*weights++);
        sum = arith_requantize(sum, p->state_multiplier, p->state_shift);
        set_cell(state, p->state_type, row + p->memory - 1, arith_add(sum, p->state_zero));
    }
}

static int32_t recall(const struct kernel_svdf *p, const void *state, const void *weights,
                      uint32_t state_row, uint32_t filter)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < p->memory; i++) {
        int32_t value = arith_add(cell_of(state, p->state_type, state_row + i), -p->state_zero);
        int32_t weight = cell_of(weights, p->state_type, filter * p->memory + i);
        sum = arith_add(sum, (int32_t)((uint32_t)value * (uint32_t)weight));
    }
    return sum;
}

void ref_svdf(const void *params, void *const *at)
{
    const struct kernel_svdf *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const int32_t *bias = at[4];

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n) {
        uint32_t first = b * p->filters * p->memory;
        remember(p, in, at[2], at[5], first);
        for (uint32_t u = 0; u < p->filters / p->rank; u++) {
            int32_t sum = bias[u];
            for (uint32_t f = u * p->rank; f < (u + 1) * p->rank; f++)
                sum = arith_add(sum, recall(p, at[5], at[3], first + f * p->memory, f));
            sum = arith_requantize(sum, p->out_multiplier, p->out_shift);
            *out++ = (int8_t)arith_clamp(arith_add(sum, p->out_zero), INT8_MIN, INT8_MAX);
        }
    }
}

bool ref_svdf_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_svdf *p = params;
    uint32_t size = check_type_size(p->state_type);

    if ((p->state_type != KERNEL_S8 && p->state_type != KERNEL_S16) || p->rank == 0 ||
        p->memory == 0 || p->state_zero < INT16_MIN || p->state_zero > INT16_MAX)
        return false;
    return check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->filters / p->rank, 1, 1) &&
           check_holds(&spans[2], p->filters, p->in_n, 1, 1) &&
           check_holds(&spans[3], p->filters, p->memory, 1, size) &&
           check_holds(&spans[4], p->filters / p->rank, 1, 1, sizeof(int32_t)) &&
           check_holds(&spans[5], p->batches, check_product(p->filters, p->memory), 1, size);
}

/* ---- LSTM ---- */

static int32_t dot(const int8_t *a, const int8_t *b, uint32_t n, int32_t sum)
{
    for (uint32_t i = 0; i < n; i++)
        sum = arith_add(sum, a[i] * b[i]);
    return sum;
}

/* What one gate makes of input and hidden state, through its curve, into gate[units]. */
static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    const int8_t *in_weights = at[LSTM_GATE_SPAN(g)];
    const int8_t *hidden_weights = at[LSTM_GATE_SPAN(g) + 1];
    const int32_t *bias = at[LSTM_GATE_SPAN(g) + 2];
    int16_t *gate = (int16_t *)at[5] + g * p->units;

    for (uint32_t u = 0; u < p->units; u++) {
        int32_t a = dot(in, in_weights + u * p->in_n, p->in_n, bias[u]);
        int32_t b = dot(hidden, hidden_weights + u * p->units, p->units, bias[p->units + u]);
        a = arith_requantize(a, p->in_multiplier[g], p->in_shift[g]);
        b = arith_requantize(b, p->hidden_multiplier[g], p->hidden_shift[g]);
        a = arith_saturate16((int32_t)arith_saturate16(a) + arith_saturate16(b));
        gate[u] = g == LSTM_CELL ? curve_tanh(a, 3, 0, at[4]) : curve_logistic(a, 3, 0, at[4]);
    }
}

static void update(const struct kernel_lstm *p, void *const *at, int8_t *hidden, int16_t *cell)
{
    const int16_t *gate = at[5];

    for (uint32_t u = 0; u < p->units; u++) {
        int32_t kept = arith_requantize((int32_t)gate[LSTM_FORGET * p->units + u] * cell[u],
                                        p->forget_multiplier, p->forget_shift);
        int32_t added = arith_requantize((int32_t)gate[u] * gate[LSTM_CELL * p->units + u],
                                         p->input_multiplier, p->input_shift);
        int32_t v = arith_saturate16((int32_t)arith_saturate16(kept) + arith_saturate16(added));
        if (p->cell_clip)
            v = arith_clamp(v, -p->cell_clip, p->cell_clip);
        cell[u] = (int16_t)v;
        v = curve_tanh(v, p->tanh_multiplier, p->tanh_shift, at[4]);
        v = arith_requantize(v * gate[LSTM_OUTPUT * p->units + u], p->out_multiplier, p->out_shift);
        hidden[u] = (int8_t)arith_clamp(arith_add(v, p->hidden_zero), INT8_MIN, INT8_MAX);
    }
}

void ref_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate, update);
}

bool ref_lstm_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm *p = params;

    for (unsigned g = 0; g < LSTM_GATES; g++) {
        const struct kernel_span *s = &spans[LSTM_GATE_SPAN(g)];
        if (!check_holds(&s[0], p->units, p->in_n, 1, 1) ||
            !check_holds(&s[1], p->units, p->units, 1, 1) ||
            !check_holds(&s[2], 2, p->units, 1, sizeof(int32_t)))
            return false;
    }
    return lstm_shapes_fit(p, spans);
}
