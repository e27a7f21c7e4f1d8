"""Operators of float32 models, in double precision: outputs are rounded to float32 at the end only.

Other implementations round after every operation, so theirs are compared within a tolerance.
"""

import math
from operator import mul

from .common import NONE, RELU, RELU6, RELU_N1_TO_1, Unsupported, broadcast, index_of
from .conv import out_size_and_pad, windows
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


def transpose_conv(call):
    """Every input pixel adds a kernel's worth to the output."""
    weights, inp, out = call.tensor(1), call.tensor(2), call.output()
    w, data = call.input(1), call.input(2)
    channels, kh, kw, depth = weights.shape
    batches, height, width, _ = inp.shape
    stride_x, stride_y = call.option(1, 'i'), call.option(2, 'i')
    pad_y = out_size_and_pad(out.shape[1], kh, stride_y, 1, call.option(0, 'b'))[1]
    pad_x = out_size_and_pad(out.shape[2], kw, stride_x, 1, call.option(0, 'b'))[1]
    acc = (call.input(3) or [0.0] * channels) * (out.size // channels)
    for p in range(batches * height * width):
        b, y, x = p // (height * width), p // width % height, p % width
        for tap in range(kh * kw):
            oy, ox = y * stride_y - pad_y + tap // kw, x * stride_x - pad_x + tap % kw
            if not (0 <= oy < out.shape[1] and 0 <= ox < out.shape[2]):
                continue
            target = ((b * out.shape[1] + oy) * out.shape[2] + ox) * channels
            for c in range(channels):
                acc[target + c] += sum(map(mul, data[p * depth:(p + 1) * depth],
                                           w[(c * kh * kw + tap) * depth:]))
    return clamp(call, 3, acc)


def svdf(call):
    """Filters over time, oldest value first; unlike int8 with its activation."""
    rank, (filters, depth), memory = call.option(0, 'i'), call.tensor(1).shape, call.tensor(2).shape[1]
    data, w, t, state = (call.input(i) for i in (0, 1, 2, 4))
    bias = call.input(3) or [0.0] * (filters // rank)
    result = []
    for b in range(call.tensor(0).shape[0]):
        x, sums = data[b * depth:(b + 1) * depth], list(bias)
        for f in range(filters):
            row = (b * filters + f) * memory
            history = state[row + 1:row + memory] + [sum(map(mul, x, w[f * depth:]))]
            state[row:row + memory] = history
            sums[f // rank] += sum(map(mul, history, t[f * memory:]))
        result += sums
    return clamp(call, 1, result)


def lstm(call):
    """The textbook's: no peepholes, no projection, no layer normalisation."""
    if any(call.has(i) for i in (9, 10, 11, 16, 17)) or call.option(0, 'b') != 4:
        raise Unsupported('LSTM with peepholes, projection or another activation than tanh')
    major, inp = call.option(3, 'b'), call.tensor(0)
    steps, batches = inp.shape[:2] if major else inp.shape[1::-1]
    depth, units, clip = inp.shape[2], call.output().shape[2], call.option(1, 'f') or math.inf
    data, hidden, cell = call.input(0), call.input(18), call.input(19)
    weights = [(call.input(1 + g), call.input(5 + g), call.input(12 + g) or [0.0] * units)
               for g in range(4)]
    result = [0.0] * (steps * batches * units)
    for b in range(batches):
        own = slice(b * units, (b + 1) * units)
        h, c = hidden[own], cell[own]
        for step in range(steps):
            row = step * batches + b if major else b * steps + step
            x = data[row * depth:(row + 1) * depth]
            i, f, g, o = ([bias[u] + sum(map(mul, x, w[u * depth:])) + sum(map(mul, h, r[u * units:]))
                           for u in range(units)] for w, r, bias in weights)
            c = [min(max(logistic(f[u]) * c[u] + logistic(i[u]) * math.tanh(g[u]), -clip), clip)
                 for u in range(units)]
            h = [logistic(o[u]) * math.tanh(c[u]) for u in range(units)]
            result[row * units:(row + 1) * units] = h
        hidden[own], cell[own] = h, c
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
    'SVDF': svdf,
    'TANH': unary(math.tanh),
    'TRANSPOSE_CONV': transpose_conv,
    'UNIDIRECTIONAL_SEQUENCE_LSTM': lstm,
}
