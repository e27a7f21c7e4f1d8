"""Runs a model operator by operator."""

import struct

from . import activation, conv, elementwise, real, recurrent, reduce, shape
from .common import Call, Unsupported
from .flatfile import Model

OPERATORS = {
    'ADD': elementwise.add,
    'ARG_MAX': reduce.arg_max,
    'ASSIGN_VARIABLE': recurrent.assign_variable,
    'AVERAGE_POOL_2D': conv.average_pool_2d,
    'BATCH_MATMUL': elementwise.batch_matmul,
    'CAST': elementwise.cast,
    'CONCATENATION': shape.concatenation,
    'CONV_2D': conv.conv_2d,
    'DEPTHWISE_CONV_2D': conv.depthwise_conv_2d,
    'DEQUANTIZE': elementwise.dequantize,
    'ELU': activation.elu,
    'EXPAND_DIMS': shape.copy,
    'FULLY_CONNECTED': conv.fully_connected,
    'GATHER': shape.gather,
    'HARD_SWISH': activation.hard_swish,
    'LEAKY_RELU': activation.leaky_relu,
    'LOGISTIC': activation.logistic_op,
    'MAXIMUM': elementwise.maximum,
    'MAX_POOL_2D': conv.max_pool_2d,
    'MEAN': reduce.mean,
    'MINIMUM': elementwise.minimum,
    'MIRROR_PAD': shape.mirror_pad,
    'MUL': elementwise.mul,
    'PACK': shape.pack,
    'PAD': shape.pad,
    'PADV2': shape.pad,
    'PRELU': elementwise.prelu,
    'QUANTIZE': elementwise.quantize,
    'READ_VARIABLE': recurrent.read_variable,
    'REDUCE_MAX': reduce.reduce_max,
    'RELU': activation.relu,
    'RELU6': activation.relu6,
    'RESHAPE': shape.copy,
    'RESIZE_BILINEAR': reduce.resize_bilinear,
    'RESIZE_NEAREST_NEIGHBOR': shape.resize_nearest_neighbor,
    'SLICE': shape.slice_op,
    'SOFTMAX': activation.softmax,
    'SPLIT': shape.split,
    'SPLIT_V': shape.split_v,
    'SQUEEZE': shape.copy,
    'STRIDED_SLICE': shape.strided_slice,
    'SUB': elementwise.sub,
    'SVDF': recurrent.svdf,
    'TANH': activation.tanh_op,
    'TRANSPOSE': shape.transpose,
    'TRANSPOSE_CONV': conv.transpose_conv,
    'UNIDIRECTIONAL_SEQUENCE_LSTM': recurrent.unidirectional_sequence_lstm,
    'UNPACK': shape.unpack,
    'VAR_HANDLE': recurrent.var_handle,
}


def operator(graph, op, number):
    """What computes an operator: real arithmetic for those that read and make float32."""
    data = 2 if op.name == 'TRANSPOSE_CONV' else 0
    floats = [op.inputs and graph.tensors[op.inputs[data]].type == 'FLOAT32',
              op.outputs and graph.tensors[op.outputs[0]].type == 'FLOAT32']
    if all(floats) and op.name in real.OPERATORS:
        return real.OPERATORS[op.name]
    if op.name not in OPERATORS:
        raise Unsupported('operator %d: %s' % (number, op.name))
    return OPERATORS[op.name]


class Interpreter:
    """Holds a model and, between runs, the values of its variables."""

    def __init__(self, data):
        self.model = Model(data)
        self.graph = self.model.graphs[0]
        self.reset()

    def reset(self):
        self.state = {}

    def run(self, inputs):
        """inputs: raw bytes of each input tensor. Returns every tensor's values by index."""
        values = {i: self.graph.tensors[i].unpack(raw)
                  for i, raw in zip(self.graph.inputs, inputs)}
        return self.run_graph(self.graph, values)

    def run_graph(self, graph, values):
        for i, t in enumerate(graph.tensors):
            if t.constant is not None:
                values[i] = t.constant
            elif t.is_variable:
                values[i] = self.state.setdefault(i, [t.zero_point] * t.size)
        for number, op in enumerate(graph.operators):
            if op.name == 'CALL_ONCE':
                self.call_once(op.option(0, 'i'))
                continue
            results = operator(graph, op, number)(Call(graph, op, values, self.state))
            for i, result in zip(op.outputs, results):
                values[i] = result
        return values

    def call_once(self, graph):
        if ('done', graph) not in self.state:
            self.state['done', graph] = True
            self.run_graph(self.model.graphs[graph], {})

    def outputs(self, inputs):
        """Raw bytes of each output tensor."""
        values = self.run(inputs)
        return [self.graph.tensors[i].pack(values[i]) for i in self.graph.outputs]


def split_inputs(graph, raw):
    """One file may hold several input tensors one after the other."""
    parts = []
    for i in graph.inputs:
        t = graph.tensors[i]
        n = t.size * struct.calcsize('<' + t.format)
        parts.append(raw[:n])
        raw = raw[n:]
    if raw:
        raise ValueError('input file is %d bytes too long' % len(raw))
    return parts
