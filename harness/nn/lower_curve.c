/*
 * Functions of one value. For int8 every one of them is a table of 256 entries, which is worked out
 * here by the definition of the operator; the chip only looks up.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernels/arith.h"
#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

struct curve {
    const struct nn_tensor *in, *out;
    float in_scale, out_scale;
    int32_t in_zero, out_zero;
    struct quant_multiplier first, second; /* as the function likes */
    int32_t radius, low, high;
    float alpha;
};

/* The output for input value q, before clamping. */
typedef int32_t curve_fn(const struct curve *c, int32_t q);

static int read_curve(struct nn_lower *l, uint32_t types, struct curve *c)
{
    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    c->in = lower_in(l, 0, types);
    c->out = c->in ? lower_out(l, 0, TYPE_BIT(c->in->type)) : NULL;
    if (!c->out || lower_same_shape(l, c->in, c->out) < 0)
        return lower_failed(l);
    c->in_scale = c->in->quant.scale[0];
    c->out_scale = c->out->quant.scale[0];
    c->in_zero = c->in->quant.zero_point[0];
    c->out_zero = c->out->quant.zero_point[0];
    c->low = INT8_MIN;
    c->high = INT8_MAX;
    return 0;
}

static int emit_table(struct nn_lower *l, const struct curve *c, curve_fn *fn)
{
    int8_t *table = arena_alloc(l->arena, 256);

    for (int i = 0; i < 256; i++)
        table[i] = (int8_t)arith_clamp(fn(c, (int8_t)i), c->low, c->high);
    return lower_lookup(l, c->in, c->out, table);
}

static int factor(struct nn_lower *l, double real, struct quant_multiplier *ret)
{
    if (quant_multiplier(real, ret))
        return 0;
    return LOWER_FAIL(l, "a factor of %g between the scales is not supported", real);
}

/* ---- RELU, RELU6, LEAKY_RELU ---- */

static int32_t rescale(const struct curve *c, int32_t q)
{
    return arith_add(arith_requantize(q - c->in_zero, c->first.multiplier, c->first.shift),
                     c->out_zero);
}

/* reference_ops::QuantizedReluX() */
static int lower_relu_up_to(struct nn_lower *l, enum nn_activation activation)
{
    struct curve c;

    if (read_curve(l, TYPE_BIT(NN_INT8), &c) < 0 ||
        factor(l, (double)c.in_scale / (double)c.out_scale, &c.first) < 0)
        return lower_failed(l);
    if (!quant_activation_range(activation, c.out_scale, c.out_zero, &c.low, &c.high))
        return LOWER_FAIL(l, "scale %g of the output is not supported", (double)c.out_scale);
    return emit_table(l, &c, rescale);
}

int lower_relu(struct nn_lower *l)
{
    if (lower_is_float(l))
        return lower_float_unary(l, KERNEL_F32_CLAMP, 0, INFINITY);
    return lower_relu_up_to(l, NN_ACT_RELU);
}

int lower_relu6(struct nn_lower *l)
{
    if (lower_is_float(l))
        return lower_float_unary(l, KERNEL_F32_CLAMP, 0, 6);
    return lower_relu_up_to(l, NN_ACT_RELU6);
}

static int32_t leaky(const struct curve *c, int32_t q)
{
    const struct quant_multiplier *m = q >= c->in_zero ? &c->first : &c->second;

    return arith_add(arith_requantize(q - c->in_zero, m->multiplier, m->shift), c->out_zero);
}

/* The factors are floats. */
int lower_leaky_relu(struct nn_lower *l)
{
    struct curve c;

    if (lower_is_float(l))
        return lower_float_unary(l, KERNEL_F32_LEAKY, l->op->options.alpha, 0);
    if (read_curve(l, TYPE_BIT(NN_INT8), &c) < 0 ||
        factor(l, (double)(c.in_scale / c.out_scale), &c.first) < 0)
        return lower_failed(l);
    float slope = c.in_scale * l->op->options.alpha;
    slope /= c.out_scale;
    if (factor(l, (double)slope, &c.second) < 0)
        return lower_failed(l);
    return emit_table(l, &c, leaky);
}

