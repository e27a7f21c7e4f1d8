"""Operators that slide a window over an NHWC image, and fully connected ones."""

from operator import mul

from .common import LIMITS, SAME, Unsupported, activation_range
from .fixed import float32, clamp, multiply, multiply64, quantize_multiplier, truncating_divide


def out_size_and_pad(size, window, stride, dilation, padding):
    """TensorFlow's rule: windows that fit, or ceil(size / stride) with the odd pad at the end."""
    reach = (window - 1) * dilation + 1
    if padding == SAME:
        out = (size + stride - 1) // stride
    else:
        out = (size + stride - reach) // stride
    return out, max((out - 1) * stride + reach - size, 0) // 2


def channel_multipliers(inp, weights, out, channels):
    """One (significand, shift) for each output channel, from doubles of the float32 scales."""
    scales = weights.scales if len(weights.scales) > 1 else weights.scales * channels
    return [quantize_multiplier(inp.scale * s / out.scale) for s in scales]


def requantise(acc, factors, bias_is_64, offset, low, high):
    significand, shift = factors
    scaled = (multiply64 if bias_is_64 else multiply)(acc, significand, shift)
    return clamp(scaled + offset, low, high)


def uses_int64(call):
    """CONV_2D of int16 activations accumulates in 64 bits when the bias has 64, else in 32."""
    bias = call.tensor(2)
    return bias is not None and bias.type == 'INT64'


def only_int64(call):
    """The other operators of int16 activations always do, and have no kernel for a 32-bit bias."""
    if call.tensor(0).type == 'INT16' and call.has(2) and call.tensor(2).type != 'INT64':
        raise Unsupported('%s with a bias of %s' % (call.op.name, call.tensor(2).type))
    return call.tensor(0).type == 'INT16'


def windows(inp, out, kernel, stride, dilation, padding):
    """For every output pixel: the (tap, pixel) pairs inside the image."""
    _, height, width, _ = inp.shape
    pad_y = out_size_and_pad(height, kernel[0], stride[0], dilation[0], padding)[1]
    pad_x = out_size_and_pad(width, kernel[1], stride[1], dilation[1], padding)[1]
    for b in range(out.shape[0]):
        for oy in range(out.shape[1]):
            rows = [(ky, oy * stride[0] - pad_y + ky * dilation[0]) for ky in range(kernel[0])]
            rows = [(ky, y) for ky, y in rows if 0 <= y < height]
            for ox in range(out.shape[2]):
                cols = [(kx, ox * stride[1] - pad_x + kx * dilation[1]) for kx in range(kernel[1])]
                yield [(ky * kernel[1] + kx, (b * height + y) * width + x)
                       for ky, y in rows for kx, x in cols if 0 <= x < width]


