"""Operators that combine many values into one."""

from .common import LIMITS, strides
from .fixed import clamp, multiply, quantize_multiplier, truncating_divide, wrap32
from .shape import axis_blocks, offsets


def groups(call):
    """For every output element the values that are reduced into it; and how many those are."""
    inp = call.tensor(0)
    axes = {a % len(inp.shape) for a in call.input(1)}
    steps = strides(inp.shape)
    outer = offsets((n, s) for d, (n, s) in enumerate(zip(inp.shape, steps)) if d not in axes)
    inner = offsets((n, s) for d, (n, s) in enumerate(zip(inp.shape, steps)) if d in axes)
    data = call.input(0)
    return [[data[i + j] for j in inner] for i in outer], len(inner)


def mean(call):
    """1/count is folded into the multiplier, which loses bits: the divisor's power of two is kept."""
    inp, out = call.tensor(0), call.output()
    significand, shift = quantize_multiplier(inp.scale / out.scale)
    values, count = groups(call)
    left = min(count.bit_length() - 1, 32, 31 + shift)
    significand = wrap32((significand << left) // count)
    low, high = LIMITS[out.type]
    return [[clamp(multiply(sum(v) - inp.zero_point * count, significand, shift - left)
                   + out.zero_point, low, high) for v in values]]


def reduce_max(call):
    return [[max(v) for v in groups(call)[0]]]


def arg_max(call):
    """The first of equal values."""
    inp = call.tensor(0)
    axis = call.input(1)[0] % len(inp.shape)
    before, after = axis_blocks(inp.shape, axis)
    data = call.input(0)
    n = inp.shape[axis]
    result = []
    for b in range(before):
        for a in range(after):
            row = data[b * n * after + a:(b + 1) * n * after:after]
            result.append(row.index(max(row)))
    return [result]


def bilinear_place(value, scale, half, size):
    """Position in 1/1024 pixels and its two neighbours."""
    place = value * scale + (scale // 2 - 512 if half else 0)
    lower = max(truncating_divide(place, 1024), 0)
    return place, lower, min(truncating_divide(place + 1023, 1024), size - 1)


def resize_bilinear(call):
    inp, out = call.tensor(0), call.output()
    align, half = call.option(2, '?'), call.option(3, '?')
    batches, height, width, depth = inp.shape

    def scale(size, out_size):
        if align and out_size > 1:
            return (1024 * (size - 1) + (out_size - 1) // 2) // (out_size - 1)
        return (1024 * size + out_size // 2) // out_size

    rows = [bilinear_place(y, scale(height, out.shape[1]), half, height)
            for y in range(out.shape[1])]
    cols = [bilinear_place(x, scale(width, out.shape[2]), half, width)
            for x in range(out.shape[2])]
    data = call.input(0)
    low, high = LIMITS[out.type]
    result = []
    for b in range(batches):
        for y, y0, y1 in rows:
            down = y - 1024 * y0
            for x, x0, x1 in cols:
                right = x - 1024 * x0
                corners = [((b * height + i) * width + j) * depth for i in (y0, y1)
                           for j in (x0, x1)]
                for c in range(depth):
                    a, p, q, r = (data[k + c] for k in corners)
                    total = ((a * (1024 - right) + p * right) * (1024 - down)
                             + (q * (1024 - right) + r * right) * down)
                    half_unit = 1 << 19 if total > 0 else -(1 << 19)
                    value = truncating_divide(total + half_unit, 1 << 20)
                    result.append((value - low) % (high - low + 1) + low)
    return [result]