/* ---- LOGISTIC, TANH ---- */

#define CURVE_INTEGER_BITS 4

static int32_t saturating(const struct curve *c, int32_t q, int32_t (*fn)(int32_t, int),
                          int32_t shift)
{
    int32_t x = q - c->in_zero;

    if (x <= -c->radius)
        return INT8_MIN;
    if (x >= c->radius)
        return INT8_MAX;
    x = arith_requantize(x, c->first.multiplier, c->first.shift);
    return arith_shift_right(fn(x, CURVE_INTEGER_BITS), shift);
}

static int32_t logistic(const struct curve *c, int32_t q)
{
    int32_t x = q - c->in_zero;
    int32_t v = saturating(c, q, quant_logistic, 23);

    return x <= -c->radius || x >= c->radius ? v : v + INT8_MIN;
}

static int32_t tangent(const struct curve *c, int32_t q)
{
    return saturating(c, q, quant_tanh, 24);
}

/* A table of the sigmoid, Q0.16, at i/24: half of each interval's bending is taken off. */
static const uint16_t *sigmoid_table(struct nn_lower *l)
{
    uint16_t *table = arena_alloc(l->arena, 256 * sizeof *table);

    for (int i = 0; i < 255; i++) {
        double here = 65536 / (1 + exp(-i / 24.0));
        double middle = 65536 / (1 + exp(-(i + 0.5) / 24.0));
        double next = 65536 / (1 + exp(-(i + 1) / 24.0));
        table[i] = (uint16_t)lround(here + (middle - (here + next) / 2) / 2);
    }
    table[255] = 65535;
    return table;
}

struct nn_span lower_sigmoid_table(struct nn_lower *l)
{
    return lower_constant(l, "sigmoid table", sigmoid_table(l), 256 * sizeof(uint16_t));
}

/* Multiplier and shift that bring an int16 to 1/(3 * 4096): 3 when the scale is a power of two. */
static void wide_factor(float scale, int highest_shift, struct kernel_curve *p)
{
    double log = log2((double)scale);
    long power = lround(log);
    double real = (double)scale * 4096.0 * 3.0;

    if (fabs(log - (double)power) < 1e-3 && power + 12 >= 0 && power + 12 <= highest_shift) {
        p->multiplier = 3 << (power + 12);
        p->shift = 0;
        return;
    }
    for (p->shift = 0; real <= 32767.0 / 2.0 && p->shift <= 30; p->shift++)
        real *= 2.0;
    p->multiplier = (int32_t)real;
}

static int lower_wide_curve(struct nn_lower *l, const struct curve *c, bool tanh)
{
    struct kernel_curve p = {.n = (uint32_t)c->in->elements, .tanh = tanh};

    if (lower_no_zero_point(l, c->in) < 0 || lower_no_zero_point(l, c->out) < 0)
        return lower_failed(l);
    wide_factor(c->in_scale, tanh ? 1 : 0, &p);
    struct nn_span table = lower_sigmoid_table(l);
    struct nn_step *s = lower_step(l, KERNEL_CURVE_S16, KERNEL_REF, &p);
    if (lower_add_in(l, s, c->in) < 0 || lower_add_out(l, s, c->out) < 0)
        return lower_failed(l);
    lower_span(s, table);
    lower_share(s, 1, 0, 0);
    return 0;
}

/* The input in Q4.27, and how far from zero the curve has reached its limit. */
static int lower_saturating(struct nn_lower *l, bool tanh)
{
    struct curve c;

    if (read_curve(l, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16), &c) < 0)
        return lower_failed(l);
    if (c.in->type == NN_INT16)
        return lower_wide_curve(l, &c, tanh);
    if (factor(l, (double)c.in_scale * (1 << (31 - CURVE_INTEGER_BITS)), &c.first) < 0)
        return lower_failed(l);
    double radius = floor(15.0 * (1 << (31 - CURVE_INTEGER_BITS)) / ldexp(1, c.first.shift));
    c.radius = radius > 1000 ? 1000 : (int32_t)radius;
    return emit_table(l, &c, tanh ? tangent : logistic);
}

