"""Operators on pairs of values, and conversions between number formats."""

from .common import LIMITS, Unsupported, activation_range, broadcast, index_of
from .fixed import (clamp, float32, multiply, multiply64, quantize_multiplier, round_away)


def rescaled_sum(call, sign, factors):
    """Inputs go to a common scale with some more bits, are added, and go to the output's scale."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    factor_a, factor_b, factor_out, left = factors
    low, high = activation_range(call.option(0, 'b'), out)
    result = []
    for x, y in broadcast(call):
        x = multiply((x - a.zero_point) << left, *factor_a)
        y = multiply((y - b.zero_point) << left, *factor_b)
        result.append(clamp(multiply(x + sign * y, *factor_out) + out.zero_point, low, high))
    return [result]


def shift_for(out):
    return 15 if out.type == 'INT16' else 20


def add(call):
    """All factors from doubles of the float32 scales."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    left = shift_for(out)
    twice = 2.0 * max(a.scale, b.scale)
    return rescaled_sum(call, 1, (quantize_multiplier(a.scale / twice),
                                  quantize_multiplier(b.scale / twice),
                                  quantize_multiplier(twice / ((1 << left) * out.scale)), left))


def sub(call):
    """As ADD, but TensorFlow Lite computes SUB's factors in float32."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    left = shift_for(out)
    twice = float32(2.0 * max(a.scale, b.scale))
    real_out = float32(twice / float32((1 << left) * out.scale))
    return rescaled_sum(call, -1, (quantize_multiplier(float32(a.scale / twice)),
                                   quantize_multiplier(float32(b.scale / twice)),
                                   quantize_multiplier(real_out), left))


def mul(call):
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    factor = quantize_multiplier(a.scale * b.scale / out.scale)
    low, high = activation_range(call.option(0, 'b'), out)
    return [[clamp(multiply((x - a.zero_point) * (y - b.zero_point), *factor) + out.zero_point,
                   low, high) for x, y in broadcast(call)]]


def maximum(call):
    """On the raw values: both inputs and the output have one quantisation."""
    return [[max(x, y) for x, y in broadcast(call)]]


def minimum(call):
    return [[min(x, y) for x, y in broadcast(call)]]


def prelu(call):
    inp, alpha, out = call.tensor(0), call.tensor(1), call.output()
    positive = quantize_multiplier(inp.scale / out.scale)
    negative = quantize_multiplier(inp.scale * alpha.scale / out.scale)
    low, high = LIMITS[out.type]
    result = []
    for x, a in broadcast(call):
        x -= inp.zero_point
        if x >= 0:
            y = multiply(x, *positive)
        else:
            y = multiply(x * (a - alpha.zero_point), *negative)
        result.append(clamp(y + out.zero_point, low, high))
    return [result]


def quantize(call):
    inp, out = call.tensor(0), call.output()
    low, high = LIMITS[out.type]
    if inp.type == 'FLOAT32':
        return [[clamp(round_away(float32(v / out.scale)) + out.zero_point, low, high)
                 for v in call.input(0)]]
    factor = quantize_multiplier(inp.scale / out.scale)
    return [[clamp(multiply(v - inp.zero_point, *factor) + out.zero_point, low, high)
             for v in call.input(0)]]


def dequantize(call):
    inp = call.tensor(0)
    return [[float32(inp.scale * float32(v - inp.zero_point)) for v in call.input(0)]]


def cast(call):
    """C's conversion: integers wrap, reals lose their fraction."""
    inp, out = call.tensor(0), call.output()
    if out.type == 'FLOAT32':
        return [[float32(v) for v in call.input(0)]]
    if out.type == 'BOOL':
        return [[bool(v) for v in call.input(0)]]
    low, high = LIMITS[out.type]
    span = high - low + 1
    result = []
    for v in call.input(0):
        v = int(v)
        if inp.type == 'FLOAT32' and not low <= v <= high:
            raise Unsupported('cast of %r to %s is undefined in C' % (v, out.type))
        result.append((v - low) % span + low)
    return [result]


def batch_matmul(call):
    """Broadcast over the leading dimensions; the scales are multiplied in float32 first."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    adj_x, adj_y = call.option(0, 'b'), call.option(1, 'b')
    factor = quantize_multiplier(float32(a.scale * b.scale) / out.scale)
    low, high = LIMITS[out.type]
    x = [v - a.zero_point for v in call.input(0)]
    y = [v - b.zero_point for v in call.input(1)]
    rows, columns = out.shape[-2], out.shape[-1]
    depth = a.shape[-2] if adj_x else a.shape[-1]
    lead = out.shape[:-2]
    scale = multiply64 if a.type == 'INT16' else multiply
    result = []
    for ia, ib in zip(index_of(a.shape[:-2], lead), index_of(b.shape[:-2], lead)):
        left, right = x[ia * rows * depth:], y[ib * depth * columns:]
        for i in range(rows):
            row = left[i:rows * depth:rows] if adj_x else left[i * depth:(i + 1) * depth]
            for j in range(columns):
                col = (right[j * depth:(j + 1) * depth] if adj_y
                       else right[j:depth * columns:columns])
                acc = sum(p * q for p, q in zip(row, col))
                result.append(clamp(scale(acc, *factor) + out.zero_point, low, high))
    return [result]
