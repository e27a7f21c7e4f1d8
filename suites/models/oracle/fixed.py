"""Fixed-point arithmetic of TensorFlow Lite's integer kernels.

Definitions: gemmlowp's fixedpoint.h (rounding, exp, reciprocal) and TensorFlow Lite's
quantization_util / MultiplyByQuantizedMultiplier with double rounding, which is what TensorFlow
Lite Micro is built with unless told otherwise.
"""

import math
import struct

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1


def float32(x):
    """x rounded to the nearest float32 (ties to even), as a Python float."""
    return struct.unpack('<f', struct.pack('<f', x))[0]


def round_away(x):
    """Nearest integer, halves away from zero: C's round()."""
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1) if abs(x) < 2**52 else int(x)


def clamp(x, low, high):
    return low if x < low else high if x > high else x


def wrap32(x):
    """Two's complement, as int32 arithmetic wraps."""
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


class Undefined(Exception):
    """The published kernel would overflow an int32: undefined in C, so no output is right."""


def int32(x):
    if not INT32_MIN <= x <= INT32_MAX:
        raise Undefined('%d does not fit into 32 bits' % x)
    return x


def truncating_divide(a, b):
    """C's integer division, b > 0."""
    return a // b if a >= 0 else -(-a // b)


def high_mul(a, b):
    """SaturatingRoundingDoublingHighMul: (2ab) / 2**32, halves away from minus infinity."""
    if a == b == INT32_MIN:
        return INT32_MAX
    product = a * b
    nudge = (1 << 30) if product >= 0 else 1 - (1 << 30)
    return truncating_divide(product + nudge, 1 << 31)


def high_mul16(a, b):
    """The same for int16."""
    if a == b == -32768:
        return 32767
    product = a * b
    return truncating_divide(product + ((1 << 14) if product >= 0 else 1 - (1 << 14)), 1 << 15)


def rounding_shift(x, exponent):
    """RoundingDivideByPOT: x / 2**exponent, halves away from zero."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def saturating_shift(x, exponent):
    """SaturatingRoundingMultiplyByPOT: x * 2**exponent in int32."""
    if exponent < 0:
        return rounding_shift(x, -exponent)
    return clamp(x << exponent, INT32_MIN, INT32_MAX)


def quantize_multiplier(real):
    """A real factor as (31-bit significand, exponent); QuantizeMultiplier."""
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    significand = round_away(fraction * (1 << 31))
    if significand == 1 << 31:
        significand //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return significand, shift


def multiply(x, multiplier, shift):
    """MultiplyByQuantizedMultiplier for int32 accumulators: two roundings."""
    left = shift if shift > 0 else 0
    right = 0 if shift > 0 else -shift
    return rounding_shift(high_mul(int32(x << left), multiplier), right)


def multiply64(x, multiplier, shift):
    """MultiplyByQuantizedMultiplier for int64 accumulators: a 15-bit factor, one rounding."""
    reduced = (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
    total = 15 - shift
    return int32((x * reduced + (1 << (total - 1))) >> total)


def exp_on_negative_values(a, integer_bits):
    """gemmlowp's exp of a <= 0 given in Q(integer_bits).(31 - integer_bits); result in Q0.31."""
    fractional_bits = 31 - integer_bits
    if a == 0:
        return INT32_MAX
    quarter = 1 << (fractional_bits - 2)
    mod = (a & (quarter - 1)) - quarter
    result = exp_on_quarter(saturating_shift(mod, integer_bits))
    remainder = mod - a
    for exponent, factor in ((-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308),
                             (2, 39332535), (3, 720401), (4, 242)):
        if integer_bits > exponent and remainder & (1 << (fractional_bits + exponent)):
            result = high_mul(result, factor)
    if integer_bits > 5 and a < -(1 << (fractional_bits + 5)):
        result = 0
    return result


def exp_on_quarter(a):
    """exp of a in [-1/4, 0), both Q0.31: four terms of the Taylor series around -1/8."""
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4 = high_mul(x2, x2)
    inner = rounding_shift(high_mul(rounding_shift(x4, 2) + x3, 715827883) + x2, 1)
    return 1895147668 + high_mul(1895147668, x + inner)


def half_sum(a, b):
    """RoundingHalfSum: (a + b) / 2, halves away from zero."""
    total = a + b
    return truncating_divide(total + (1 if total >= 0 else -1), 2)


def one_over_one_plus_x(a):
    """1 / (1 + a) for a in [0, 1), Q0.31: three Newton-Raphson steps."""
    half_denominator = half_sum(a, INT32_MAX)
    x = 1515870810 + high_mul(half_denominator, -1010580540)  # 48/17 - 32/17 d, in Q2.29
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x = x + saturating_shift(high_mul(x, error), 2)
    return saturating_shift(x, 1)


def reciprocal(x, integer_bits):
    """(1/x scaled into Q0.31, bits over unit) for x > 0 in Q(integer_bits); GetReciprocal."""
    headroom = 32 - x.bit_length()
    shifted = ((x << headroom) & 0xFFFFFFFF) - (1 << 31)
    return one_over_one_plus_x(shifted), integer_bits - headroom


def logistic(a, integer_bits):
    """1 / (1 + exp(-a)), a in Q(integer_bits), result in Q0.31; gemmlowp's logistic."""
    if a == 0:
        return 1 << 30
    positive = one_over_one_plus_x(exp_on_negative_values(-abs(a), integer_bits))
    return positive if a > 0 else INT32_MAX - positive


def tanh(a, integer_bits):
    """(1 - exp(-2a)) / (1 + exp(-2a)), a in Q(integer_bits), result in Q0.31; gemmlowp's tanh."""
    if a == 0:
        return 0
    e = exp_on_negative_values(-abs(a), integer_bits + 1)  # the same bits read as 2a
    return one_minus_x_over_one_plus_x(e) * (1 if a > 0 else -1)


def one_minus_x_over_one_plus_x(a):
    """(1 - a) / (1 + a) for a in [0, 1), Q0.31: 2 / (1 + a) - 1 with the reciprocal above in Q2.29."""
    half_denominator = half_sum(a, INT32_MAX)
    x = 1515870810 + high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x = x + saturating_shift(high_mul(x, error), 2)
    return saturating_shift(x - (1 << 29), 2)
