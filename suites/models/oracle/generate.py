"""Random one-operator models for single_op.py. One function per operator draws shapes, options and
quantisation; case() adds input values and asks the oracle for the outputs.
"""

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


def convolution(d, name, type_name='INT8', weight_type='INT8', bias_type='INT32'):
    rng = d.rng
    (h, w), kernel, stride, dilation, padding, out = window(d)
    batch = rng.choice((1, 1, 1, 2))
    depth = rng.choice((1, 2, 3, 4, rng.randint(1, 20)))
    inp = d.input([batch, h, w, depth], type_name)
    in_spread, out_spread = (75, 60) if type_name == 'INT8' else (19000, 15000)
    weight_spread = 75 if weight_type == 'INT8' else 4
    if name == 'CONV_2D':
        channels = rng.choice((1, 2, 4, rng.randint(1, 20)))
        if type_name == weight_type == 'INT8' and rng.randrange(6) == 0:  # grouped
            groups = rng.choice([n for n in range(1, depth + 1) if depth % n == 0])
            depth, channels = depth // groups, groups * rng.randint(1, 3)
        shape, axis, terms = [channels, *kernel, depth], 0, kernel[0] * kernel[1] * depth
    else:
        multiplier = rng.choice((1, 1, 1, 2, 8))
        channels = depth * multiplier
        shape, axis, terms = [1, *kernel, channels], 3, kernel[0] * kernel[1]
    weight, scales = weights(d, shape, axis, channels, weight_type)
    b = bias(d, channels, d.scale_of(inp), scales, bias_type)
    d.output([batch, *out, channels], type_name,
             output_scale(d, d.scale_of(inp), scales, terms, in_spread, weight_spread, out_spread))
    window_options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0])}
    if name == 'CONV_2D':
        options = {3: d.activation(), 4: ('i', dilation[1]), 5: ('i', dilation[0])}
    else:
        options = {3: ('i', multiplier), 4: d.activation(), 5: ('i', dilation[1]),
                   6: ('i', dilation[0])}
    d.operator(name, [inp, weight, b], 3, {**window_options, **options})


@generator
def conv_2d(d):
    convolution(d, 'CONV_2D')


@generator
def conv_2d_int16(d):
    convolution(d, 'CONV_2D', 'INT16', 'INT8', d.rng.choice(('INT32', 'INT64', 'INT64')))


@generator
def conv_2d_int4(d):
    convolution(d, 'CONV_2D', 'INT8', 'INT4')


@generator
def depthwise_conv_2d(d):
    convolution(d, 'DEPTHWISE_CONV_2D')


@generator
def depthwise_conv_2d_int16(d):
    convolution(d, 'DEPTHWISE_CONV_2D', 'INT16', 'INT8', 'INT64')


def dense(d, type_name='INT8', weight_type='INT8', bias_type='INT32', per_channel=False):
    rng = d.rng
    depth, units = rng.randint(1, 70), rng.randint(1, 24)
    batch = rng.choice((1, 1, 2, 3))
    shape = [batch, depth]
    if depth % 4 == 0 and rng.randrange(3) == 0:
        shape = [batch, 2, depth // 4, 2]
    inp = d.input(shape, type_name)
    in_spread, out_spread = (75, 60) if type_name == 'INT8' else (19000, 15000)
    weight, scales = weights(d, [units, depth], 0 if per_channel else None, units, weight_type)
    b = bias(d, units, d.scale_of(inp), scales, bias_type)
    d.output([batch, units], type_name,
             output_scale(d, d.scale_of(inp), scales, depth, in_spread,
                          75 if weight_type == 'INT8' else 4, out_spread))
    d.operator('FULLY_CONNECTED', [inp, weight, b], 4, {0: d.activation()})


@generator
def fully_connected(d):
    dense(d, per_channel=d.rng.randrange(3) == 0)


@generator
def fully_connected_int16(d):
    dense(d, 'INT16', 'INT8', 'INT64')


@generator
def fully_connected_int4(d):
    dense(d, 'INT8', 'INT4')


@generator
def transpose_conv(d):
    rng = d.rng
    kernel, stride = (rng.randint(1, 4), rng.randint(1, 4)), (rng.randint(1, 3), rng.randint(1, 3))
    padding = rng.choice((SAME, VALID))
    h, w, depth, channels = (rng.randint(1, 6) for _ in range(4))
    if padding == SAME:
        out = [h * stride[0], w * stride[1]]
    else:
        out = [(h - 1) * stride[0] + kernel[0], (w - 1) * stride[1] + kernel[1]]
    out_shape = [1, *out, channels]
    sizes = d.constant(out_shape)
    weight, scales = weights(d, [channels, *kernel, depth], 0, channels)
    inp = d.input([1, h, w, depth])
    inputs = [sizes, weight, inp]
    b = bias(d, channels, d.scale_of(inp), scales)
    if b >= 0:
        inputs.append(b)
    d.output(out_shape, 'INT8', output_scale(d, d.scale_of(inp), scales,
                                             depth * kernel[0] * kernel[1]))
    d.operator('TRANSPOSE_CONV', inputs, 3 if b >= 0 else 1,
               {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0])})


