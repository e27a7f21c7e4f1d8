"""Reads a .tflite file: FlatBuffers by hand, field numbers from the public schema (version 3)."""

import struct

TYPES = {  # number: (name, struct format of one element)
    0: ('FLOAT32', 'f'), 2: ('INT32', 'i'), 3: ('UINT8', 'B'), 4: ('INT64', 'q'), 6: ('BOOL', '?'),
    7: ('INT16', 'h'), 9: ('INT8', 'b'), 13: ('RESOURCE', 'i'), 17: ('INT4', None),
}

OPERATORS = {
    0: 'ADD', 1: 'AVERAGE_POOL_2D', 2: 'CONCATENATION', 3: 'CONV_2D', 4: 'DEPTHWISE_CONV_2D',
    6: 'DEQUANTIZE', 9: 'FULLY_CONNECTED', 14: 'LOGISTIC', 17: 'MAX_POOL_2D', 18: 'MUL', 19: 'RELU',
    21: 'RELU6', 22: 'RESHAPE', 23: 'RESIZE_BILINEAR', 25: 'SOFTMAX', 27: 'SVDF', 28: 'TANH',
    32: 'CUSTOM', 34: 'PAD', 36: 'GATHER', 39: 'TRANSPOSE', 40: 'MEAN', 41: 'SUB', 43: 'SQUEEZE',
    44: 'UNIDIRECTIONAL_SEQUENCE_LSTM', 45: 'STRIDED_SLICE', 49: 'SPLIT', 53: 'CAST', 54: 'PRELU',
    55: 'MAXIMUM', 56: 'ARG_MAX', 57: 'MINIMUM', 60: 'PADV2', 65: 'SLICE', 67: 'TRANSPOSE_CONV',
    70: 'EXPAND_DIMS', 82: 'REDUCE_MAX', 83: 'PACK', 88: 'UNPACK', 97: 'RESIZE_NEAREST_NEIGHBOR',
    98: 'LEAKY_RELU', 100: 'MIRROR_PAD', 102: 'SPLIT_V', 111: 'ELU', 114: 'QUANTIZE',
    117: 'HARD_SWISH', 126: 'BATCH_MATMUL', 129: 'CALL_ONCE', 142: 'VAR_HANDLE',
    143: 'READ_VARIABLE', 144: 'ASSIGN_VARIABLE',
}


class Table:
    """A FlatBuffers table; fields are asked for by number with the schema's default."""

    def __init__(self, data, position):
        self.data = data
        self.position = position
        self.vtable = position - struct.unpack_from('<i', data, position)[0]
        self.vtable_size = struct.unpack_from('<H', data, self.vtable)[0]

    def _field(self, number):
        slot = 4 + 2 * number
        if slot >= self.vtable_size:
            return 0
        offset = struct.unpack_from('<H', self.data, self.vtable + slot)[0]
        return self.position + offset if offset else 0

    def scalar(self, number, fmt, default=0):
        at = self._field(number)
        return struct.unpack_from('<' + fmt, self.data, at)[0] if at else default

    def _target(self, number):
        at = self._field(number)
        return at + struct.unpack_from('<I', self.data, at)[0] if at else 0

    def table(self, number):
        at = self._target(number)
        return Table(self.data, at) if at else None

    def vector(self, number, fmt):
        at = self._target(number)
        if not at:
            return []
        count = struct.unpack_from('<I', self.data, at)[0]
        return list(struct.unpack_from('<%d%s' % (count, fmt), self.data, at + 4))

    def blob(self, number):
        at = self._target(number)
        if not at:
            return b''
        count = struct.unpack_from('<I', self.data, at)[0]
        return bytes(self.data[at + 4:at + 4 + count])

    def text(self, number):
        return self.blob(number).decode('utf-8', 'replace')

    def tables(self, number):
        at = self._target(number)
        if not at:
            return []
        count = struct.unpack_from('<I', self.data, at)[0]
        places = [at + 4 + 4 * i for i in range(count)]
        return [Table(self.data, p + struct.unpack_from('<I', self.data, p)[0]) for p in places]


class Tensor:
    """Shape, type, quantisation, and for constants the values as a flat list."""

    def __init__(self, table, buffers):
        self.shape = table.vector(0, 'i')
        self.type, self.format = TYPES[table.scalar(1, 'b')]
        self.name = table.text(3)
        self.is_variable = bool(table.scalar(5, 'b'))
        quantisation = table.table(4)
        self.scales = quantisation.vector(2, 'f') if quantisation else []
        self.zero_points = quantisation.vector(3, 'q') if quantisation else []
        self.axis = quantisation.scalar(6, 'i') if quantisation else 0
        raw = buffers[table.scalar(2, 'I')].blob(0)
        self.constant = self.unpack(raw) if raw else None

    @property
    def scale(self):
        return self.scales[0] if self.scales else 0.0

    @property
    def zero_point(self):
        return self.zero_points[0] if self.zero_points else 0

    @property
    def size(self):
        n = 1
        for d in self.shape:
            n *= d
        return n

    def unpack(self, raw):
        if self.type == 'INT4':  # two a byte, the low half first, two's complement
            halves = [h for byte in raw for h in (byte & 15, byte >> 4)]
            return [h - 16 if h > 7 else h for h in halves[:self.size]]
        return list(struct.unpack('<%d%s' % (self.size, self.format), raw))

    def pack(self, values):
        return struct.pack('<%d%s' % (self.size, self.format), *values)


class Operator:
    def __init__(self, table, codes):
        code = codes[table.scalar(0, 'I')]
        number = max(code.scalar(0, 'b'), code.scalar(3, 'i'))
        self.name = OPERATORS.get(number, 'operator %d' % number)
        self.version = code.scalar(2, 'i', 1)
        self.custom = code.text(1)
        self.inputs = table.vector(1, 'i')
        self.outputs = table.vector(2, 'i')
        self.options = table.table(4)
        self.intermediates = table.vector(8, 'i')

    def option(self, number, fmt, default=0):
        return self.options.scalar(number, fmt, default) if self.options else default


class Graph:
    """One subgraph."""

    def __init__(self, table, codes, buffers):
        self.tensors = [Tensor(t, buffers) for t in table.tables(0)]
        self.inputs = table.vector(1, 'i')
        self.outputs = table.vector(2, 'i')
        self.operators = [Operator(o, codes) for o in table.tables(3)]


class Model:
    """A whole file; graphs[0] is the main one."""

    def __init__(self, data):
        if data[4:8] != b'TFL3':
            raise ValueError('not a .tflite file')
        root = Table(data, struct.unpack_from('<I', data, 0)[0])
        codes = root.tables(1)
        buffers = root.tables(4)
        self.graphs = [Graph(g, codes, buffers) for g in root.tables(2)]
