"""Operators that keep state from one inference to the next."""

import math
from operator import mul

from .activation import logistic16, tanh16
from .common import LIMITS, Unsupported
from .fixed import clamp, float32, multiply, quantize_multiplier


def svdf(call):
    """Rank-decomposed filters over time; the newest feature enters at the end of each memory row.

    The fused activation is not applied: the integer kernel clamps to int8 and nothing else.
    """
    inp, feature, time, out = call.tensor(0), call.tensor(1), call.tensor(2), call.output()
    state = call.tensor(4)
    rank = call.option(0, 'i')
    filters, depth = feature.shape
    memory = time.shape[1]
    # the factors are computed in float32
    to_state = quantize_multiplier(float32(float32(inp.scale * feature.scale) / state.scale))
    to_out = quantize_multiplier(float32(float32(state.scale * time.scale) / out.scale))
    low, high = LIMITS[state.type]
    values = call.input(4)
    del values[0]  # everything moves one step to the left, rows into each other
    values.append(0)
    w, t = call.input(1), call.input(2)
    bias = call.input(3) or [0] * (filters // rank)
    result = []
    for b in range(inp.shape[0]):
        x = [v - inp.zero_point for v in call.input(0)[b * depth:(b + 1) * depth]]
        products = []
        for f in range(filters):
            row = (b * filters + f) * memory
            dot = sum(map(mul, x, w[f * depth:(f + 1) * depth]))
            values[row + memory - 1] = clamp(multiply(dot, *to_state) + state.zero_point, low, high)
            history = [v - state.zero_point for v in values[row:row + memory]]
            products.append(sum(map(mul, history, t[f * memory:(f + 1) * memory])))
        for u in range(filters // rank):
            acc = bias[u] + sum(products[u * rank:(u + 1) * rank])
            result.append(clamp(multiply(acc, *to_out) + out.zero_point, -128, 127))
    return [result]


TANH = 4
GATES = ('input', 'forget', 'cell', 'output')  # order of the operator's weight and bias inputs


def saturate16(x):
    return clamp(x, -32768, 32767)


def dense16(x, weights, bias, factor):
    """A fully connected layer from int8 to int16."""
    depth = len(x)
    return [saturate16(multiply(sum(map(mul, x, weights[c * depth:(c + 1) * depth])) + b, *factor))
            for c, b in enumerate(bias)]


class Lstm:
    """One UNIDIRECTIONAL_SEQUENCE_LSTM: int8 in, out and hidden state, int16 gates and cell state."""

    GATE_SCALE = 2.0 ** -12  # of the gates before their activation
    UNIT = 2.0 ** -15        # and after it

    def __init__(self, call):
        self.call = call
        self.hidden, self.cell = call.tensor(18), call.tensor(19)
        inp = call.tensor(0)
        if call.tensor(0).type != 'INT8' or any(call.has(i) for i in (9, 10, 11, 16, 17)):
            raise Unsupported('LSTM with peepholes, projection or other types')
        self.gates = {}
        for g, name in enumerate(GATES):
            w, r = call.tensor(1 + g), call.tensor(5 + g)
            self.gates[name] = (
                call.input(1 + g), call.input(12 + g), self.dense_factor(inp, w),
                call.input(5 + g), self.dense_factor(self.hidden, r))
        cell = self.cell.scale
        self.forget_factor = quantize_multiplier(self.UNIT * cell / cell)
        self.input_factor = quantize_multiplier(self.UNIT * self.UNIT / cell)
        self.output_factor = quantize_multiplier(self.UNIT * self.UNIT / self.hidden.scale)
        clip = call.option(1, 'f')
        self.clip = int(clamp(clip / cell, -32768.0, 32767.0)) if clip > 0 else None
        shift = 12 + round(math.log2(cell))  # of the cell state, for tanh
        self.tanh_factor = (3 << shift, 0) if shift >= 0 else (3, -shift)

    def dense_factor(self, inp, weights):
        return quantize_multiplier(float32(inp.scale * weights.scale) / self.GATE_SCALE)

    def gate(self, name, x, h):
        w, bias, factor, r, recurrent_factor = self.gates[name]
        a = dense16(x, w, bias, factor)
        b = dense16(h, r, [0] * len(bias), recurrent_factor)
        total = [saturate16(p + q) for p, q in zip(a, b)]
        curve = tanh16 if name == 'cell' else logistic16
        return [curve(v, 3, 0) for v in total]

    def step(self, x, hidden, cell):
        """hidden and cell are lists that are changed in place."""
        zero = self.hidden.zero_point
        h = [v - zero for v in hidden]
        gate = {name: self.gate(name, x, h) for name in GATES}
        for i in range(len(cell)):
            kept = saturate16(multiply(gate['forget'][i] * cell[i], *self.forget_factor))
            new = saturate16(multiply(gate['input'][i] * gate['cell'][i], *self.input_factor))
            cell[i] = saturate16(kept + new)
            if self.clip is not None:
                cell[i] = clamp(cell[i], -self.clip, self.clip)
            squashed = tanh16(cell[i], *self.tanh_factor)
            hidden[i] = clamp(multiply(squashed * gate['output'][i], *self.output_factor) + zero,
                              -128, 127)


def unidirectional_sequence_lstm(call):
    if call.option(0, 'b') != TANH:
        raise Unsupported('LSTM with another activation than tanh')
    lstm = Lstm(call)
    inp = call.tensor(0)
    time_major = call.option(3, 'b')
    steps, batches = inp.shape[:2] if time_major else inp.shape[1::-1]
    depth, units = inp.shape[2], len(call.input(13))
    data, hidden, cell = call.input(0), call.input(18), call.input(19)
    result = [0] * (steps * batches * units)
    for b in range(batches):
        h, c = hidden[b * units:(b + 1) * units], cell[b * units:(b + 1) * units]
        for t in range(steps):
            row = t * batches + b if time_major else b * steps + t
            x = [v - inp.zero_point for v in data[row * depth:(row + 1) * depth]]
            lstm.step(x, h, c)
            result[row * units:(row + 1) * units] = h
        hidden[b * units:(b + 1) * units], cell[b * units:(b + 1) * units] = h, c
    return [result]


def var_handle(call):
    """A handle is the variable's name; containers only tell names apart."""
    options = call.op.options
    return [[(options.text(0), options.text(1))]]


def read_variable(call):
    """Before the first assignment a variable holds its zero point."""
    out = call.output()
    return [list(call.state.get(call.input(0)[0], [out.zero_point] * out.size))]


def assign_variable(call):
    call.state[call.input(0)[0]] = list(call.input(1))
    return []
