#!/usr/bin/env python3
"""Checks the oracle against real arithmetic: numpy computes each operator in float64 from the
dequantised inputs, and the oracle's output may be off by no more than its roundings can explain.

usage: check_real.py SOURCE_ROOT [COUNT [SEED]]

This finds a wrong axis, stride, padding or sign, which bit-exact comparison of two implementations
by the same reading of a definition would not. Skipped (77) without numpy.
"""

import os
import random
import sys

try:
    import numpy as np
except ImportError:
    print('numpy is not installed (Debian: python3-numpy)')
    sys.exit(77)

TOLERANCE = {  # in steps of the output
    'SOFTMAX': 1.5, 'HARD_SWISH': 2.5, 'LOGISTIC': 1.01, 'TANH': 1.01, 'AVERAGE_POOL_2D': 0.51,
    'RESIZE_BILINEAR': 2.0, 'MEAN': 1.6, 'SVDF': 3.0, 'UNIDIRECTIONAL_SEQUENCE_LSTM': 1.01,
    'PAD': 0, 'PADV2': 0, 'VARIABLES': 1.5,
}


class Case:
    """Real values of an operator's inputs, by position; None where one is left out."""

    def __init__(self, interpreter, values):
        self.graph = interpreter.graph
        self.got = self.real(interpreter.graph.operators[0].outputs[0], values)
        self.op = self.graph.operators[0]
        self.x = [self.real(i, values) for i in self.op.inputs]
        self.out = self.graph.tensors[self.op.outputs[0]]

    def real(self, index, values):
        if index < 0:
            return None
        t = self.graph.tensors[index]
        a = np.array(values[index], dtype=np.float64).reshape(t.shape)
        if not t.scales:
            return a
        scales, zeros = np.array(t.scales), np.array(t.zero_points, dtype=np.float64)
        if len(scales) > 1:
            shape = [1] * len(t.shape)
            shape[t.axis] = len(scales)
            scales, zeros = scales.reshape(shape), zeros.reshape(shape)
        return (a - zeros) * scales

    def option(self, number, fmt, default=0):
        return self.op.option(number, fmt, default)


def activate(y, code):
    return {0: y, 1: np.maximum(y, 0), 3: np.clip(y, 0, 6)}[code]


