"""Random one-operator models in float32, beside the integer ones."""

import math

from .common import SAME, VALID
from .conv import out_size_and_pad
from .draft import generator, window
from .fixed import float32


def reals(d, n, spread=0.5):
    return [float32(d.rng.uniform(-spread, spread)) for _ in range(n)]


def tensor(d, shape):
    return d.builder.tensor('t%d' % len(d.builder.tensors), 'FLOAT32', shape)


def real_input(d, shape, spread=2.0):
    d.spread = spread
    d.inputs.append(tensor(d, shape))
    return d.inputs[-1]


def real_output(d, shape):
    d.outputs.append(tensor(d, shape))


def real_constant(d, shape, spread=0.5):
    return d.builder.tensor('c%d' % len(d.builder.tensors), 'FLOAT32', shape,
                            data=reals(d, math.prod(shape), spread))


def any_bias(d, channels):
    return real_constant(d, [channels]) if d.rng.randrange(6) else -1


def convolution(d, name):
    rng = d.rng
    (h, w), kernel, stride, dilation, padding, out = window(d)
    batch, depth = rng.choice((1, 1, 2)), rng.randint(1, 12)
    options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0])}
    inp = real_input(d, [batch, h, w, depth])
    if name == 'CONV_2D':
        channels = rng.randint(1, 12)
        shape = [channels, *kernel, depth]
        options.update({3: d.activation(), 4: ('i', dilation[1]), 5: ('i', dilation[0])})
    else:
        multiplier = rng.choice((1, 1, 2, 4))
        channels = depth * multiplier
        shape = [1, *kernel, channels]
        options.update({3: ('i', multiplier), 4: d.activation(), 5: ('i', dilation[1]),
                        6: ('i', dilation[0])})
    weights, bias = real_constant(d, shape), any_bias(d, channels)
    real_output(d, [batch, *out, channels])
    d.operator(name, [inp, weights, bias], 3, options)


@generator
def conv_2d_float32(d):
    convolution(d, 'CONV_2D')


@generator
def depthwise_conv_2d_float32(d):
    convolution(d, 'DEPTHWISE_CONV_2D')


@generator
def fully_connected_float32(d):
    depth, units, batch = d.rng.randint(1, 70), d.rng.randint(1, 24), d.rng.choice((1, 1, 3))
    inp = real_input(d, [batch, depth])
    weights, bias = real_constant(d, [units, depth]), any_bias(d, units)
    real_output(d, [batch, units])
    d.operator('FULLY_CONNECTED', [inp, weights, bias], 4, {0: d.activation()})


@generator
def pool_float32(d):
    (h, w), kernel, stride, _, padding, _ = window(d)
    if padding:
        h, w = max(h, kernel[0]), max(w, kernel[1])
    out = [out_size_and_pad(n, k, s, 1, padding)[0] for n, k, s in zip((h, w), kernel, stride)]
    depth = d.rng.randint(1, 9)
    inp = real_input(d, [1, h, w, depth])
    real_output(d, [1, *out, depth])
    d.operator(d.rng.choice(('AVERAGE_POOL_2D', 'MAX_POOL_2D')), [inp], 2,
               {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0]), 3: ('i', kernel[1]),
                4: ('i', kernel[0]), 5: d.activation()})


@generator
def elementwise_float32(d):
    name = d.rng.choice(('ADD', 'SUB', 'MUL', 'MAXIMUM', 'MINIMUM', 'PRELU'))
    out = d.dims(1, 4)
    shape = [n if d.rng.randrange(3) else 1 for n in out][d.rng.choice((0, 0, len(out) - 1)):]
    a = real_input(d, out)
    b = real_constant(d, shape, 2) if d.rng.randrange(2) else real_input(d, shape)
    real_output(d, out)
    d.operator(name, [a, b], 1 if name == 'PRELU' else 2,
               {0: d.activation()} if name in ('ADD', 'SUB', 'MUL') else None)


@generator
def unary_float32(d):
    name = d.rng.choice(('RELU', 'RELU6', 'LEAKY_RELU', 'LOGISTIC', 'TANH', 'HARD_SWISH', 'ELU'))
    shape = d.dims(1, 3)
    inp = real_input(d, shape, d.rng.choice((0.5, 8.0, 200.0)))
    real_output(d, shape)
    d.operator(name, [inp], 1, {0: ('f', 0.25)} if name == 'LEAKY_RELU' else None)


@generator
def softmax_float32(d):
    shape = [d.rng.randint(1, 4), d.rng.randint(1, 40)]
    inp = real_input(d, shape, d.rng.choice((1.0, 10.0, 100.0)))
    real_output(d, shape)
    d.operator('SOFTMAX', [inp], 2, {0: ('f', d.rng.choice((1.0, 0.5)))})


