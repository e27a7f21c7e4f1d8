"""Writes .tflite files: the other direction of flatfile.py, for models made of a few operators."""

import struct

from .flatfile import OPERATORS, TYPES

NUMBERS = {name: number for number, name in OPERATORS.items()}
TYPE_NUMBERS = {name: number for number, (name, _) in TYPES.items()}

# operator: number of its options table in the BuiltinOptions union
OPTIONS = {
    'ADD': 11, 'ARG_MAX': 40, 'ASSIGN_VARIABLE': 113, 'AVERAGE_POOL_2D': 5, 'BATCH_MATMUL': 101,
    'CAST': 37, 'CONCATENATION': 10, 'CONV_2D': 1, 'DEPTHWISE_CONV_2D': 2, 'DEQUANTIZE': 38,
    'EXPAND_DIMS': 52, 'FULLY_CONNECTED': 8, 'GATHER': 23, 'HARD_SWISH': 91, 'LEAKY_RELU': 75,
    'MAXIMUM': 39, 'MAX_POOL_2D': 5, 'MEAN': 27, 'MINIMUM': 39, 'MIRROR_PAD': 77, 'MUL': 21,
    'PACK': 59, 'PAD': 22, 'PADV2': 43, 'QUANTIZE': 89, 'READ_VARIABLE': 112, 'REDUCE_MAX': 27,
    'RESHAPE': 17, 'RESIZE_BILINEAR': 15, 'RESIZE_NEAREST_NEIGHBOR': 74, 'SLICE': 48, 'SOFTMAX': 9,
    'SPLIT': 35, 'SPLIT_V': 79, 'SQUEEZE': 30, 'STRIDED_SLICE': 32, 'SUB': 28, 'SVDF': 6,
    'TRANSPOSE': 26, 'TRANSPOSE_CONV': 49, 'UNIDIRECTIONAL_SEQUENCE_LSTM': 71, 'UNPACK': 64,
    'VAR_HANDLE': 111, 'CALL_ONCE': 103,
}


class Writer:
    """Front to back: parents first, references filled in when their target is written."""

    def __init__(self):
        self.out = bytearray(8)
        self.out[4:8] = b'TFL3'

    def align(self, lead, n):
        while (len(self.out) + lead) % n:
            self.out.append(0)

    def point(self, slot):
        struct.pack_into('<I', self.out, slot, len(self.out) - slot)

    def table(self, slot, fields):
        """fields: {number: (format, value)}, 'ref' for references. Returns {number: place}."""
        order = sorted(fields, key=lambda n: -self.size(fields[n][0]))
        places, size = {}, 4
        for n in order:
            width = self.size(fields[n][0])
            size += -size % width
            places[n] = size
            size += width
        slots = max(fields, default=-1) + 1
        vtable = 4 + 2 * slots
        self.align(vtable, 8)
        offsets = [places.get(n, 0) for n in range(slots)]
        self.out += struct.pack('<%dH' % (2 + slots), vtable, size, *offsets)
        start = len(self.out)
        self.point(slot)
        self.out += struct.pack('<i', vtable) + bytes(size - 4)
        for n, (fmt, value) in fields.items():
            if fmt != 'ref':
                struct.pack_into('<' + fmt, self.out, start + places[n], value)
        return {n: start + p for n, p in places.items()}

    @staticmethod
    def size(fmt):
        return 4 if fmt == 'ref' else struct.calcsize(fmt)

    def vector(self, slot, fmt, values, align=4):
        width = struct.calcsize('<' + fmt)
        self.align(4, max(align, width))
        self.point(slot)
        self.out += struct.pack('<I%d%s' % (len(values), fmt), len(values), *values)

    def string(self, slot, text):
        self.vector(slot, 'B', text.encode())
        self.out.append(0)

    def refs(self, slot, count):
        self.vector(slot, 'I', [0] * count)
        return [len(self.out) - 4 * (count - i) for i in range(count)]


