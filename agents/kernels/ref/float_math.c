/* float32: element-wise operators and SOFTMAX. */
#include "agents/kernels/check.h"
#include "agents/kernels/ref/float.h"
#include "agents/kernels/ref/ref.h"

#if KERNELS_FLOAT

/* ---- functions ---- */

/* 2^n for n in -126..127. */
static float power_of_two(int32_t n)
{
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float f;

    __builtin_memcpy(&f, &bits, sizeof f);
    return f;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2 (ln 2 in two parts), then the series of e^r. */
float float_exp(float x)
{
    if (!(x < 88.72f))
        return FLOAT_MAX;
    if (x < -87.33f) /* below the smallest normal number */
        return 0;
    float scaled = x * 1.44269504f;
    int32_t n = (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
    float r = (x - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    float p = 1.9875691e-4f;

    p = p * r + 1.3981999e-3f;
    p = p * r + 8.3334519e-3f;
    p = p * r + 4.1665795e-2f;
    p = p * r + 1.6666665e-1f;
    p = p * r + 5.0000001e-1f;
    p = p * r * r + r + 1.0f;
    return n > 127 ? p * power_of_two(127) * 2.0f : p * power_of_two(n);
}

float float_tanh(float x)
{
    float z = x * x, away = x < 0 ? -x : x;

    if (away < 0.625f) {
        float p = -5.70498872e-3f;
        p = p * z + 2.06390888e-2f;
        p = p * z - 5.37397156e-2f;
        p = p * z + 1.33314422e-1f;
        p = p * z - 3.33332819e-1f;
        return p * z * x + x;
    }
    float y = away > 9.1f ? 1.0f : 1.0f - 2.0f / (float_exp(2.0f * away) + 1.0f);
    return x < 0 ? -y : y;
}

float float_logistic(float x)
{
    float e = float_exp(x < 0 ? x : -x); /* at most 1 */

    return x < 0 ? e / (1.0f + e) : 1.0f / (1.0f + e);
}

/* ---- operators ---- */

static float unary(const struct kernel_unary_f32 *p, float x)
{
    switch (p->op) {
    case KERNEL_F32_LEAKY:
        return x < 0 ? x * p->low : x;
    case KERNEL_F32_LOGISTIC:
        return float_logistic(x);
    case KERNEL_F32_TANH:
        return float_tanh(x);
    case KERNEL_F32_HARD_SWISH:
        return x * float_clamp(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
    case KERNEL_F32_ELU:
        return x < 0 ? float_exp(x) - 1.0f : x;
    default:
        return float_clamp(x, p->low, p->high);
    }
}

void ref_unary_f32(const void *params, void *const *at)
{
    const struct kernel_unary_f32 *p = params;
    const float *in = at[0];
    float *out = at[1];

    for (uint32_t i = 0; i < p->n; i++)
        out[i] = unary(p, in[i]);
}

static float binary(uint32_t op, float a, float b)
{
    switch (op) {
    case KERNEL_F32_SUB:
        return a - b;
    case KERNEL_F32_MUL:
        return a * b;
    case KERNEL_F32_MAXIMUM:
        return a > b ? a : b;
    case KERNEL_F32_MINIMUM:
        return a < b ? a : b;
    case KERNEL_F32_PRELU:
        return a < 0 ? a * b : a;
    default:
        return a + b;
    }
}

void ref_binary_f32(const void *params, void *const *at)
{
    const struct kernel_binary_f32 *f = params;
    const struct kernel_binary *p = &f->walk;
    const float *a = at[0], *b = at[1];
    float *out = at[2];
    uint32_t index[KERNEL_MAX_RANK] = {0};
    uint32_t d;

    do {
        *out++ = float_clamp(binary(f->op, *a, *b), f->act_min, f->act_max);
        for (d = p->rank; d-- > 0;) {
            a += p->a_strides[d];
            b += p->b_strides[d];
            if (++index[d] < p->dims[d])
                break;
            a -= p->dims[d] * p->a_strides[d];
            b -= p->dims[d] * p->b_strides[d];
            index[d] = 0;
        }
    } while (d < p->rank);
}

void ref_softmax_f32(const void *params, void *const *at)
{
    const struct kernel_softmax_f32 *p = params;
    const float *in = at[0];
    float *out = at[1];

    for (uint32_t row = 0; row < p->rows; row++, in += p->depth, out += p->depth) {
        float max = in[0], sum = 0;
        for (uint32_t i = 1; i < p->depth; i++)
            max = in[i] > max ? in[i] : max;
        for (uint32_t i = 0; i < p->depth; i++) {
            out[i] = float_exp((in[i] - max) * p->beta);
            sum += out[i];
        }
        for (uint32_t i = 0; i < p->depth; i++)
            out[i] /= sum;
    }
}

/* ---- checks ---- */

bool ref_unary_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_unary_f32 *p = params;

    return check_holds(&spans[0], p->n, 1, 1, sizeof(float)) &&
           check_holds(&spans[1], p->n, 1, 1, sizeof(float));
}

bool ref_binary_f32_check(const void *params, const struct kernel_span *spans)
{
    return binary_fits(&((const struct kernel_binary_f32 *)params)->walk, spans, sizeof(float));
}

bool ref_softmax_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_softmax_f32 *p = params;

    return check_holds(&spans[0], p->rows, p->depth, 1, sizeof(float)) &&
           check_holds(&spans[1], p->rows, p->depth, 1, sizeof(float));
}

#endif