def pad_image(x, kernel, stride, dilation, padding, value):
    """The image with TensorFlow's padding around it."""
    widths = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:3], kernel, stride, dilation):
        reach = (k - 1) * d + 1
        out = -(-n // s) if padding == 0 else (n - reach) // s + 1
        total = max((out - 1) * s + reach - n, 0)
        widths.append((total // 2, total - total // 2))
    return np.pad(x, widths + [(0, 0)], constant_values=value)


def window_view(x, kernel, stride, dilation):
    """[batch, out_y, out_x, ky, kx, channel]"""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    v = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    v = v[:, ::stride[0], ::stride[1], :, ::dilation[0], ::dilation[1]]
    return np.moveaxis(v, 3, 5)


def strides_of(c):
    return c.option(2, 'i'), c.option(1, 'i')


def conv_2d(c):
    x, w, b = c.x
    groups = x.shape[3] // w.shape[3]
    kernel, stride = w.shape[1:3], strides_of(c)
    dilation = (c.option(5, 'i', 1), c.option(4, 'i', 1))
    v = window_view(pad_image(x, kernel, stride, dilation, c.option(0, 'b'), 0), kernel, stride,
                    dilation)
    parts = [np.einsum('byxijc,oijc->byxo', xs, ws) for xs, ws in
             zip(np.split(v, groups, 5), np.split(w, groups, 0))]
    y = np.concatenate(parts, 3)
    return activate(y if b is None else y + b, c.option(3, 'b'))


def depthwise_conv_2d(c):
    x, w, b = c.x
    kernel, stride = w.shape[1:3], strides_of(c)
    dilation = (c.option(6, 'i', 1), c.option(5, 'i', 1))
    v = window_view(pad_image(x, kernel, stride, dilation, c.option(0, 'b'), 0), kernel, stride,
                    dilation)
    v = np.repeat(v, w.shape[3] // x.shape[3], 5)
    y = np.einsum('byxijc,ijc->byxc', v, w[0])
    return activate(y if b is None else y + b, c.option(4, 'b'))


def transpose_conv(c):
    w, x = c.x[1], c.x[2]
    out = c.out.shape
    stride = strides_of(c)
    full = np.zeros((out[0], (x.shape[1] - 1) * stride[0] + w.shape[1],
                     (x.shape[2] - 1) * stride[1] + w.shape[2], out[3]))
    for y in range(x.shape[1]):
        for k in range(x.shape[2]):
            full[:, y * stride[0]:y * stride[0] + w.shape[1],
                 k * stride[1]:k * stride[1] + w.shape[2], :] += np.einsum(
                     'bc,oijc->bijo', x[:, y, k], w)
    result = np.zeros(out)
    pads = [max((-(-n // s) - 1) * s + k - n, 0) // 2 if c.option(0, 'b') == 0 else 0
            for n, s, k in zip(out[1:3], stride, w.shape[1:3])]
    part = full[:, pads[0]:pads[0] + out[1], pads[1]:pads[1] + out[2]]
    result[:, :part.shape[1], :part.shape[2]] = part
    return result + c.x[3] if len(c.x) > 3 else result


def pooling(c, value, reduce):
    kernel, stride = (c.option(4, 'i'), c.option(3, 'i')), strides_of(c)
    x = pad_image(c.x[0], kernel, stride, (1, 1), c.option(0, 'b'), value)
    return activate(reduce(window_view(x, kernel, stride, (1, 1)), (3, 4)), c.option(5, 'b'))


def fully_connected(c):
    x, w, b = c.x
    y = x.reshape(-1, w.shape[1]) @ w.T
    return activate(y if b is None else y + b, c.option(0, 'b')).reshape(c.out.shape)


def strided_slice(c):
    begin, end, step = (v.astype(int) for v in c.x[1:4])
    index = []
    for d in range(len(begin)):
        bit = [c.option(i, 'i') >> d & 1 for i in (0, 1, 4)]
        index.append(int(begin[d]) if bit[2] else slice(None if bit[0] else begin[d],
                                                        None if bit[1] else end[d], step[d]))
    return c.x[0][tuple(index)]


def resize(c, first_field):
    """Bilinear by TensorFlow's definition of the source position."""
    align, half = c.option(first_field, 'b'), c.option(first_field + 1, 'b')
    y = c.x[0]
    for axis in (1, 2):
        n, m = y.shape[axis], c.out.shape[axis]
        scale = (n - 1) / (m - 1) if align and m > 1 else n / m
        place = (np.arange(m) + 0.5) * scale - 0.5 if half else np.arange(m) * scale
        low = np.maximum(np.floor(place), 0).astype(int)
        high = np.minimum(np.ceil(np.maximum(place, 0)), n - 1).astype(int)
        part = np.clip(place - low, 0, 1).reshape([-1 if i == axis else 1 for i in range(4)])
        y = np.take(y, low, axis) * (1 - part) + np.take(y, high, axis) * part
    return y


def softmax(c):
    e = np.exp(c.option(0, 'f') * (c.x[0] - c.x[0].max(-1, keepdims=True)))
    return e / e.sum(-1, keepdims=True)


def axes(c):
    return tuple(int(a) for a in np.atleast_1d(c.x[1]))


def concatenate(c):
    return np.concatenate(c.x, c.option(0, 'i'))


def split_points(c):
    n = c.x[0].shape[int(c.x[2])]
    sizes = [int(s) for s in c.x[1]]
    sizes = [n - sum(sizes) - 1 if s < 0 else s for s in sizes]
    return np.cumsum(sizes)[:-1]


def slice_op(c):
    begin, size = (v.astype(int) for v in c.x[1:3])
    return c.x[0][tuple(slice(b, None if n < 0 else b + n) for b, n in zip(begin, size))]


def mirror(c):
    return np.pad(c.x[0], c.x[1].astype(int), 'symmetric' if c.option(0, 'b') else 'reflect')


def matmul(c):
    a = np.swapaxes(c.x[0], -1, -2) if c.option(0, 'b') else c.x[0]
    b = np.swapaxes(c.x[1], -1, -2) if c.option(1, 'b') else c.x[1]
    return a @ b


REAL = {
    'ADD': lambda c: activate(c.x[0] + c.x[1], c.option(0, 'b')),
    'ARG_MAX': lambda c: np.argmax(c.x[0], int(c.x[1])),
    'AVERAGE_POOL_2D': lambda c: pooling(c, np.nan, np.nanmean),
    'BATCH_MATMUL': matmul,
    'CONCATENATION': concatenate,
    'CONV_2D': conv_2d,
    'DEPTHWISE_CONV_2D': depthwise_conv_2d,
    'DEQUANTIZE': lambda c: c.x[0],
    'ELU': lambda c: np.where(c.x[0] < 0, np.expm1(np.minimum(c.x[0], 0)), c.x[0]),
    'EXPAND_DIMS': lambda c: np.expand_dims(c.x[0], int(c.x[1])),
    'FULLY_CONNECTED': fully_connected,
    'GATHER': lambda c: np.take(c.x[0], c.x[1].astype(int), c.option(0, 'i')),
    'HARD_SWISH': lambda c: c.x[0] * np.clip(c.x[0] + 3, 0, 6) / 6,
    'LEAKY_RELU': lambda c: np.where(c.x[0] < 0, c.option(0, 'f') * c.x[0], c.x[0]),
    'LOGISTIC': lambda c: 1 / (1 + np.exp(-c.x[0])),
    'MAXIMUM': lambda c: np.maximum(c.x[0], c.x[1]),
    'MAX_POOL_2D': lambda c: pooling(c, -np.inf, np.max),
    'MEAN': lambda c: c.x[0].mean(axes(c), keepdims=bool(c.option(0, 'b'))),
    'MINIMUM': lambda c: np.minimum(c.x[0], c.x[1]),
    'MIRROR_PAD': mirror,
    'MUL': lambda c: activate(c.x[0] * c.x[1], c.option(0, 'b')),
    'PACK': lambda c: np.stack(c.x, c.option(1, 'i')),
    'PAD': lambda c: np.pad(c.x[0], c.x[1].astype(int)),
    'PADV2': lambda c: np.pad(c.x[0], c.x[1].astype(int), constant_values=c.x[2].item()),
    'PRELU': lambda c: np.where(c.x[0] < 0, c.x[0] * c.x[1], c.x[0]),
    'QUANTIZE': lambda c: c.x[0],
    'REDUCE_MAX': lambda c: c.x[0].max(axes(c), keepdims=bool(c.option(0, 'b'))),
    'RELU': lambda c: np.maximum(c.x[0], 0),
    'RELU6': lambda c: np.clip(c.x[0], 0, 6),
    'RESHAPE': lambda c: c.x[0].reshape(c.out.shape),
    'RESIZE_BILINEAR': lambda c: resize(c, 2),
    'SLICE': slice_op,
    'SOFTMAX': softmax,
    'SPLIT': lambda c: np.split(c.x[1], c.option(0, 'i'), int(c.x[0])),
    'SPLIT_V': lambda c: np.split(c.x[0], split_points(c), int(c.x[2])),
    'SQUEEZE': lambda c: c.x[0].reshape(c.out.shape),
    'STRIDED_SLICE': strided_slice,
    'SUB': lambda c: activate(c.x[0] - c.x[1], c.option(0, 'b')),
    'TANH': lambda c: np.tanh(c.x[0]),
    'TRANSPOSE': lambda c: np.transpose(c.x[0], c.x[1].astype(int)),
    'TRANSPOSE_CONV': transpose_conv,
    'UNPACK': lambda c: [np.squeeze(p, c.option(1, 'i')) for p in
                         np.split(c.x[0], c.option(0, 'i'), c.option(1, 'i'))],
}


def bound8(x):
    """Gates have int16 with 12 bits of fraction."""
    return np.clip(x, -8, 8)


class Memory:
    """Operators with state, computed over the rounds of one case."""

    def svdf(self, c):
        x, feature, time, b, _ = c.x
        n, memory = time.shape
        state = getattr(self, 'state', np.zeros((n, memory)))
        self.state = np.concatenate([state[:, 1:], (feature @ x[0])[:, None]], 1)
        t = c.graph.tensors[c.op.inputs[4]]
        low, high = (-128, 127) if t.type == 'INT8' else (-32768, 32767)
        self.state[:, -1] = np.clip(self.state[:, -1], (low - t.zero_point) * t.scale,
                                    (high - t.zero_point) * t.scale)
        y = (self.state * time).sum(1).reshape(-1, c.option(0, 'i')).sum(1)
        return (y + b)[None]

    def unidirectional_sequence_lstm(self, c):
        """Goes on from the oracle's own hidden state: a recurrence magnifies its rounding."""
        got = c.got if c.option(3, 'b') else np.swapaxes(c.got, 0, 1)
        x = c.x[0] if c.option(3, 'b') else np.swapaxes(c.x[0], 0, 1)
        h, s = getattr(self, 'state', (np.zeros(c.x[18].shape), np.zeros(c.x[19].shape)))
        cell, clip = c.graph.tensors[c.op.inputs[19]].scale, c.option(1, 'f')
        bound = min(clip, 32767 * cell) if clip else 32767 * cell
        out = []
        for t, step in enumerate(x):
            z = [bound8(bound8(step @ c.x[1 + g].T + c.x[12 + g]) + bound8(h @ c.x[5 + g].T))
                 for g in range(4)]
            i, f, o = (1 / (1 + np.exp(-z[g])) for g in (0, 1, 3))
            s = np.clip(f * s + i * np.tanh(z[2]), -bound, bound)
            h = np.clip(o * np.tanh(s), -128 * c.out.scale + -c.out.zero_point * c.out.scale,
                        (127 - c.out.zero_point) * c.out.scale)
            out.append(h)
            h = got[t]
        self.state = h, s
        y = np.stack(out)
        return y if c.option(3, 'b') else np.swapaxes(y, 0, 1)


def compare(name, case, made, interpreter, reference):
    """Largest error over all rounds and outputs, in output steps beyond the tolerance."""
    graph = interpreter.graph
    interpreter.reset()
    memory = Memory()
    worst = 0.0
    size = len(made.input) // case.rounds
    for r in range(case.rounds):
        raw = made.input[r * size:(r + 1) * size]
        values = interpreter.run(reference.split_inputs(graph, raw))
        c = Case(interpreter, values)
        op = c.op.name
        function = REAL.get(op) or getattr(memory, op.lower())
        with np.errstate(all='ignore'):
            expected = function(c)
        expected = expected if isinstance(expected, list) else [expected]
        for index, real in zip(c.op.outputs, expected):
            worst = max(worst, error(graph.tensors[index], values[index], real))
    return worst


def error(t, got, real):
    got = np.array(got, dtype=np.float64)
    if list(np.shape(real)) != list(t.shape):
        return np.inf
    real = np.asarray(real, dtype=np.float64).reshape(-1)
    if not t.scales:
        return np.abs(got - real).max() / max(1, np.abs(real).max() * 1e-6)
    low, high = {'INT8': (-128, 127), 'UINT8': (0, 255), 'INT16': (-32768, 32767),
                 'INT32': (-2**31, 2**31 - 1)}[t.type]
    wanted = np.clip(real / t.scale + t.zero_point, low, high)
    return np.abs(got - wanted).max()


def main():
    root = sys.argv[1]
    count, seed = (sys.argv[2:] + ['25', '1'])[:2] if len(sys.argv) < 4 else sys.argv[2:4]
    sys.path.insert(0, os.path.join(root, 'suites', 'models'))
    import reference
    from oracle import generate
    bad = total = 0
    for name in sorted(set(generate.CASES) - {'CAST', 'RESIZE_NEAREST_NEIGHBOR', 'VARIABLES',
                                                'VARIABLES_ONCE'}):
        worst = 0.0
        for number in range(int(count)):
            label = '%s-%s-%d' % (name, seed, number)
            case, made = generate.draw(name, random.Random(label))
            interpreter = reference.Interpreter(made.model)
            off = compare(name, case, made, interpreter, reference)
            op = interpreter.graph.operators[0].name
            out = interpreter.graph.tensors[interpreter.graph.outputs[0]]
            slack = TOLERANCE.get(op, 1.01) * (4 if out.type == 'INT16' else 1)
            total += 1
            worst = max(worst, off)
            if off > slack:
                print('%s: off by %g steps' % (label, off))
                bad += 1
        print('%-30s %.2f' % (name, worst))
    print('%d cases, %d wrong' % (total, bad))
    return 1 if bad or not total else 0


if __name__ == '__main__':
    sys.exit(main())
