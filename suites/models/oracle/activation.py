"""Operators on one value at a time, and softmax."""

import functools
import math

from .common import LIMITS, Unsupported
from .fixed import (clamp, exp_on_negative_values, float32, high_mul, high_mul16, logistic, multiply,
                    quantize_multiplier, reciprocal, round_away, rounding_shift, tanh,
                    truncating_divide)


def relu(call):
    """As an operator of its own RELU rescales, by a factor that is computed in float32."""
    inp, out = call.tensor(0), call.output()
    factor = quantize_multiplier(float32(inp.scale / out.scale))
    low, high = LIMITS[out.type]
    low = max(low, out.zero_point)
    return [[clamp(out.zero_point + multiply(v - inp.zero_point, *factor), low, high)
             for v in call.input(0)]]


def relu6(call):
    """Clamps raw values: TensorFlow Lite Micro takes one quantisation for granted."""
    inp, out = call.tensor(0), call.output()
    if (inp.scale, inp.zero_point) != (out.scale, out.zero_point):
        raise Unsupported('RELU6 between two quantisations')
    low, high = LIMITS[out.type]
    six = clamp(round_away(float32(6.0 / inp.scale)) + inp.zero_point, low, high)
    return [[clamp(v, inp.zero_point, six) for v in call.input(0)]]


def leaky_relu(call):
    """The factors are computed in float32."""
    inp, out = call.tensor(0), call.output()
    alpha = call.option(0, 'f')
    slope = quantize_multiplier(float32(float32(inp.scale * alpha) / out.scale))
    identity = quantize_multiplier(float32(inp.scale / out.scale))
    low, high = LIMITS[out.type]
    result = []
    for v in call.input(0):
        v -= inp.zero_point
        y = multiply(v, *(identity if v >= 0 else slope))
        result.append(clamp(y + out.zero_point, low, high))
    return [result]


def elu(call):
    """A table over the 256 inputs, computed in float32."""
    inp, out = call.tensor(0), call.output()
    if inp.type != 'INT8':
        raise Unsupported('ELU of ' + inp.type)
    inverse = float32(1.0 / out.scale)
    table = {}
    for v in range(-128, 128):
        x = float32(inp.scale * (v - inp.zero_point))
        y = float32(float32(math.exp(x)) - 1.0) if x < 0 else x
        table[v] = clamp(round_away(float32(y * inverse)) + out.zero_point, -128, 127)
    return [[table[v] for v in call.input(0)]]


def q4_input(inp):
    """Factor to Q4.27 and the radius outside which the function has saturated."""
    fraction, shift = math.frexp(inp.scale * (1 << 27))
    radius = (15 << 27) >> shift if shift >= 0 else (15 << 27) << -shift
    return round_away(fraction * (1 << 31)), shift, radius


def saturating_curve(call, curve, bits, offset):
    inp = call.tensor(0)
    significand, shift, radius = q4_input(inp)
    result = []
    for v in call.input(0):
        v -= inp.zero_point
        if v <= -radius:
            result.append(-128)
        elif v >= radius:
            result.append(127)
        else:
            y = curve(multiply(v, significand, shift), 4)
            result.append(clamp(rounding_shift(y, 31 - bits) + offset, -128, 127))
    return [result]


@functools.lru_cache(None)
def sigmoid_table():
    """65536 / (1 + exp(-i / 24)), moved by half the error of interpolating up to the next entry."""
    def curve(x):
        return 65536 / (1 + math.exp(-x / 24))

    table = [round_away(curve(i) + (curve(i + 0.5) - (curve(i) + curve(i + 1)) / 2) / 2)
             for i in range(255)]
    return table + [65535]


def table_input(v, multiplier, shift):
    rounding = 1 << (shift - 1) if shift > 0 else 0
    return (v * multiplier + rounding) >> shift


def interpolate(magnitude, bits):
    index = magnitude >> bits
    table = sigmoid_table()
    return (table[index] << bits) + (magnitude & ((1 << bits) - 1)) * (table[index + 1] - table[index])


def logistic16(v, multiplier, shift):
    """Q0.15 sigmoid of v * multiplier / 2**shift, which counts 1/(3 * 4096)."""
    x = table_input(v, multiplier, shift)
    y = 0x7FFF << 10 if abs(x) >> 9 >= 255 else interpolate(abs(x), 9)
    return (y + (1 << 9) if x >= 0 else (1 << 25) - y + (1 << 9) - 1) >> 10


