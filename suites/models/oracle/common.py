"""What the operator modules share: the view of one operator while it runs, and output ranges."""

from .fixed import float32, round_away

LIMITS = {'INT4': (-8, 7), 'INT8': (-128, 127), 'UINT8': (0, 255), 'INT16': (-32768, 32767),
          'INT32': (-(1 << 31), (1 << 31) - 1), 'INT64': (-(1 << 63), (1 << 63) - 1)}

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3


class Call:
    """One operator with its tensors' values: what an operator function is given."""

    def __init__(self, model, op, values, state):
        self.model = model
        self.op = op
        self.values = values
        self.state = state

    def has(self, i):
        return i < len(self.op.inputs) and self.op.inputs[i] >= 0

    def tensor(self, i):
        return self.model.tensors[self.op.inputs[i]] if self.has(i) else None

    def input(self, i):
        return self.values[self.op.inputs[i]] if self.has(i) else None

    def output(self, i=0):
        return self.model.tensors[self.op.outputs[i]]

    def option(self, number, fmt, default=0):
        return self.op.option(number, fmt, default)


class Unsupported(Exception):
    pass


def activation_range(activation, out):
    """Lowest and highest quantised output; CalculateActivationRangeQuantized."""
    low, high = LIMITS[out.type]

    def quantised(real):
        return out.zero_point + round_away(float32(real / out.scale))

    if activation == RELU:
        low = max(low, quantised(0.0))
    elif activation == RELU6:
        low, high = max(low, quantised(0.0)), min(high, quantised(6.0))
    elif activation == RELU_N1_TO_1:
        low, high = max(low, quantised(-1.0)), min(high, quantised(1.0))
    elif activation != NONE:
        raise Unsupported('fused activation %d' % activation)
    return low, high


def strides(shape):
    """Elements between neighbours along each dimension, row-major."""
    out = []
    step = 1
    for d in reversed(shape):
        out.append(step)
        step *= d
    return out[::-1]


def index_of(shape, out):
    """For each element of a tensor of shape `out`, its place in one that is broadcast to it."""
    shape = [1] * (len(out) - len(shape)) + list(shape)
    index = [0]
    for (d, n), step in zip(zip(shape, out), strides(shape)):
        index = [i + (k * step if d > 1 else 0) for i in index for k in range(n)]
    return index


def broadcast(call):
    """The two inputs' values, pairwise, in the output's order."""
    out = call.output().shape
    pairs = []
    for i in (0, 1):
        data = call.input(i)
        pairs.append([data[j] for j in index_of(call.tensor(i).shape, out)])
    return zip(*pairs)