def pool(d, name):
    (h, w), kernel, stride, _, padding, _ = window(d)
    h, w = max(h, kernel[0]), max(w, kernel[1])
    out = [out_size_and_pad(n, k, s, 1, padding)[0]
           for n, k, s in zip((h, w), kernel, stride)]
    depth = d.rng.randint(1, 9)
    inp = d.input([1, h, w, depth])
    d.same_as(inp, [1, *out, depth])
    d.operator(name, [inp], 2, {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0]),
                                3: ('i', kernel[1]), 4: ('i', kernel[0]), 5: d.activation()})


@generator
def average_pool_2d(d):
    pool(d, 'AVERAGE_POOL_2D')


@generator
def max_pool_2d(d):
    pool(d, 'MAX_POOL_2D')


# ---- element-wise ----

def pair_of_shapes(d):
    """Equal shapes, or two that broadcast to one."""
    shape = d.dims(1, 4)
    if d.rng.randrange(2):
        return shape, shape, shape
    a, b = list(shape), list(shape)
    for i in range(len(shape)):
        pick = d.rng.randrange(4)
        if pick < 2:
            (a, b)[pick][i] = 1
    cut = d.rng.randrange(len(shape))
    if d.rng.randrange(3) == 0:
        b = b[cut:]
    out = [max(x, y) for x, y in zip(a, [1] * (len(a) - len(b)) + b)]
    return a, b, out


def two_inputs(d, type_name, near=True):
    """Two inputs, the second a constant now and then, and the output's shape."""
    a, b, out = pair_of_shapes(d)
    first = d.input(a, type_name)
    scale = float32(d.scale_of(first) * 2.0 ** d.rng.uniform(-3, 3)) if near else None
    if d.rng.randrange(4) == 0:
        n = math.prod(b)
        second = d.builder.tensor('constant', type_name, b, [scale or d.scale()],
                                  [d.zero(type_name)], 0, d.values(type_name, n))
    else:
        second = d.input(b, type_name, scale)
    return first, second, out


def sum_like(d, name, type_name='INT8'):
    first, second, out = two_inputs(d, type_name)
    larger = max(d.scale_of(first), d.scale_of(second))
    d.output(out, type_name, float32(larger * 2.0 ** d.rng.uniform(-1, 2.5)))
    options = {0: d.activation()}
    if type_name == 'INT16':
        options[1] = ('b', 0)
    d.operator(name, [first, second], 2 if type_name == 'INT8' else 3, options)


@generator
def add(d):
    sum_like(d, 'ADD')


@generator
def add_int16(d):
    sum_like(d, 'ADD', 'INT16')


@generator
def sub(d):
    sum_like(d, 'SUB')


def product(d, type_name):
    first, second, out = two_inputs(d, type_name, near=False)
    step = 100 if type_name == 'INT8' else 20000
    d.output(out, type_name, float32(d.scale_of(first) * d.scale_of(second) * step
                                     * 2.0 ** d.rng.uniform(-1, 2)))
    d.operator('MUL', [first, second], 2, {0: d.activation()})


@generator
def mul(d):
    product(d, 'INT8')


