"""Operators that move values without changing them."""

from .common import Unsupported, strides
from .fixed import float32, round_away


def copy(call):
    return [list(call.input(0))]


def offsets(dims_and_steps, start=0):
    """Flat indices of a nested loop, outermost first."""
    index = [start]
    for n, step in dims_and_steps:
        index = [i + k * step for i in index for k in range(n)]
    return index


def pad(call):
    """Constant padding; PADV2 brings its own value, PAD uses the real zero."""
    inp, out = call.tensor(0), call.output()
    pads = call.input(1)
    result = [call.input(2)[0] if call.has(2) else out.zero_point] * out.size
    steps = strides(out.shape)
    start = sum(pads[2 * d] * s for d, s in enumerate(steps))
    for i, v in zip(offsets(zip(inp.shape, steps), start), call.input(0)):
        result[i] = v
    return [result]


def mirror_pad(call):
    """REFLECT leaves the border value out of the mirror image, SYMMETRIC repeats it."""
    inp, out = call.tensor(0), call.output()
    pads = call.input(1)
    again = call.option(0, 'b')  # 1: SYMMETRIC
    index = [0]
    for d, step in enumerate(strides(inp.shape)):
        n = inp.shape[d]
        places = []
        for k in range(-pads[2 * d], out.shape[d] - pads[2 * d]):
            if k < 0:
                k = -k - again
            elif k >= n:
                k = 2 * n - 2 + again - k
            places.append(k * step)
        index = [i + p for i in index for p in places]
    data = call.input(0)
    return [[data[i] for i in index]]


def transpose(call):
    inp = call.tensor(0)
    steps = strides(inp.shape)
    data = call.input(0)
    order = call.input(1)
    return [[data[i] for i in offsets((inp.shape[d], steps[d]) for d in order)]]


def axis_blocks(shape, axis):
    """(blocks before the axis, elements of one step along it)"""
    before = after = 1
    for d in shape[:axis]:
        before *= d
    for d in shape[axis + 1:]:
        after *= d
    return before, after


def concatenation(call):
    out = call.output()
    if call.option(1, 'b'):
        raise Unsupported('CONCATENATION with a fused activation')
    axis = call.option(0, 'i') % len(out.shape)
    before = axis_blocks(out.shape, axis)[0]
    parts = [call.input(i) for i in range(len(call.op.inputs))]
    result = []
    for b in range(before):
        for p in parts:
            n = len(p) // before
            result += p[b * n:(b + 1) * n]
    return [result]


def cut(call, data, shape, axis, sizes):
    """Pieces of `sizes` steps along the axis."""
    before, after = axis_blocks(shape, axis)
    row = shape[axis] * after
    pieces, start = [], 0
    for n in sizes:
        pieces.append([v for b in range(before)
                       for v in data[b * row + start * after:b * row + (start + n) * after]])
        start += n
    return pieces


def split(call):
    inp = call.tensor(1)
    axis = call.input(0)[0] % len(inp.shape)
    count = call.option(0, 'i')
    return cut(call, call.input(1), inp.shape, axis, [inp.shape[axis] // count] * count)


def split_v(call):
    inp = call.tensor(0)
    axis = call.input(2)[0] % len(inp.shape)
    sizes = list(call.input(1))
    if -1 in sizes:
        sizes[sizes.index(-1)] = inp.shape[axis] - sum(sizes) - 1
    return cut(call, call.input(0), inp.shape, axis, sizes)


def unpack(call):
    inp = call.tensor(0)
    return cut(call, call.input(0), inp.shape, call.option(1, 'i') % len(inp.shape),
               [1] * call.option(0, 'i'))


def pack(call):
    out = call.output()
    axis = call.option(1, 'i') % len(out.shape)
    before, after = axis_blocks(out.shape, axis)
    parts = [call.input(i) for i in range(call.option(0, 'i'))]
    return [[v for b in range(before) for p in parts for v in p[b * after:(b + 1) * after]]]


def slice_op(call):
    inp = call.tensor(0)
    begin, size = call.input(1), call.input(2)
    size = [inp.shape[d] - begin[d] if n == -1 else n for d, n in enumerate(size)]
    steps = strides(inp.shape)
    start = sum(b * s for b, s in zip(begin, steps))
    data = call.input(0)
    return [[data[i] for i in offsets(zip(size, steps), start)]]


def strided_range(n, begin, end, step, masks):
    """Positions that Python's slice would give, with TensorFlow's masks; offset: end counts from
    the first position."""
    begin_masked, end_masked, shrink, offset = masks
    if begin_masked:
        begin = 0 if step > 0 else n - 1
    else:
        begin = begin + n if begin < 0 else begin
        begin = max(0, min(begin, n)) if step > 0 else max(-1, min(begin, n - 1))
    if shrink:
        return [begin]
    if offset:
        end += begin
    if end_masked:
        end = n if step > 0 else -1
    else:
        end = end + n if end < 0 else end
        end = max(0, min(end, n)) if step > 0 else max(-1, min(end, n - 1))
    return range(begin, end, step)


def strided_slice(call):
    inp = call.tensor(0)
    begin, end, step = call.input(1), call.input(2), call.input(3)
    masks = [call.option(i, 'i') for i in range(5)]
    if masks[2] or masks[3]:
        raise Unsupported('STRIDED_SLICE with ellipsis or new axes')
    index = [0]
    for d, stride in enumerate(strides(inp.shape)):
        bits = [masks[i] >> d & 1 for i in (0, 1, 4)] + [call.option(5, '?')]
        places = strided_range(inp.shape[d], begin[d], end[d], step[d], bits)
        index = [i + k * stride for i in index for k in places]
    data = call.input(0)
    return [[data[i] for i in index]]


def gather(call):
    inp, positions = call.tensor(0), call.tensor(1)
    axis = call.option(0, 'i') % len(inp.shape)
    shared = call.option(1, 'i') % len(positions.shape) if call.option(1, 'i') < 0 \
        else call.option(1, 'i')
    before, after = axis_blocks(inp.shape, axis)
    batches = 1
    for d in inp.shape[:shared]:
        batches *= d
    data, index = call.input(0), call.input(1)
    n = len(index) // batches
    row = inp.shape[axis] * after
    result = []
    for b in range(before):
        batch = b // (before // batches)
        for k in index[batch * n:(batch + 1) * n]:
            result += data[b * row + k * after:b * row + (k + 1) * after]
    return [result]


def nearest(value, size, out_size, align, half):
    """In float32, as TensorFlow Lite does."""
    if align and out_size > 1:
        scale = float32((size - 1) / float32(out_size - 1))
    else:
        scale = float32(size / float32(out_size))
    place = float32((value + (0.5 if half else 0.0)) * scale)
    return max(0, min(round_away(place) if align else int(place // 1), size - 1))


def resize_nearest_neighbor(call):
    inp, out = call.tensor(0), call.output()
    align, half = call.option(0, '?'), call.option(1, '?')
    batches, height, width, depth = inp.shape
    rows = [nearest(y, height, out.shape[1], align, half) for y in range(out.shape[1])]
    cols = [nearest(x, width, out.shape[2], align, half) for x in range(out.shape[2])]
    data = call.input(0)
    return [[v for b in range(batches) for y in rows for x in cols
             for v in data[((b * height + y) * width + x) * depth:][:depth]]]
