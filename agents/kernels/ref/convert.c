/* QUANTIZE, DEQUANTIZE and everything that is a function of one 8-bit value. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

static int32_t load(const void *data, uint32_t type, uint32_t i)
{
    switch (type) {
    case KERNEL_S8:
        return ((const int8_t *)data)[i];
    case KERNEL_U8:
        return ((const uint8_t *)data)[i];
    case KERNEL_S16:
        return ((const int16_t *)data)[i];
    default:
        return ((const int32_t *)data)[i];
    }
}

/* Clamps to the type's range. */
static void store(void *data, uint32_t type, uint32_t i, int32_t v)
{
    switch (type) {
    case KERNEL_S8:
        ((int8_t *)data)[i] = (int8_t)arith_clamp(v, INT8_MIN, INT8_MAX);
        break;
    case KERNEL_U8:
        ((uint8_t *)data)[i] = (uint8_t)arith_clamp(v, 0, UINT8_MAX);
        break;
    case KERNEL_S16:
        ((int16_t *)data)[i] = (int16_t)arith_clamp(v, INT16_MIN, INT16_MAX);
        break;
    default:
        ((int32_t *)data)[i] = v;
    }
}

/* The pair that most models begin or end with, without a choice for each element. */
static void requantize_16_to_8(const struct kernel_requantize *p, const int16_t *in, int8_t *out)
{
    int32_t in_zero = p->in_zero, out_zero = p->out_zero;
    int32_t multiplier = p->multiplier, shift = p->shift;

    for (const int16_t *end = in + p->n; in != end; in++) {
        int32_t v = arith_requantize(arith_subtract(*in, in_zero), multiplier, shift);
        *out++ = arith_saturate8(arith_add(v, out_zero));
    }
}

void ref_requantize(const void *params, void *const *at)
{
    const struct kernel_requantize *p = params;

    if (p->in_type == KERNEL_S16 && p->out_type == KERNEL_S8) {
        requantize_16_to_8(p, at[0], at[1]);
        return;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        int32_t v = arith_subtract(load(at[0], p->in_type, i), p->in_zero);
        v = arith_add(arith_requantize(v, p->multiplier, p->shift), p->out_zero);
        store(at[1], p->out_type, i, v);
    }
}

void ref_dequantize(const void *params, void *const *at)
{
    const struct kernel_dequantize *p = params;
    float *out = at[1];

    for (uint32_t i = 0; i < p->n; i++)
        out[i] = p->scale * (float)arith_subtract(load(at[0], p->type, i), p->zero);
}

void ref_quantize(const void *params, void *const *at)
{
    const struct kernel_dequantize *p = params;
    const float *in = at[0];

    for (uint32_t i = 0; i < p->n; i++) {
        float v = in[i] / p->scale;
        int32_t rounded;
        /* Far outside every type; also where the conversion below would be undefined. */
        if (!(v > -1e9f && v < 1e9f)) {
            rounded = v > 0 ? 1000000000 : -1000000000;
        } else {
            rounded = (int32_t)v; /* toward zero; the rest is exact */
            float rest = v - (float)rounded;
            rounded += rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
        }
        store(at[1], p->type, i, arith_add(rounded, p->zero));
    }
}

/* C's conversion to a 32-bit integer, but defined everywhere. */
static int32_t truncate(float v)
{
    if (!(v > -2147483648.0f))
        return INT32_MIN;
    return v < 2147483648.0f ? (int32_t)v : INT32_MAX;
}

/* Integers wrap around, reals lose their fraction, BOOL is "not 0". */
void ref_cast(const void *params, void *const *at)
{
    const struct kernel_requantize *p = params;

    for (uint32_t i = 0; i < p->n; i++) {
        float real = 0;
        int32_t v = 0;
        if (p->in_type == KERNEL_F32)
            real = ((const float *)at[0])[i];
        else if (p->in_type == KERNEL_BOOL)
            v = ((const uint8_t *)at[0])[i] != 0;
        else
            v = load(at[0], p->in_type, i);
        if (p->out_type == KERNEL_F32) {
            ((float *)at[1])[i] = p->in_type == KERNEL_F32 ? real : (float)v;
        } else if (p->out_type == KERNEL_BOOL) {
            ((uint8_t *)at[1])[i] = p->in_type == KERNEL_F32 ? real != 0 : v != 0;
        } else {
            v = p->in_type == KERNEL_F32 ? truncate(real) : v;
            if (check_type_size(p->out_type) == 1)
                ((uint8_t *)at[1])[i] = (uint8_t)v;
            else if (p->out_type == KERNEL_S16)
                ((uint16_t *)at[1])[i] = (uint16_t)v;
            else
                ((int32_t *)at[1])[i] = v;
        }
    }
}

bool ref_cast_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_requantize *p = params;
    uint32_t from = check_type_size(p->in_type), to = check_type_size(p->out_type);

    return from && to && check_holds(&spans[0], p->n, 1, 1, from) &&
           check_holds(&spans[1], p->n, 1, 1, to);
}

void ref_lookup(const void *params, void *const *at)
{
    const struct kernel_lookup *p = params;
    const uint8_t *in = at[0];

    for (uint32_t i = 0; i < p->n; i++) {
        if (p->width == 1)
            ((uint8_t *)at[1])[i] = ((const uint8_t *)at[2])[in[i]];
        else if (p->width == 2)
            ((uint16_t *)at[1])[i] = ((const uint16_t *)at[2])[in[i]];
        else
            ((uint32_t *)at[1])[i] = ((const uint32_t *)at[2])[in[i]];
    }
}

bool ref_requantize_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_requantize *p = params;

    return p->in_type < KERNEL_F32 && p->out_type < KERNEL_F32 &&
           check_holds(&spans[0], p->n, 1, 1, check_type_size(p->in_type)) &&
           check_holds(&spans[1], p->n, 1, 1, check_type_size(p->out_type));
}

bool ref_dequantize_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_dequantize *p = params;

    return p->type < KERNEL_F32 && check_holds(&spans[0], p->n, 1, 1, check_type_size(p->type)) &&
           check_holds(&spans[1], p->n, 1, 1, sizeof(float));
}

bool ref_quantize_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_dequantize *p = params;

    return p->type < KERNEL_F32 && check_holds(&spans[0], p->n, 1, 1, sizeof(float)) &&
           check_holds(&spans[1], p->n, 1, 1, check_type_size(p->type));
}

bool ref_lookup_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lookup *p = params;

    return (p->width == 1 || p->width == 2 || p->width == 4) &&
           check_holds(&spans[0], p->n, 1, 1, 1) && check_holds(&spans[1], p->n, 1, 1, p->width) &&
           check_holds(&spans[2], 256, 1, 1, p->width);
}