@generator
def mul_int16(d):
    product(d, 'INT16')


def extreme(d, name):
    a, b, out = pair_of_shapes(d)
    first = d.input(a)
    second = d.input(b, 'INT8', d.scale_of(first), d.builder.tensors[first][4][0])
    d.same_as(first, out)
    d.operator(name, [first, second], 2)


@generator
def maximum(d):
    extreme(d, 'MAXIMUM')


@generator
def minimum(d):
    extreme(d, 'MINIMUM')


@generator
def prelu(d):
    shape = [1] + d.dims(3, 3)
    alpha_shape = d.rng.choice(([shape[3]], [1, 1, shape[3]], shape[1:]))
    inp = d.input(shape)
    alpha = d.builder.tensor('alpha', 'INT8', alpha_shape, [d.scale(-9, -5)], [d.zero()], 0,
                             d.values('INT8', math.prod(alpha_shape)))
    d.output(shape, 'INT8', float32(d.scale_of(inp) * 2.0 ** d.rng.uniform(-1, 1)))
    d.operator('PRELU', [inp, alpha], 1)


def unary(d, name, version, out_scale=None, out_zero=None, in_scale=None, type_name='INT8',
          options=None):
    inp = d.input(d.dims(1, 4), type_name, in_scale)
    shape = d.builder.tensors[inp][2]
    if out_scale is None:
        out_scale = float32(d.scale_of(inp) * 2.0 ** d.rng.uniform(-2, 2))
    d.output(shape, type_name, out_scale, out_zero)
    d.operator(name, [inp], version, options)


@generator
def relu(d):
    unary(d, 'RELU', 2)


@generator
def relu6(d):
    inp = d.input(d.dims(1, 4), 'INT8', d.scale(-6, -3))
    d.same_as(inp)
    d.operator('RELU6', [inp], 2)


@generator
def leaky_relu(d):
    alpha = float32(d.rng.choice((0.01, 0.1, 0.2, 0.3, 1.5, -0.5, d.rng.uniform(0, 1))))
    unary(d, 'LEAKY_RELU', 2, options={0: ('f', alpha)})


@generator
def hard_swish(d):
    scale = d.scale(-8, 0)
    unary(d, 'HARD_SWISH', 1, float32(scale * 2.0 ** d.rng.uniform(-3, 2)), in_scale=scale)


@generator
def elu(d):
    unary(d, 'ELU', 1)


@generator
def logistic(d):
    unary(d, 'LOGISTIC', 2, 2.0 ** -8, -128, d.scale(-8, 0))


@generator
def tanh(d):
    unary(d, 'TANH', 2, 2.0 ** -7, 0, d.scale(-8, 0))


@generator
def softmax(d):
    shape = d.dims(1, 3)[:-1] + [d.rng.randint(1, 30)]
    inp = d.input(shape, 'INT8', d.scale(-8, 1))
    wide = d.rng.randrange(4) == 0
    d.output(shape, *(('INT16', 2.0 ** -16, -32768) if wide else ('INT8', 2.0 ** -8, -128)))
    d.operator('SOFTMAX', [inp], 2, {0: ('f', d.rng.choice((1.0, 1.0, float32(0.5), 2.0)))})


@generator
def quantize(d):
    a, b = d.rng.choice((('INT8', 'INT8'), ('INT8', 'INT16'), ('INT16', 'INT8'), ('INT16', 'INT16'),
                         ('INT8', 'INT32'), ('INT16', 'INT32'), ('INT32', 'INT8'),
                         ('INT32', 'INT16'), ('INT8', 'UINT8'), ('UINT8', 'INT8'),
                         ('FLOAT32', 'INT8'), ('FLOAT32', 'INT16')))
    shape = d.dims(1, 4)
    if a == 'FLOAT32':
        d.inputs.append(d.builder.tensor('real', a, shape))
        inp = d.inputs[0]
        d.output(shape, b)
    else:
        bits = {'INT8': 8, 'UINT8': 8, 'INT16': 16, 'INT32': 32}
        inp = d.input(shape, a)
        d.output(shape, b, float32(d.scale_of(inp) * 2.0 ** (min(bits[a], 31) - min(bits[b], 31)
                                                              + d.rng.uniform(-2, 3))))
    d.operator('QUANTIZE', [inp], 1)


