"""One operator's random model while it is drawn, and what the generate_*.py share for that."""

import math

from . import build
from .common import LIMITS, SAME, VALID, Unsupported
from .conv import out_size_and_pad
from .fixed import Undefined, float32
from .run import Interpreter

CASES = {}


def generator(function):
    CASES[function.__name__.upper()] = function
    return function


class Made:
    def __init__(self, model, raw_input, output, detail):
        self.model, self.input, self.output, self.detail = model, raw_input, output, detail


class Draft:
    """A model under construction with one operator."""

    def __init__(self, rng):
        self.rng = rng
        self.builder = build.Builder()
        self.inputs, self.outputs = [], []
        self.rounds = 1
        self.spread = 0.0  # of real input values; 0: by the output's scale
        self.low_high = None  # bounds for input values that would overflow the published kernel

    def scale(self, low=-9.0, high=1.0):
        """A float32 scale, its logarithm spread evenly over 2**low .. 2**high."""
        return float32(2.0 ** self.rng.uniform(low, high))

    def zero(self, type_name='INT8'):
        low, high = LIMITS[type_name]
        if type_name in ('INT16', 'INT32'):
            return 0
        return self.rng.choice((low, high, 0 if low < 0 else 128, self.rng.randint(low, high),
                                self.rng.randint(low, high)))

    def values(self, type_name, n):
        low, high = LIMITS[type_name]
        kind = self.rng.randrange(8)
        if kind == 0:
            return [self.rng.choice((low, high)) for _ in range(n)]
        if kind == 1:
            return [self.rng.choice((low, high))] * n
        return [self.rng.randint(low, high) for _ in range(n)]

    def reals(self, n):
        return [float32(self.rng.uniform(-self.spread, self.spread)) for _ in range(n)]

    def quantised(self, shape, type_name='INT8', scale=None, zero=None):
        return self.builder.tensor('t%d' % len(self.builder.tensors), type_name, shape,
                                   [self.scale() if scale is None else scale],
                                   [self.zero(type_name) if zero is None else zero])

    def input(self, shape, type_name='INT8', scale=None, zero=None):
        self.inputs.append(self.quantised(shape, type_name, scale, zero))
        return self.inputs[-1]

    def output(self, shape, type_name='INT8', scale=None, zero=None):
        self.outputs.append(self.quantised(shape, type_name, scale, zero))
        return self.outputs[-1]

    def same_as(self, tensor, shape=None):
        """An output with the type and quantisation of another tensor."""
        _, type_name, own, scales, zeros, _, _, _ = self.builder.tensors[tensor]
        self.outputs.append(self.builder.tensor('t%d' % len(self.builder.tensors), type_name,
                                                own if shape is None else shape, scales, zeros))
        return self.outputs[-1]

    def scale_of(self, tensor):
        return self.builder.tensors[tensor][3][0]

    def constant(self, values, shape=None):
        return self.builder.constant('c%d' % len(self.builder.tensors), values, shape)

    def operator(self, name, inputs, version, options=None):
        self.builder.operator(name, inputs, self.outputs, version, options)

    def dims(self, low, high, most=6):
        return [self.rng.randint(1, most) for _ in range(self.rng.randint(low, high))]

    def activation(self):
        return ('b', self.rng.choice((0, 0, 1, 3)))


def case(name, rng):
    """One case as single_op.py writes it."""
    return draw(name, rng)[1]


def draw(name, rng):
    """Draws until the published kernel is defined for what was drawn: (draft, finished case)."""
    for _ in range(200):
        d = Draft(rng)
        try:
            CASES[name](d)
            model = d.builder.finish(d.inputs, d.outputs)
            interpreter = Interpreter(model)
            raw_input = output = b''
            for _ in range(d.rounds):
                parts = [draw_input(d, interpreter.graph.tensors[i]) for i in d.inputs]
                raw_input += b''.join(parts)
                output += b''.join(interpreter.outputs(parts))
        except (Undefined, Unsupported):
            continue
        shapes = [t.shape for t in interpreter.graph.tensors]
        detail = ' '.join('x'.join(map(str, s)) for s in shapes)
        return d, Made(model, raw_input, output, detail)
    raise RuntimeError('no defined case of %s in 200 attempts' % name)


def draw_input(d, tensor):
    if tensor.type == 'FLOAT32':
        if d.spread:
            return tensor.pack(d.reals(tensor.size))
        spread = 200 * d.scale_of(d.outputs[0]) if d.builder.tensors[d.outputs[0]][3] else 100
        return tensor.pack([float32(d.rng.uniform(-spread, spread)) for _ in range(tensor.size)])
    return tensor.pack(d.values(tensor.type, tensor.size))


# ---- weights ----

def weights(d, shape, axis, channels, type_name='INT8'):
    """Symmetric weights, per channel or per tensor; returns (tensor, largest scale)."""
    low, high = LIMITS[type_name]
    n = math.prod(shape)
    kind = d.rng.randrange(4)
    spread = high if kind else 1
    data = [d.rng.randint(max(low + 1, -spread), spread) for _ in range(n)]
    per_channel = axis is not None and d.rng.randrange(4) > 0
    base = d.rng.uniform(-10, -3)
    scales = [float32(2.0 ** (base + d.rng.uniform(-2, 2)))
              for _ in range(channels if per_channel else 1)]
    tensor = d.builder.tensor('weights', type_name, shape, scales, [0] * len(scales),
                              axis if per_channel else 0, data)
    return tensor, scales


def bias(d, channels, in_scale, scales, type_name='INT32'):
    """A bias of about the size of the accumulator; None now and then."""
    if d.rng.randrange(6) == 0:
        return -1
    size = d.rng.choice((100, 5000, 100000))
    data = [d.rng.randint(-size, size) for _ in range(channels)]
    return d.builder.tensor('bias', type_name, [channels], [float32(in_scale * s) for s in scales],
                            [0] * len(scales), 0, data)


def output_scale(d, in_scale, scales, terms, in_spread=75.0, weight_spread=75.0, out_spread=60.0):
    """So that outputs spread over the range, more or less: now and then saturated or all zero."""
    spread = in_scale * max(scales) * math.sqrt(terms) * in_spread * weight_spread
    return float32(spread / out_spread * 2.0 ** d.rng.uniform(-1.5, 1.5))


def window(d, size_max=9):
    """Image, kernel, stride, dilation and padding that fit each other."""
    rng = d.rng
    height, width = rng.randint(1, size_max), rng.randint(1, size_max)
    kernel = rng.choice(((1, 1), (3, 3), (rng.randint(1, 5), rng.randint(1, 5))))
    stride = (rng.randint(1, 3), rng.randint(1, 3))
    dilation = rng.choice(((1, 1), (1, 1), (rng.randint(1, 3), rng.randint(1, 3))))
    padding = rng.choice((SAME, VALID))
    if padding == VALID:
        height = max(height, (kernel[0] - 1) * dilation[0] + 1)
        width = max(width, (kernel[1] - 1) * dilation[1] + 1)
    out = [out_size_and_pad(n, k, s, x, padding)[0]
           for n, k, s, x in zip((height, width), kernel, stride, dilation)]
    return (height, width), kernel, stride, dilation, padding, out
