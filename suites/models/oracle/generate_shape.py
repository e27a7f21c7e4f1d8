"""Operators that move or pick values, and reductions."""

import math

from .common import Unsupported
from .draft import generator
from .fixed import float32


def padded(d):
    """What is padded, by which table, and the shape that comes out."""
    shape = d.dims(1, 4, 5)
    pads = [d.rng.randint(0, 3) for _ in range(2 * len(shape))]
    inp = d.input(shape)
    table = d.constant(pads, [len(shape), 2])
    return inp, table, [n + pads[2 * i] + pads[2 * i + 1] for i, n in enumerate(shape)]


@generator
def pad(d):
    inp, table, out = padded(d)
    d.same_as(inp, out)
    d.operator('PAD', [inp, table], 2)


@generator
def padv2(d):
    inp, table, out = padded(d)
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