@generator
def dequantize(d):
    shape = d.dims(1, 4)
    inp = d.input(shape, d.rng.choice(('INT8', 'INT8', 'INT16', 'UINT8')))
    d.outputs.append(d.builder.tensor('real', 'FLOAT32', shape))
    d.operator('DEQUANTIZE', [inp], 2)


@generator
def cast(d):
    numbers = {'FLOAT32': 0, 'INT32': 2, 'UINT8': 3, 'INT16': 7, 'INT8': 9}
    a, b = d.rng.choice(sorted(numbers)), d.rng.choice(sorted(numbers))
    shape = d.dims(1, 4)
    inp = d.builder.tensor('in', a, shape)
    d.inputs.append(inp)
    d.outputs.append(d.builder.tensor('out', b, shape))
    d.operator('CAST', [inp], 1, {0: ('b', numbers[a]), 1: ('b', numbers[b])})


@generator
def batch_matmul(d):
    rng = d.rng
    rows, depth, columns = (rng.randint(1, 7) for _ in range(3))
    adj_x, adj_y = rng.randrange(2), rng.randrange(2)
    lead = d.dims(0, 2, 3)
    lead_a, lead_b = ([n if rng.randrange(4) else 1 for n in lead] for _ in range(2))
    lead = [max(x, y) for x, y in zip(lead_a, lead_b)]
    a = d.input(lead_a + ([depth, rows] if adj_x else [rows, depth]))
    b = d.input(lead_b + ([columns, depth] if adj_y else [depth, columns]))
    d.output(lead + [rows, columns], 'INT8',
             output_scale(d, d.scale_of(a), [d.scale_of(b)], depth))
    d.operator('BATCH_MATMUL', [a, b], 2, {0: ('b', adj_x), 1: ('b', adj_y)})


# ---- shape ----

@generator
def pad(d):
    shape = d.dims(1, 4, 5)
    pads = [d.rng.randint(0, 3) for _ in range(2 * len(shape))]
    inp = d.input(shape)
    out = [n + pads[2 * i] + pads[2 * i + 1] for i, n in enumerate(shape)]
    table = d.constant(pads, [len(shape), 2])
    d.same_as(inp, out)
    d.operator('PAD', [inp, table], 2)


@generator
def padv2(d):
    shape = d.dims(1, 4, 5)
    pads = [d.rng.randint(0, 3) for _ in range(2 * len(shape))]
    inp = d.input(shape)
    out = [n + pads[2 * i] + pads[2 * i + 1] for i, n in enumerate(shape)]
    table = d.constant(pads, [len(shape), 2])
    value = d.builder.tensor('value', 'INT8', [1], d.builder.tensors[inp][3],
                             d.builder.tensors[inp][4], 0, [d.rng.randint(-128, 127)])
    d.same_as(inp, out)
    d.operator('PADV2', [inp, table, value], 2)


@generator
def mirror_pad(d):
    mode = d.rng.randrange(2)
    shape = [d.rng.randint(2, 5) for _ in range(d.rng.randint(1, 4))]
    pads = [d.rng.randint(0, n - 1 + mode) for n in shape for _ in range(2)]
    inp = d.input(shape)
    table = d.constant(pads, [len(shape), 2])
    d.same_as(inp, [n + pads[2 * i] + pads[2 * i + 1] for i, n in enumerate(shape)])
    d.operator('MIRROR_PAD', [inp, table], 2, {0: ('b', mode)})


@generator
def reshape(d):
    shape = d.dims(1, 4)
    inp = d.input(shape)
    out = d.rng.sample(shape, len(shape))
    table = d.constant(out)
    d.same_as(inp, out)
    d.operator('RESHAPE', [inp, table], 1, {0: out})


@generator
def squeeze(d):
    shape = d.dims(1, 4)
    place = d.rng.randint(0, len(shape))
    inp = d.input(shape[:place] + [1] + shape[place:])
    d.same_as(inp, shape)
    d.operator('SQUEEZE', [inp], 1, {0: [place]})


