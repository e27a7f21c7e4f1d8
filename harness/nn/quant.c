#include "harness/nn/quant.h"

#include <math.h>

#include "agents/kernels/arith.h"

bool quant_multiplier(double real, struct quant_multiplier *ret)
{
    int shift = 0;

    if (!isfinite(real))
        return false;
    int64_t fixed = (int64_t)round(frexp(real, &shift) * 2147483648.0);
    if (fixed == 2147483648) {
        fixed /= 2;
        shift++;
    }
    if (shift < -31 || fixed == 0) {
        shift = 0;
        fixed = 0;
    }
    *ret = (struct quant_multiplier){(int32_t)fixed, shift};
    return shift <= 30;
}

float quant_round(float v)
{
    return roundf(v);
}

/* zero_point + round(real / scale); false when that does not fit. */
static bool quantize(float scale, int32_t zero_point, float real, int32_t *ret)
{
    float q = quant_round(real / scale);

    if (!(q >= -2147483648.0f && q < 2147483648.0f))
        return false;
    *ret = arith_add(zero_point, (int32_t)q);
    return true;
}

bool quant_activation_range(enum nn_activation activation, float scale, int32_t zero_point,
                            int32_t *low, int32_t *high)
{
    float from, to = 0;
    int32_t q = 0;

    switch (activation) {
    case NN_ACT_NONE:
        return true;
    case NN_ACT_RELU:
        from = 0;
        break;
    case NN_ACT_RELU6:
        from = 0;
        to = 6;
        break;
    case NN_ACT_RELU_N1_TO_1:
        from = -1;
        to = 1;
        break;
    default:
        return false;
    }
    if (!quantize(scale, zero_point, from, &q))
        return false;
    *low = q > *low ? q : *low;
    if (activation == NN_ACT_RELU)
        return true;
    if (!quantize(scale, zero_point, to, &q))
        return false;
    *high = q < *high ? q : *high;
    return true;
}

/* exp(a) for a in [-1/4, 0): Taylor expansion around -1/8. */
static int32_t exp_near_zero(int32_t a)
{
    const int32_t exp_minus_eighth = 1895147668, third = 715827883;
    int32_t x = arith_add(a, 1 << 28);
    int32_t x2 = arith_high_mul(x, x);
    int32_t x3 = arith_high_mul(x2, x);
    int32_t x4_over_4 = arith_shift_right(arith_high_mul(x2, x2), 2);
    int32_t sum = arith_add(arith_high_mul(arith_add(x4_over_4, x3), third), x2);

    sum = arith_add(x, arith_shift_right(sum, 1));
    return arith_add(exp_minus_eighth, arith_high_mul(exp_minus_eighth, sum));
}

int32_t quant_exp_on_negative(int32_t a, int integer_bits)
{
    /* exp(-2^k) for k = -2..4, Q0.31. */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    int fraction_bits = 31 - integer_bits;
    int32_t quarter = (int32_t)(1u << (fraction_bits - 2));
    int32_t part = (a & (quarter - 1)) - quarter;
    int32_t scaled = integer_bits ? arith_shift_left_saturate(part, integer_bits) : part;
    int32_t result = exp_near_zero(scaled);
    uint32_t rest = (uint32_t)part - (uint32_t)a;

    for (int k = -2; k < integer_bits && k <= 4; k++) {
        if (rest & (1u << (fraction_bits + k)))
            result = arith_high_mul(result, factors[k + 2]);
    }
    return a == 0 ? INT32_MAX : result;
}

int32_t quant_one_over_one_plus(int32_t x)
{
    return arith_shift_left_saturate(arith_reciprocal_of_half_sum(x), 1);
}

int32_t quant_logistic(int32_t a, int integer_bits)
{
    int32_t minus = a > 0 ? -a : a;

    if (a == 0)
        return 1 << 30;
    int32_t positive = quant_one_over_one_plus(quant_exp_on_negative(minus, integer_bits));
    return a > 0 ? positive : arith_add(INT32_MAX, -positive);
}

int32_t quant_tanh(int32_t a, int integer_bits)
{
    int32_t minus = a > 0 ? -a : a;

    if (a == 0)
        return 0;
    /* ExactMulByPot<1>: the same bits with one more integer bit. */
    int32_t e = quant_exp_on_negative(minus, integer_bits + 1);
    int32_t t =
        arith_shift_left_saturate(arith_add(arith_reciprocal_of_half_sum(e), -(1 << 29)), 2);
    return a < 0 ? -t : t;
}
