"""Operators of float32 models, in double precision: outputs are rounded to float32 at the end only.

Other implementations round after every operation, so theirs are compared within a tolerance.
"""

import math
from operator import mul

from .common import NONE, RELU, RELU6, RELU_N1_TO_1, Unsupported, broadcast, index_of
from .conv import windows
from .reduce import groups


def clamp(call, number, values):
    """The fused activation."""
    activation = call.option(number, 'b')
    limits = {NONE: (-math.inf, math.inf), RELU: (0.0, math.inf), RELU6: (0.0, 6.0),
              RELU_N1_TO_1: (-1.0, 1.0)}
    if activation not in limits:
        raise Unsupported('fused activation %d' % activation)
    low, high = limits[activation]
    return [[min(max(v, low), high) for v in values]]


def conv_2d(call):
    inp, weights, out = call.tensor(0), call.tensor(1), call.output()
    data, w = call.input(0), call.input(1)
    channels, kh, kw, depth = weights.shape
    per_group = channels // (inp.shape[3] // depth)
    bias = call.input(2) or [0.0] * channels
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    dilation = (call.option(5, 'i', 1), call.option(4, 'i', 1))
    result = []
    for window in windows(inp, out, (kh, kw), stride, dilation, call.option(0, 'b')):
        for c in range(channels):
            acc = bias[c]
            for tap, pixel in window:
                first = pixel * inp.shape[3] + c // per_group * depth
                row = (c * kh * kw + tap) * depth
                acc += sum(map(mul, data[first:first + depth], w[row:row + depth]))
            result.append(acc)
    return clamp(call, 3, result)


def depthwise_conv_2d(call):
    inp, weights, out = call.tensor(0), call.tensor(1), call.output()
    data, w = call.input(0), call.input(1)
    _, kh, kw, channels = weights.shape
    depth = inp.shape[3]
    bias = call.input(2) or [0.0] * channels
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    dilation = (call.option(6, 'i', 1), call.option(5, 'i', 1))
    result = []
    for window in windows(inp, out, (kh, kw), stride, dilation, call.option(0, 'b')):
        result += [bias[c] + sum(data[pixel * depth + c // (channels // depth)]
                                 * w[tap * channels + c] for tap, pixel in window)
                   for c in range(channels)]
    return clamp(call, 4, result)


def fully_connected(call):
    data, w = call.input(0), call.input(1)
    units, depth = call.tensor(1).shape
    bias = call.input(2) or [0.0] * units
    return clamp(call, 0, [bias[c] + sum(map(mul, data[i:i + depth], w[c * depth:]))
                           for i in range(0, len(data), depth) for c in range(units)])


def pooling(call, pick):
    inp, depth = call.tensor(0), call.tensor(0).shape[3]
    data = call.input(0)
    kernel = (call.option(4, 'i'), call.option(3, 'i'))
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    result = []
    for window in windows(inp, call.output(), kernel, stride, (1, 1), call.option(0, 'b')):
        pixels = [data[p * depth:(p + 1) * depth] for _, p in window]
        result += [pick(column) for column in zip(*pixels)]
    return clamp(call, 5, result)


def average_pool_2d(call):
    return pooling(call, lambda column: sum(column) / len(column))


def max_pool_2d(call):
    return pooling(call, max)


def binary(function, activation=True):
    def run(call):
        values = [function(a, b) for a, b in broadcast(call)]
        return clamp(call, 0, values) if activation else [values]
    return run


def unary(function):
    return lambda call: [[function(v) for v in call.input(0)]]


def logistic(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def leaky_relu(call):
    alpha = call.option(0, 'f')
    return [[v if v > 0 else v * alpha for v in call.input(0)]]


def softmax(call):
    beta, depth, data = call.option(0, 'f'), call.tensor(0).shape[-1], call.input(0)
    result = []
    for i in range(0, len(data), depth):
        row = data[i:i + depth]
        powers = [math.exp(beta * (v - max(row))) for v in row]
        result += [p / sum(powers) for p in powers]
    return [result]


def resize_place(value, size, out_size, align, half):
    """Position in pixels and its two neighbours."""
    scale = (size - 1) / (out_size - 1) if align and out_size > 1 else size / out_size
    place = (value + 0.5) * scale - 0.5 if half else value * scale
    return place, max(math.floor(place), 0), min(math.ceil(place), size - 1)


def resize_bilinear(call):
    inp, out, data = call.tensor(0), call.output(), call.input(0)
    align, half = call.option(2, '?'), call.option(3, '?')
    batches, height, width, depth = inp.shape
    rows, cols = ([resize_place(i, inp.shape[axis], out.shape[axis], align, half)
                   for i in range(out.shape[axis])] for axis in (1, 2))
    result = []
    for b in range(batches):
        for y, y0, y1 in rows:
            for x, x0, x1 in cols:
                down, right = y - y0, x - x0
                weights = [(y0, x0, (1 - down) * (1 - right)), (y1, x0, down * (1 - right)),
                           (y0, x1, (1 - down) * right), (y1, x1, down * right)]
                result += [sum(data[((b * height + i) * width + j) * depth + c] * w
                               for i, j, w in weights) for c in range(depth)]
    return [result]


def batch_matmul(call):
    """Broadcast over the leading dimensions; operands may lie transposed."""
    a, b, out = call.tensor(0), call.tensor(1), call.output()
    flip_a, flip_b = call.option(0, 'b'), call.option(1, 'b')
    rows, columns = out.shape[-2:]
    depth = a.shape[-2] if flip_a else a.shape[-1]
    x, y, lead = call.input(0), call.input(1), out.shape[:-2]
    result = []
    for ia, ib in zip(index_of(a.shape[:-2], lead), index_of(b.shape[:-2], lead)):
        left, right = ia * rows * depth, ib * depth * columns
        result += [sum(x[left + (k * rows + i if flip_a else i * depth + k)]
                       * y[right + (j * depth + k if flip_b else k * columns + j)]
                       for k in range(depth)) for i in range(rows) for j in range(columns)]
    return [result]


def mean(call):
    values, count = groups(call)
    return [[sum(v) / count for v in values]]


OPERATORS = {
    'ADD': binary(lambda a, b: a + b),
    'AVERAGE_POOL_2D': average_pool_2d,
    'BATCH_MATMUL': batch_matmul,
    'CONV_2D': conv_2d,
    'DEPTHWISE_CONV_2D': depthwise_conv_2d,
    'ELU': unary(lambda x: x if x > 0 else math.expm1(x)),
    'FULLY_CONNECTED': fully_connected,
    'HARD_SWISH': unary(lambda x: x * min(max(x + 3, 0), 6) / 6),
    'LEAKY_RELU': leaky_relu,
    'LOGISTIC': unary(logistic),
    'MAXIMUM': binary(max, False),
    'MAX_POOL_2D': max_pool_2d,
    'MEAN': mean,
    'MINIMUM': binary(min, False),
    'MUL': binary(lambda a, b: a * b),
    'PRELU': binary(lambda a, b: a if a > 0 else a * b, False),
    'RELU': unary(lambda x: max(x, 0.0)),
    'RELU6': unary(lambda x: min(max(x, 0.0), 6.0)),
    'RESIZE_BILINEAR': resize_bilinear,
    'SOFTMAX': softmax,
    'SUB': binary(lambda a, b: a - b),
    'TANH': unary(math.tanh),
}