@generator
def expand_dims(d):
    shape = d.dims(1, 3)
    place = d.rng.randint(0, len(shape))
    inp = d.input(shape)
    axis = d.constant([place], [1])
    d.same_as(inp, shape[:place] + [1] + shape[place:])
    d.operator('EXPAND_DIMS', [inp, axis], 1)


@generator
def transpose(d):
    shape = d.dims(2, 4)
    order = d.rng.sample(range(len(shape)), len(shape))
    inp = d.input(shape)
    table = d.constant(order)
    d.same_as(inp, [shape[i] for i in order])
    d.operator('TRANSPOSE', [inp, table], 2)


@generator
def concatenation(d):
    shape = d.dims(1, 4, 5)
    axis = d.rng.randrange(len(shape))
    first = d.input(shape)
    inputs = [first]
    total = shape[axis]
    for _ in range(d.rng.randint(0, 3)):
        other = list(shape)
        other[axis] = d.rng.randint(1, 5)
        total += other[axis]
        inputs.append(d.input(other, 'INT8', d.scale_of(first), d.builder.tensors[first][4][0]))
    d.same_as(first, shape[:axis] + [total] + shape[axis + 1:])
    signed = axis - len(shape) if d.rng.randrange(2) else axis
    d.operator('CONCATENATION', inputs, 2, {0: ('i', signed), 1: ('b', 0)})


@generator
def split(d):
    shape = d.dims(1, 4, 4)
    axis, pieces = d.rng.randrange(len(shape)), d.rng.randint(1, 4)
    table = d.constant([axis - len(shape) if d.rng.randrange(2) else axis], [])
    piece = list(shape)
    shape[axis] *= pieces
    inp = d.input(shape)
    for _ in range(pieces):
        d.same_as(inp, piece)
    d.operator('SPLIT', [table, inp], 2, {0: ('i', pieces)})


@generator
def split_v(d):
    shape = d.dims(1, 4, 4)
    axis = d.rng.randrange(len(shape))
    sizes = [d.rng.randint(1, 4) for _ in range(d.rng.randint(1, 4))]
    shape[axis] = sum(sizes)
    inp = d.input(shape)
    for n in sizes:
        d.same_as(inp, shape[:axis] + [n] + shape[axis + 1:])
    if d.rng.randrange(3) == 0:
        sizes[d.rng.randrange(len(sizes))] = -1
    d.operator('SPLIT_V', [inp, d.constant(sizes), d.constant([axis], [])], 2,
               {0: ('i', len(sizes))})


@generator
def slice(d):  # named after the operator
    shape = d.dims(1, 4)
    begin = [d.rng.randrange(n) for n in shape]
    size = [d.rng.randint(1, n - b) for n, b in zip(shape, begin)]
    inp = d.input(shape)
    d.same_as(inp, size)
    given = [-1 if n == full - b and d.rng.randrange(2) else n
             for n, b, full in zip(size, begin, shape)]
    d.operator('SLICE', [inp, d.constant(begin), d.constant(given)], 2)


@generator
def strided_slice(d):
    shape = d.dims(1, 4)
    begin, end, step, out = [], [], [], []
    masks = [0, 0, 0]
    for i, n in enumerate(shape):
        begin.append(d.rng.randint(-n, n - 1))
        end.append(d.rng.randint(-n - 1, n + 1))
        step.append(d.rng.choice((1, 1, 2, 3, -1, -2)))
        bits = [d.rng.randrange(4) == 0, d.rng.randrange(4) == 0, d.rng.randrange(8) == 0]
        if bits[2]:
            step[i], bits[0] = 1, False
            end[i] = begin[i] + 1 if begin[i] != -1 else n
        for k in range(3):
            masks[k] |= bits[k] << i
        places = range(n)[None if bits[0] else begin[i]:None if bits[1] else end[i]:step[i]]
        if bits[2]:
            continue
        if not places:
            raise Unsupported('empty slice')
        out.append(len(places))
    inp = d.input(shape)
    d.same_as(inp, out)
    d.operator('STRIDED_SLICE', [inp, d.constant(begin), d.constant(end), d.constant(step)], 2,
               {0: ('i', masks[0]), 1: ('i', masks[1]), 2: ('i', 0), 3: ('i', 0),
                4: ('i', masks[2])})