class Builder:
    """Collects tensors and operators; finish() gives the file."""

    def __init__(self):
        self.tensors = []
        self.operators = []
        self.second = None  # the builder of a second graph, without inputs and outputs

    def tensor(self, name, type_name, shape, scales=(), zero_points=(), axis=0, data=None,
               variable=False):
        """data: the values of a constant. Returns the tensor's index."""
        self.tensors.append((name, type_name, list(shape), list(scales), list(zero_points), axis,
                             data, variable))
        return len(self.tensors) - 1

    def constant(self, name, values, shape=None):
        return self.tensor(name, 'INT32', [len(values)] if shape is None else shape, data=values)

    def operator(self, name, inputs, outputs, version=1, options=None):
        """options: {field number: (struct format, value)}; a list is a vector, a str a string.
        The name 'CUSTOM:name' is a custom operator, whose options are {'custom': bytes};
        {'intermediates': tensors} are those that some operators have for scales of their insides."""
        self.operators.append((name, list(inputs), list(outputs), version, options or {}))

    def finish(self, inputs, outputs):
        w = Writer()
        graphs = [(self, inputs, outputs)] + ([(self.second, [], [])] if self.second else [])
        codes = sorted({(op[0], op[3]) for g, _, _ in graphs for op in g.operators})
        root = w.table(0, {0: ('I', 3), 1: ('ref', 0), 2: ('ref', 0), 3: ('ref', 0), 4: ('ref', 0)})
        for slot, (name, version) in zip(w.refs(root[1], len(codes)), codes):
            builtin, _, custom = name.partition(':')
            number = NUMBERS[builtin]
            fields = {0: ('b', min(number, 127)), 2: ('i', version), 3: ('i', number)}
            if custom:
                fields[1] = ('ref', 0)
            places = w.table(slot, fields)
            if custom:
                w.string(places[1], custom)
        buffers = [b'']
        for slot, graph in zip(w.refs(root[2], len(graphs)), graphs):
            graph[0].write_graph(w, slot, graph[1:], codes, buffers)
        w.string(root[3], 'made by suites/models/single_op.py')
        for slot, data in zip(w.refs(root[4], len(buffers)), buffers):
            places = w.table(slot, {0: ('ref', 0)} if data else {})
            if data:
                w.vector(places[0], 'B', data, 16)
        return bytes(w.out)

    def write_graph(self, w, slot, ends, codes, buffers):
        graph = w.table(slot, {n: ('ref', 0) for n in range(5)})
        for place, t in zip(w.refs(graph[0], len(self.tensors)), self.tensors):
            self.write_tensor(w, place, t, buffers)
        w.vector(graph[1], 'i', ends[0])
        w.vector(graph[2], 'i', ends[1])
        for place, op in zip(w.refs(graph[3], len(self.operators)), self.operators):
            self.write_operator(w, place, op, codes)
        w.string(graph[4], 'main')

    @staticmethod
    def pack(type_name, data):
        if type_name == 'INT4':
            half = [v & 15 for v in data] + [0] * (len(data) % 2)
            return bytes(a | b << 4 for a, b in zip(half[::2], half[1::2]))
        return struct.pack('<%d%s' % (len(data), TYPES[TYPE_NUMBERS[type_name]][1]), *data)

    def write_tensor(self, w, slot, tensor, buffers):
        name, type_name, shape, scales, zero_points, axis, data, variable = tensor
        fields = {0: ('ref', 0), 1: ('b', TYPE_NUMBERS[type_name]), 2: ('I', 0), 3: ('ref', 0),
                  8: ('b', 1)}
        if data is not None:
            fields[2] = ('I', len(buffers))
            buffers.append(self.pack(type_name, data))
        if scales:
            fields[4] = ('ref', 0)
        if variable:
            fields[5] = ('b', 1)
        places = w.table(slot, fields)
        w.vector(places[0], 'i', shape)
        w.string(places[3], name)
        if scales:
            q = w.table(places[4], {2: ('ref', 0), 3: ('ref', 0), 6: ('i', axis)})
            w.vector(q[2], 'f', scales)
            w.vector(q[3], 'q', zero_points)

    @staticmethod
    def write_operator(w, slot, operator, codes):
        name, inputs, outputs, version, options = operator
        fields = {0: ('I', codes.index((name, version))), 1: ('ref', 0), 2: ('ref', 0)}
        if name in OPTIONS:
            fields[3], fields[4] = ('B', OPTIONS[name]), ('ref', 0)
        if 'custom' in options:
            fields[5] = ('ref', 0)
        if 'intermediates' in options:
            fields[8] = ('ref', 0)
        places = w.table(slot, fields)
        w.vector(places[1], 'i', inputs)
        w.vector(places[2], 'i', outputs)
        if 'custom' in options:
            w.vector(places[5], 'B', options['custom'])
        if 'intermediates' in options:
            w.vector(places[8], 'i', options['intermediates'])
        if name not in OPTIONS:
            return
        options = {n: v for n, v in options.items() if n != 'intermediates'}
        refs = {n: ('ref', 0) if isinstance(v, (list, str)) else v for n, v in options.items()}
        inner = w.table(places[4], refs)
        for n, v in options.items():
            if isinstance(v, str):
                w.string(inner[n], v)
            elif isinstance(v, list):
                w.vector(inner[n], 'i', v)
