"""Convolutions, dense layers, pools and matrix products."""

from .common import SAME, VALID
from .conv import out_size_and_pad
from .draft import generator, weights, bias, output_scale, window


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