int lower_logistic(struct nn_lower *l)
{
    return lower_is_float(l) ? lower_float_unary(l, KERNEL_F32_LOGISTIC, 0, 0)
                             : lower_saturating(l, false);
}

int lower_tanh(struct nn_lower *l)
{
    return lower_is_float(l) ? lower_float_unary(l, KERNEL_F32_TANH, 0, 0)
                             : lower_saturating(l, true);
}

/* ---- ELU, HARD_SWISH ---- */

static int32_t elu(const struct curve *c, int32_t q)
{
    float inverse = 1.0f / c->out_scale;
    float x = c->in_scale * (float)(q - c->in_zero);
    float y = x < 0.0f ? expf(x) - 1.0f : x;
    float rounded = quant_round(y * inverse);

    return (int32_t)fmaxf(fminf(rounded, 1e6f), -1e6f) + c->out_zero;
}

int lower_elu(struct nn_lower *l)
{
    struct curve c;

    if (lower_is_float(l))
        return lower_float_unary(l, KERNEL_F32_ELU, 0, 0);
    if (read_curve(l, TYPE_BIT(NN_INT8), &c) < 0)
        return lower_failed(l);
    return emit_table(l, &c, elu);
}

/* SaturatingRoundingDoublingHighMul of 16-bit numbers. */
static int32_t high_mul16(int32_t a, int32_t b)
{
    return a == INT16_MIN && b == INT16_MIN ? INT16_MAX : (a * b + (1 << 14)) >> 15;
}

/* DownScaleInt32ToInt16Multiplier() */
static int32_t to_int16(int32_t multiplier)
{
    if (multiplier >= INT32_MAX - (1 << 15))
        return INT16_MAX;
    return (multiplier + (1 << 15)) >> 16;
}

/* x * relu6(x + 3) / 6 in 16-bit fixed point; first: to the output, second: to the ramp. */
static int32_t swish(const struct curve *c, int32_t q)
{
    int32_t x = (q - c->in_zero) * 128;
    int32_t on_output = high_mul16(x, to_int16(c->first.multiplier));
    int32_t shift = c->second.shift;
    int32_t ramp = x;

    if (shift > 0)
        ramp = arith_saturate16((int32_t)((uint32_t)ramp << (shift > 16 ? 15 : shift - 1)));
    ramp = high_mul16(ramp, to_int16(c->second.multiplier));
    if (shift > 0)
        ramp = arith_saturate16(ramp * 2);
    if (shift < 0)
        ramp = arith_shift_right(ramp, -shift);
    ramp = (ramp + (1 << 15)) >> 1;
    int32_t product = ramp * on_output / (1 << 15);
    return arith_shift_right(product, -c->first.shift) + c->out_zero;
}

int lower_hard_swish(struct nn_lower *l)
{
    struct curve c;

    if (lower_is_float(l))
        return lower_float_unary(l, KERNEL_F32_HARD_SWISH, 0, 0);
    if (read_curve(l, TYPE_BIT(NN_INT8), &c) < 0)
        return lower_failed(l);
    float fine = c.in_scale / 128.0f;
    const float ramp_scale = 3.0f / 32768.0f;
    if (factor(l, (double)(fine / c.out_scale), &c.first) < 0 ||
        factor(l, (double)(fine / ramp_scale), &c.second) < 0)
        return lower_failed(l);
    if (c.first.shift > 0)
        return LOWER_FAIL(l, "an output scale of %g for an input scale of %g is not supported",
                          (double)c.out_scale, (double)c.in_scale);
    return emit_table(l, &c, swish);
}
