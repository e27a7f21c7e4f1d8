"""Operators with state."""

import math

from . import build
from .draft import generator, output_scale
from .fixed import float32


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


@generator
def variables_once(d):
    """The same with a first value that CALL_ONCE's graph gives."""
    variables(d)
    operators, total = d.builder.operators, d.builder.tensors[1]
    once = build.Builder()
    handle = once.tensor('handle', 'RESOURCE', [])
    first = once.tensor('first', *total[1:5], data=d.values('INT8', math.prod(total[2])))
    once.operator('VAR_HANDLE', [], [handle], 1, {0: '', 1: 'total'})
    once.operator('ASSIGN_VARIABLE', [handle, first], [], 1)
    d.builder.second = once
    d.builder.operator('CALL_ONCE', [], [], 1, {0: ('i', 1)})
    operators.insert(0, operators.pop())