@generator
def pack(d):
    shape = d.dims(1, 3)
    axis, count = d.rng.randint(0, len(shape)), d.rng.randint(1, 4)
    first = d.input(shape)
    inputs = [first] + [d.input(shape, 'INT8', d.scale_of(first), d.builder.tensors[first][4][0])
                        for _ in range(count - 1)]
    d.same_as(first, shape[:axis] + [count] + shape[axis:])
    d.operator('PACK', inputs, 2, {0: ('i', count), 1: ('i', axis)})


@generator
def unpack(d):
    shape = d.dims(1, 4, 4)
    axis = d.rng.randrange(len(shape))
    inp = d.input(shape)
    for _ in range(shape[axis]):
        d.same_as(inp, shape[:axis] + shape[axis + 1:])
    d.operator('UNPACK', [inp], 2, {0: ('i', shape[axis]), 1: ('i', axis)})


@generator
def gather(d):
    shape = d.dims(1, 4)
    axis = d.rng.randrange(len(shape))
    index_shape = d.dims(1, 2, 4)
    index = [d.rng.randrange(shape[axis]) for _ in range(math.prod(index_shape))]
    inp = d.input(shape)
    d.same_as(inp, shape[:axis] + index_shape + shape[axis + 1:])
    d.operator('GATHER', [inp, d.constant(index, index_shape)], 2, {0: ('i', axis)})


def resize(d, name, version, first_field):
    h, w, depth = (d.rng.randint(1, 7) for _ in range(3))
    out = [d.rng.randint(1, 12), d.rng.randint(1, 12)]
    align, half = d.rng.choice(((0, 0), (1, 0), (0, 1)))
    inp = d.input([1, h, w, depth])
    size = d.constant(out)
    d.same_as(inp, [1, *out, depth])
    d.operator(name, [inp, size], version, {first_field: ('b', align), first_field + 1: ('b', half)})


@generator
def resize_nearest_neighbor(d):
    resize(d, 'RESIZE_NEAREST_NEIGHBOR', 3, 0)


@generator
def resize_bilinear(d):
    resize(d, 'RESIZE_BILINEAR', 3, 2)


# ---- reductions ----

def reduction(d, name, same):
    shape = d.dims(1, 4)
    axes = sorted(d.rng.sample(range(len(shape)), d.rng.randint(1, len(shape))))
    keep = d.rng.randrange(2)
    out = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    inp = d.input(shape)
    table = d.constant([a - len(shape) if d.rng.randrange(3) == 0 else a for a in axes])
    if same or d.rng.randrange(3) == 0:
        d.same_as(inp, out)
    else:
        d.output(out, 'INT8', float32(d.scale_of(inp) * 2.0 ** d.rng.uniform(-2, 1)))
    d.operator(name, [inp, table], 2, {0: ('b', keep)})


@generator
def mean(d):
    reduction(d, 'MEAN', False)


@generator
def reduce_max(d):
    reduction(d, 'REDUCE_MAX', True)


@generator
def arg_max(d):
    shape = d.dims(1, 4)
    axis = d.rng.randrange(len(shape))
    inp = d.input(shape)
    d.outputs.append(d.builder.tensor('out', 'INT32', shape[:axis] + shape[axis + 1:]))
    d.operator('ARG_MAX', [inp, d.constant([axis], [])], 2, {0: ('b', 2)})


# ---- state ----