@generator
def reduce_float32(d):
    shape = d.dims(2, 4)
    axes = sorted(d.rng.sample(range(len(shape)), d.rng.randint(1, len(shape) - 1)))
    inp = real_input(d, shape)
    real_output(d, [1 if i in axes else n for i, n in enumerate(shape)])
    d.operator(d.rng.choice(('MEAN', 'REDUCE_MAX')), [inp, d.constant(axes)], 2, {0: ('b', 1)})


@generator
def resize_bilinear_float32(d):
    h, w, depth = (d.rng.randint(1, 7) for _ in range(3))
    out = [d.rng.randint(1, 12), d.rng.randint(1, 12)]
    batch, (align, half) = d.rng.choice((1, 1, 2)), d.rng.choice(((0, 0), (1, 0), (0, 1)))
    inp = real_input(d, [batch, h, w, depth])
    real_output(d, [batch, *out, depth])
    d.operator('RESIZE_BILINEAR', [inp, d.constant(out)], 3, {2: ('b', align), 3: ('b', half)})


@generator
def batch_matmul_float32(d):
    rng = d.rng
    rows, depth, columns = rng.randint(1, 7), rng.randint(1, 30), rng.randint(1, 7)
    flip_a, flip_b = rng.randrange(2), rng.randrange(2)
    lead = d.dims(0, 2, 3)
    lead_a, lead_b = ([n if rng.randrange(4) else 1 for n in lead] for _ in range(2))
    a = real_input(d, lead_a + ([depth, rows] if flip_a else [rows, depth]))
    shape = lead_b + ([columns, depth] if flip_b else [depth, columns])
    b = real_constant(d, shape) if rng.randrange(2) else real_input(d, shape)
    real_output(d, [max(x, y) for x, y in zip(lead_a, lead_b)] + [rows, columns])
    d.operator('BATCH_MATMUL', [a, b], 2, {0: ('b', flip_a), 1: ('b', flip_b)})


@generator
def transpose_conv_float32(d):
    rng = d.rng
    kernel, stride = [rng.randint(1, 4), rng.randint(1, 4)], [rng.randint(1, 3), rng.randint(1, 3)]
    padding, batch = rng.choice((SAME, VALID)), rng.choice((1, 1, 2))
    h, w, depth, channels = (rng.randint(1, 6) for _ in range(4))
    out = [n * s if padding == SAME else (n - 1) * s + k
           for n, s, k in zip((h, w), stride, kernel)]
    sizes, weights = d.constant([batch, *out, channels]), real_constant(d, [channels, *kernel, depth])
    inputs = [sizes, weights, real_input(d, [batch, h, w, depth])]
    if rng.randrange(3):
        inputs.append(real_constant(d, [channels]))
    real_output(d, [batch, *out, channels])
    options = {0: ('b', padding), 1: ('i', stride[1]), 2: ('i', stride[0])}
    if rng.randrange(2):
        options[3] = ('b', 1)
    d.operator('TRANSPOSE_CONV', inputs, 4 if 3 in options else 3, options)


@generator
def svdf_float32(d):
    rng = d.rng
    rank, units, memory = rng.choice((1, 1, 2)), rng.randint(1, 8), rng.randint(1, 9)
    depth, batch = rng.randint(1, 16), rng.choice((1, 1, 2))
    inp = real_input(d, [batch, depth])
    feature, time = (real_constant(d, [units * rank, n]) for n in (depth, memory))
    bias = any_bias(d, units)
    state = d.builder.tensor('state', 'FLOAT32', [batch, units * rank * memory], variable=True)
    real_output(d, [batch, units])
    d.rounds = 3
    d.operator('SVDF', [inp, feature, time, bias, state], 1, {0: ('i', rank), 1: d.activation()})


@generator
def lstm_float32(d):
    rng = d.rng
    batch, steps, depth, units = rng.choice((1, 1, 2)), rng.randint(1, 5), rng.randint(1, 9), \
        rng.randint(1, 8)
    major = rng.randrange(2)
    lead = [steps, batch] if major else [batch, steps]
    inp = real_input(d, [*lead, depth])
    weights = [real_constant(d, [units, n], 1) for n in (depth, units) for _ in range(4)]
    biases = [any_bias(d, units) for _ in range(4)]
    hidden, cell = (d.builder.tensor(name, 'FLOAT32', [batch, units], variable=True)
                    for name in ('hidden', 'cell'))
    real_output(d, [*lead, units])
    d.rounds = 3
    d.operator('UNIDIRECTIONAL_SEQUENCE_LSTM',
               [inp] + weights + [-1] * 3 + biases + [-1, -1, hidden, cell] + [-1] * 4, 1,
               {0: ('b', 4), 1: ('f', rng.choice((0.0, 10.0, 0.5))), 2: ('f', 0.0), 3: ('b', major)})
