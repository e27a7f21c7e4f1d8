"""Element-wise operators, softmax and number formats."""

from .common import LIMITS, Unsupported, activation_range
from .fixed import (clamp, exp_on_negative_values, float32, high_mul, multiply, quantize_multiplier,
                    reciprocal, round_away, rounding_shift)


def broadcast(call):
    """The two inputs' values, pairwise, in the output's order."""
    out = call.output().shape
    pairs = []
    for i in (0, 1):
        shape = [1] * (len(out) - len(call.tensor(i).shape)) + list(call.tensor(i).shape)
        index = [0]
        step = 1
        for d, n in reversed(list(zip(shape, out))):
            index = [k * step + j if d > 1 else j for k in range(n) for j in index]
            step *= d
        data = call.input(i)
        pairs.append([data[j] for j in index])
    return zip(*pairs)


def add(call):
    return add_or_sub(call, 1)


def add_or_sub(call, sign):
    """Both inputs go to twice the larger scale with 20 (int16: 15) more bits, then to the output."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    left = 20 if out.type == 'INT8' else 15
    twice = 2.0 * max(a.scale, b.scale)
    factor_a = quantize_multiplier(a.scale / twice)
    factor_b = quantize_multiplier(b.scale / twice)
    factor_out = quantize_multiplier(twice / ((1 << left) * out.scale))
    low, high = activation_range(call.option(0, 'b'), out)
    result = []
    for x, y in broadcast(call):
        x = multiply((x - a.zero_point) << left, *factor_a)
        y = multiply((y - b.zero_point) << left, *factor_b)
        result.append(clamp(multiply(x + sign * y, *factor_out) + out.zero_point, low, high))
    return [result]


def relu(call, limit=None):
    """RELU and RELU6 as operators of their own rescale from the input's to the output's scale."""
    inp, out = call.tensor(0), call.output()
    factor = quantize_multiplier(inp.scale / out.scale)
    low, high = LIMITS[out.type]
    low = max(low, out.zero_point + round_away(float32(0.0 / out.scale)))
    if limit:
        high = min(high, out.zero_point + round_away(float32(limit / out.scale)))
    return [[clamp(out.zero_point + multiply(v - inp.zero_point, *factor), low, high)
             for v in call.input(0)]]


def softmax(call):
    inp, out = call.tensor(0), call.output()
    if inp.type != 'INT8':
        raise Unsupported('softmax of ' + inp.type)
    depth = inp.shape[-1]
    data = call.input(0)
    beta = call.option(0, 'f')
    real = min(beta * inp.scale * (1 << 26), (1 << 31) - 1.0)
    significand, shift = quantize_multiplier(real)
    radius = 31 * (1 << 26) // (1 << shift)  # differences beyond it count as zero
    low, high = LIMITS[out.type]
    bits = {'INT8': 8, 'INT16': 16}[out.type]
    result = []
    for row in range(0, len(data), depth):
        top = max(data[row:row + depth])
        exps = []
        for v in data[row:row + depth]:
            if v - top < -radius:
                exps.append(None)
                continue
            exps.append(exp_on_negative_values(multiply(v - top, significand, shift), 5))
        total = sum(rounding_shift(e, 12) for e in exps if e is not None)
        scale, over_unit = reciprocal(total, 12)
        for e in exps:
            value = low
            if e is not None:
                value += rounding_shift(high_mul(scale, e), over_unit + 31 - bits)
            result.append(clamp(value, low, high))
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
    return [[float32(inp.scale * (v - inp.zero_point)) for v in call.input(0)]]
