/* float32: operators that remember, SVDF and LSTM. */
#include "agents/kernels/check.h"
#include "agents/kernels/ref/float.h"
#include "agents/kernels/ref/ref.h"

#if KERNELS_FLOAT

static float dot(const float *a, const float *b, uint32_t n, float sum)
{
    for (uint32_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- SVDF ---- */

/* Everything one place to the left, each filter's newest value at its end. */
static void remember(const struct kernel_svdf_f32 *p, const float *in, const float *weights,
                     float *state)
{
    for (uint32_t f = 0; f < p->filters; f++, state += p->memory, weights += p->in_n) {
        for (uint32_t i = 0; i + 1 < p->memory; i++)
            state[i] = state[i + 1];
        state[p->memory - 1] = dot(in, weights, p->in_n, 0);
    }
}

void ref_svdf_f32(const void *params, void *const *at)
{
    const struct kernel_svdf_f32 *p = params;
    const float *in = at[0], *bias = at[4];
    float *out = at[1], *state = at[5];
    uint32_t units = p->filters / p->rank, row = p->rank * p->memory;

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n) {
        const float *time = at[3];
        remember(p, in, at[2], state);
        for (uint32_t u = 0; u < units; u++, time += row) {
            float sum = dot(state + u * row, time, row, bias[u]);
            *out++ = float_clamp(sum, p->act_min, p->act_max);
        }
        state += p->filters * p->memory;
    }
}

bool ref_svdf_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_svdf_f32 *p = params;

    return p->rank != 0 && p->memory != 0 &&
           check_holds(&spans[0], p->batches, p->in_n, 1, sizeof(float)) &&
           check_holds(&spans[1], p->batches, p->filters / p->rank, 1, sizeof(float)) &&
           check_holds(&spans[2], p->filters, p->in_n, 1, sizeof(float)) &&
           check_holds(&spans[3], p->filters, p->memory, 1, sizeof(float)) &&
           check_holds(&spans[4], p->filters / p->rank, 1, 1, sizeof(float)) &&
           check_holds(&spans[5], p->batches, check_product(p->filters, p->memory), 1,
                       sizeof(float));
}

/* ---- LSTM ---- */

enum {
    INPUT,
    FORGET,
    CELL,
    OUTPUT,
    GATES,
    FIRST_GATE_SPAN = 5 /* three for each */
};

static void run_gate(const struct kernel_lstm_f32 *p, void *const *at, unsigned g, const float *in,
                     const float *hidden)
{
    const float *in_weights = at[FIRST_GATE_SPAN + 3 * g];
    const float *hidden_weights = at[FIRST_GATE_SPAN + 3 * g + 1];
    const float *bias = at[FIRST_GATE_SPAN + 3 * g + 2];
    float *gate = (float *)at[4] + g * p->units;

    for (uint32_t u = 0; u < p->units; u++) {
        float sum = dot(in, in_weights + u * p->in_n, p->in_n, bias[u]);
        sum = dot(hidden, hidden_weights + u * p->units, p->units, sum);
        gate[u] = g == CELL ? float_tanh(sum) : float_logistic(sum);
    }
}

static void update(const struct kernel_lstm_f32 *p, const float *gate, float *hidden, float *cell)
{
    for (uint32_t u = 0; u < p->units; u++, gate++) {
        float kept = gate[FORGET * p->units] * cell[u];
        float v = kept + gate[INPUT] * gate[CELL * p->units];
        if (p->cell_clip > 0)
            v = float_clamp(v, -p->cell_clip, p->cell_clip);
        cell[u] = v;
        hidden[u] = float_tanh(v) * gate[OUTPUT * p->units];
    }
}

void ref_lstm_f32(const void *params, void *const *at)
{
    const struct kernel_lstm_f32 *p = params;

    for (uint32_t b = 0; b < p->batches; b++) {
        float *hidden = (float *)at[2] + b * p->units, *cell = (float *)at[3] + b * p->units;
        for (uint32_t t = 0; t < p->steps; t++) {
            uint32_t row = t * p->step_stride + b * p->batch_stride;
            float *out = (float *)at[1] + row * p->units;
            for (unsigned g = 0; g < GATES; g++)
                run_gate(p, at, g, (const float *)at[0] + row * p->in_n, hidden);
            update(p, at[4], hidden, cell);
            for (uint32_t u = 0; u < p->units; u++)
                out[u] = hidden[u];
        }
    }
}

bool ref_lstm_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm_f32 *p = params;
    uint64_t rows = (uint64_t)check_product(p->steps - 1, p->step_stride) +
                    check_product(p->batches - 1, p->batch_stride) + 1;

    if (p->steps == 0 || p->batches == 0 || rows > 0xffffff ||
        check_product(p->steps, p->batches) > rows)
        return false;
    for (unsigned g = 0; g < GATES; g++) {
        const struct kernel_span *s = &spans[FIRST_GATE_SPAN + 3 * g];
        if (!check_holds(&s[0], p->units, p->in_n, 1, sizeof(float)) ||
            !check_holds(&s[1], p->units, p->units, 1, sizeof(float)) ||
            !check_holds(&s[2], p->units, 1, 1, sizeof(float)))
            return false;
    }
    return check_holds(&spans[0], (uint32_t)rows, p->in_n, 1, sizeof(float)) &&
           check_holds(&spans[1], (uint32_t)rows, p->units, 1, sizeof(float)) &&
           check_holds(&spans[2], p->batches, p->units, 1, sizeof(float)) &&
           check_holds(&spans[3], p->batches, p->units, 1, sizeof(float)) &&
           check_holds(&spans[4], GATES, p->units, 1, sizeof(float));
}

#endif
