"""Element-wise operators, activations and changes of type."""

import math

from .draft import generator
from .fixed import float32


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
