"""Runs a model operator by operator."""

import struct

from . import conv, recurrent, shape, simple
from .common import Call, Unsupported
from .flatfile import Model

OPERATORS = {
    'ADD': simple.add,
    'AVERAGE_POOL_2D': conv.average_pool_2d,
    'CONV_2D': conv.conv_2d,
    'DEPTHWISE_CONV_2D': conv.depthwise_conv_2d,
    'DEQUANTIZE': simple.dequantize,
    'FULLY_CONNECTED': conv.fully_connected,
    'MAX_POOL_2D': conv.max_pool_2d,
    'PAD': shape.pad,
    'PADV2': shape.pad,
    'QUANTIZE': simple.quantize,
    'RELU': simple.relu,
    'RELU6': lambda call: simple.relu(call, 6.0),
    'RESHAPE': shape.copy,
    'SOFTMAX': simple.softmax,
    'SVDF': recurrent.svdf,
}


class Interpreter:
    """Holds a model and, between runs, the values of its variables."""

    def __init__(self, data):
        self.model = Model(data)
        self.reset()

    def reset(self):
        self.state = {}

    def run(self, inputs):
        """inputs: raw bytes of each input tensor. Returns every tensor's values by index."""
        model = self.model
        values = {i: t.constant for i, t in enumerate(model.tensors) if t.constant is not None}
        for i, t in enumerate(model.tensors):
            if t.is_variable:
                values[i] = self.state.setdefault(i, [t.zero_point] * t.size)
        for i, raw in zip(model.inputs, inputs):
            values[i] = model.tensors[i].unpack(raw)
        for number, op in enumerate(model.operators):
            if op.name not in OPERATORS:
                raise Unsupported('operator %d: %s' % (number, op.name))
            results = OPERATORS[op.name](Call(model, op, values, self.state))
            for i, result in zip(op.outputs, results):
                values[i] = result
        return values

    def outputs(self, inputs):
        """Raw bytes of each output tensor."""
        values = self.run(inputs)
        return [self.model.tensors[i].pack(values[i]) for i in self.model.outputs]


def split_inputs(model, raw):
    """One file may hold several input tensors one after the other."""
    parts = []
    for i in model.inputs:
        t = model.tensors[i]
        n = t.size * struct.calcsize('<' + t.format)
        parts.append(raw[:n])
        raw = raw[n:]
    if raw:
        raise ValueError('input file is %d bytes too long' % len(raw))
    return parts