def tanh16(v, multiplier, shift):
    """2 sigmoid(2x) - 1 from the same table."""
    x = table_input(v, multiplier, shift)
    y = 0xFFFF << 8 if abs(x) >> 8 >= 255 else interpolate(abs(x), 8)
    return (y - (1 << 23) + (1 << 7) if x >= 0 else -y + (1 << 23) + (1 << 7) - 1) >> 8


def table_factor(scale, power_of_two_shifts):
    """Multiplier and shift that bring an int16 input to 1/(3 * 4096)."""
    log2 = math.log2(scale)
    if abs(log2 - round(log2)) < 1e-3 and 12 + round(log2) in power_of_two_shifts:
        return 3 << (12 + round(log2)), 0
    real, shift = scale * 4096.0 * 3.0, 0
    while real <= 32767.0 / 2.0 and shift <= 30:
        real *= 2.0
        shift += 1
    return int(real), shift


def logistic_op(call):
    inp = call.tensor(0)
    if inp.type == 'INT16':
        factor = table_factor(inp.scale, (0,))
        return [[logistic16(v, *factor) for v in call.input(0)]]
    return saturating_curve(call, logistic, 8, -128)


def tanh_op(call):
    inp = call.tensor(0)
    if inp.type == 'INT16':
        factor = table_factor(inp.scale, (0, 1))
        return [[tanh16(v, *factor) for v in call.input(0)]]
    return saturating_curve(call, tanh, 7, 0)


def to_int16(significand):
    """DownScaleInt32ToInt16Multiplier"""
    if significand >= (1 << 31) - 1 - (1 << 15):
        return 32767
    return (significand + (1 << 15)) >> 16


def hard_swish(call):
    """x * relu6(x + 3) / 6 in 16-bit fixed point, rounded as TensorFlow Lite rounds it."""
    inp, out = call.tensor(0), call.output()
    hires = float32(inp.scale / 128)
    out_significand, out_shift = quantize_multiplier(float32(hires / out.scale))
    relu_scale = float32(3.0 / 32768.0)
    relu_significand, relu_shift = quantize_multiplier(float32(hires / relu_scale))
    if out_shift > 0:
        raise Unsupported('HARD_SWISH to a much smaller scale')
    result = []
    for v in call.input(0):
        x = (v - inp.zero_point) << 7
        on_output = high_mul16(x, to_int16(out_significand))
        ramp = x
        if relu_shift > 0:
            ramp = clamp(ramp << (relu_shift - 1), -32768, 32767)
        ramp = high_mul16(ramp, to_int16(relu_significand))
        if relu_shift > 0:
            ramp = clamp(ramp << 1, -32768, 32767)
        if relu_shift < 0:
            ramp = rounding_shift(ramp, -relu_shift)
        ramp = (ramp + (1 << 15)) >> 1  # from [-1, 1] to [0, 1]
        product = truncating_divide(ramp * on_output, 1 << 15)
        result.append(clamp(rounding_shift(product, -out_shift) + out.zero_point, -128, 127))
    return [result]


def softmax(call):
    inp, out = call.tensor(0), call.output()
    if inp.type != 'INT8':
        raise Unsupported('softmax of ' + inp.type)
    depth = inp.shape[-1]
    data = call.input(0)
    real = min(call.option(0, 'f') * inp.scale * (1 << 26), (1 << 31) - 1.0)
    significand, shift = quantize_multiplier(real)
    radius = (31 << 26) >> shift  # differences beyond it count as zero
    low, high = LIMITS[out.type]
    bits = {'INT8': 8, 'INT16': 16}[out.type]
    result = []
    for row in range(0, len(data), depth):
        top = max(data[row:row + depth])
        exps = [exp_on_negative_values(multiply(v - top, significand, shift), 5)
                if v - top >= -radius else None for v in data[row:row + depth]]
        total = sum(rounding_shift(e, 12) for e in exps if e is not None)
        scale, over_unit = reciprocal(total, 12)
        for e in exps:
            value = low
            if e is not None:
                value += rounding_shift(high_mul(scale, e), over_unit + 31 - bits)
            result.append(clamp(value, low, high))
    return [result]