def conv_2d(call):
    inp, weights, out = call.tensor(0), call.tensor(1), call.output()
    data, w, bias = call.input(0), call.input(1), call.input(2)
    channels, kh, kw, depth = weights.shape
    groups = inp.shape[3] // depth
    per_group = channels // groups
    taps = kh * kw
    rows = [w[c * taps * depth:(c + 1) * taps * depth] for c in range(channels)]
    bias = bias or [0] * channels
    factors = channel_multipliers(inp, weights, out, channels)
    low, high = activation_range(call.option(3, 'b'), out)
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    dilation = (call.option(5, 'i', 1), call.option(4, 'i', 1))
    zero, wide = inp.zero_point, uses_int64(call)
    result = []
    for window in windows(inp, out, (kh, kw), stride, dilation, call.option(0, 'b')):
        patches = [[0] * (taps * depth) for _ in range(groups)]
        for tap, pixel in window:
            for group in range(groups):
                first = (pixel * groups + group) * depth
                patches[group][tap * depth:(tap + 1) * depth] = [
                    v - zero for v in data[first:first + depth]]
        for c in range(channels):
            acc = sum(map(mul, patches[c // per_group], rows[c])) + bias[c]
            result.append(requantise(acc, factors[c], wide, out.zero_point, low, high))
    return [result]


def depthwise_conv_2d(call):
    inp, weights, out = call.tensor(0), call.tensor(1), call.output()
    data, w, bias = call.input(0), call.input(1), call.input(2)
    _, kh, kw, channels = weights.shape
    depth = inp.shape[3]
    multiplier = channels // depth
    bias = bias or [0] * channels
    factors = channel_multipliers(inp, weights, out, channels)
    low, high = activation_range(call.option(4, 'b'), out)
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    dilation = (call.option(6, 'i', 1), call.option(5, 'i', 1))
    zero, wide = inp.zero_point, only_int64(call)
    result = []
    for window in windows(inp, out, (kh, kw), stride, dilation, call.option(0, 'b')):
        acc = list(bias)
        for tap, pixel in window:
            row = data[pixel * depth:(pixel + 1) * depth]
            if multiplier > 1:
                row = [v for v in row for _ in range(multiplier)]
            taps = w[tap * channels:(tap + 1) * channels]
            acc = [a + (v - zero) * t for a, v, t in zip(acc, row, taps)]
        for c in range(channels):
            result.append(requantise(acc[c], factors[c], wide, out.zero_point, low, high))
    return [result]


def fully_connected(call):
    inp, weights, out = call.tensor(0), call.tensor(1), call.output()
    data, w, bias = call.input(0), call.input(1), call.input(2)
    units, depth = weights.shape[-2], weights.shape[-1]
    bias = bias or [0] * units
    if len(weights.scales) > 1:
        factors = channel_multipliers(inp, weights, out, units)
    else:  # one scale: TensorFlow Lite multiplies the two scales in float32 first
        product = float32(inp.scale * weights.scale)
        factors = [quantize_multiplier(product / out.scale)] * units
    low, high = activation_range(call.option(0, 'b'), out)
    wide = only_int64(call)
    zero_w = weights.zero_point
    rows = [[v - zero_w for v in w[c * depth:(c + 1) * depth]] for c in range(units)]
    result = []
    for start in range(0, len(data), depth):
        x = [v - inp.zero_point for v in data[start:start + depth]]
        for c in range(units):
            acc = sum(map(mul, x, rows[c])) + bias[c]
            result.append(requantise(acc, factors[c], wide, out.zero_point, low, high))
    return [result]


def transpose_conv(call):
    """Every input pixel adds a kernel's worth to the output; then bias and rescaling."""
    weights, inp, out = call.tensor(1), call.tensor(2), call.output()
    w, data, bias = call.input(1), call.input(2), call.input(3)
    if call.option(3, 'b'):
        raise Unsupported('TRANSPOSE_CONV with a fused activation')
    channels, kh, kw, depth = weights.shape
    batches, height, width, _ = inp.shape
    stride_x, stride_y = call.option(1, 'i'), call.option(2, 'i')
    pad_y = out_size_and_pad(out.shape[1], kh, stride_y, 1, call.option(0, 'b'))[1]
    pad_x = out_size_and_pad(out.shape[2], kw, stride_x, 1, call.option(0, 'b'))[1]
    bias = bias or [0] * channels
    acc = [list(bias) for _ in range(out.size // channels)]
    for p in range(batches * height * width):
        b, y, x = p // (height * width), p // width % height, p % width
        pixel = [v - inp.zero_point for v in data[p * depth:(p + 1) * depth]]
        for tap in range(kh * kw):
            oy, ox = y * stride_y - pad_y + tap // kw, x * stride_x - pad_x + tap % kw
            if not (0 <= oy < out.shape[1] and 0 <= ox < out.shape[2]):
                continue
            target = acc[(b * out.shape[1] + oy) * out.shape[2] + ox]
            for c in range(channels):
                row = (c * kh * kw + tap) * depth
                target[c] += sum(map(mul, pixel, w[row:row + depth]))
    factors = channel_multipliers(inp, weights, out, channels)
    low, high = LIMITS[out.type]
    wide = inp.type == 'INT16'
    return [[requantise(a, f, wide, out.zero_point, low, high)
             for row in acc for a, f in zip(row, factors)]]


def pooling(call, pick):
    inp, out = call.tensor(0), call.output()
    data = call.input(0)
    depth = inp.shape[3]
    kernel = (call.option(4, 'i'), call.option(3, 'i'))
    stride = (call.option(2, 'i'), call.option(1, 'i'))
    low, high = activation_range(call.option(5, 'b'), out)
    result = []
    for window in windows(inp, out, kernel, stride, (1, 1), call.option(0, 'b')):
        pixels = [data[p * depth:(p + 1) * depth] for _, p in window]
        result += [clamp(pick(column), low, high) for column in zip(*pixels)]
    return [result]


def average(column):
    """Rounded half away from zero."""
    total, count = sum(column), len(column)
    half = count // 2
    return truncating_divide(total + half if total > 0 else total - half, count)


def average_pool_2d(call):
    return pooling(call, average)


def max_pool_2d(call):
    return pooling(call, max)