def svdf_of(d, state_type):
    rng = d.rng
    rank, units, memory, depth = rng.choice((1, 1, 2)), rng.randint(1, 8), rng.randint(1, 9), \
        rng.randint(1, 16)
    filters = units * rank
    inp = d.input([1, depth])
    feature_scale, time_scale = d.scale(-9, -5), d.scale(-9, -5)
    feature = d.builder.tensor('feature', 'INT8', [filters, depth], [feature_scale], [0], 0,
                               d.values('INT8', filters * depth))
    time = d.builder.tensor('time', state_type, [filters, memory], [time_scale], [0], 0,
                            d.values(state_type, filters * memory))
    wide = state_type == 'INT16'
    state_scale = output_scale(d, d.scale_of(inp), [feature_scale], depth,
                               out_spread=15000 if wide else 60)
    b = d.builder.tensor('bias', 'INT32', [units], [float32(state_scale * time_scale)], [0], 0,
                         [rng.randint(-5000, 5000) for _ in range(units)])
    state_zero = 0 if wide else d.rng.choice((0, 0, -50, 25))
    state = d.builder.tensor('state', state_type, [1, filters * memory], [state_scale], [state_zero],
                             variable=True)
    spread = 15000 if wide else 60
    d.output([1, units], 'INT8', output_scale(d, state_scale, [time_scale], rank * memory,
                                              spread, 19000 if wide else 75))
    d.rounds = 3
    d.operator('SVDF', [inp, feature, time, b, state], 3, {0: ('i', rank), 1: ('b', 1)})


@generator
def svdf(d):
    svdf_of(d, 'INT8')


@generator
def svdf_int16(d):
    svdf_of(d, 'INT16')


@generator
def unidirectional_sequence_lstm(d):
    rng = d.rng
    batch, steps, depth, units = rng.choice((1, 1, 2)), rng.randint(1, 5), rng.randint(1, 9), \
        rng.randint(1, 8)
    major = rng.randrange(2)
    lead = [steps, batch] if major else [batch, steps]
    inp = d.input([*lead, depth], 'INT8', d.scale(-8, -5))
    hidden_scale, hidden_zero = float32(2.0 ** -7), rng.choice((0, 0, -5, 17))
    hidden = d.builder.tensor('hidden', 'INT8', [batch, units], [hidden_scale], [hidden_zero],
                              variable=True)
    cell = d.builder.tensor('cell', 'INT16', [batch, units], [2.0 ** rng.choice((-11, -12, -13, -15))],
                            [0], variable=True)

    def gate(name, columns, input_scale):
        scale = float32(d.scale(-8, -5))
        return d.builder.tensor(name, 'INT8', [units, columns], [scale], [0], 0,
                                d.values('INT8', units * columns)), float32(scale * input_scale)

    names = ('input', 'forget', 'cell', 'output')
    from_input = [gate('%s_w' % n, depth, d.scale_of(inp)) for n in names]
    from_hidden = [gate('%s_r' % n, units, hidden_scale) for n in names]
    biases = [d.builder.tensor('%s_b' % n, 'INT32', [units], [s], [0], 0,
                               [rng.randint(-20000, 20000) for _ in range(units)])
              for n, (_, s) in zip(names, from_input)]
    d.output([*lead, units], 'INT8', hidden_scale, hidden_zero)
    inputs = ([inp] + [t for t, _ in from_input] + [t for t, _ in from_hidden] + [-1] * 3 + biases
              + [-1, -1, hidden, cell] + [-1] * 4)
    # As converters write them: gates before their activation, and the hidden state.
    insides = [d.quantised([1], 'INT16', 2.0 ** -12, 0) for _ in names]
    insides.append(d.quantised([1], 'INT8', hidden_scale, hidden_zero))
    d.rounds = 3
    d.operator('UNIDIRECTIONAL_SEQUENCE_LSTM', inputs, 1,
               {0: ('b', 4), 1: ('f', rng.choice((0.0, 10.0, 2.0))), 2: ('f', 0.0),
                3: ('b', major), 'intermediates': insides})


@generator
def variables(d):
    """READ, ADD the input, ASSIGN: the output is a running sum."""
    shape = d.dims(1, 3)
    inp = d.input(shape)
    total = d.quantised(shape, 'INT8', d.scale_of(inp), d.builder.tensors[inp][4][0])
    handle = d.builder.tensor('handle', 'RESOURCE', [])
    out = d.same_as(inp)
    d.rounds = 3
    d.builder.operator('VAR_HANDLE', [], [handle], 1, {0: '', 1: 'total'})
    d.builder.operator('READ_VARIABLE', [handle], [total], 1)
    d.builder.operator('ADD', [total, inp], [out], 2, {0: ('b', 0)})
    d.builder.operator('ASSIGN_VARIABLE', [handle, out], [], 1)
