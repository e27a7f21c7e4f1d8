#!/usr/bin/env python3
"""
Boot one firmware image in its emulator and talk to it: HELLO, two identical runs of the null
engine with stable ticks, a stored object read back, a reset. Speaks the wire protocol by its own
code, so that it also checks the C implementation.

usage: smoke_board.py FIRMWARE.elf COMMAND...
COMMAND starts the emulator; it finds its serial line on the descriptor that replaces {fd}, and a
socket nobody speaks on that replaces {orders}.
--crash has the measured code fault instead, and looks at how that is told.
Limits are asserted by options:  --expect NAME=VALUE (a field of HELLO), --stack-peak MAX.
"""
import argparse
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../wire'))
import frames  # noqa: E402

HELLO = struct.Struct('<8s12sIIIIIIIIHHBBBBBBBB')
HELLO_FIELDS = ('build_id chip_uid caps clock_hz tick_hz tick_overhead slot_base slot_size '
                'arena_base arena_size nonce max_payload version credits timebase engines '
                'reset_cause tick_bits records reserved').split()
CAP_SLOT_WRITE, CAP_MARKER, CAP_SLEEP = 1, 4, 32
RUN_MARKER, RUN_SLEEP = 1, 16
NONCE = 0x1234
HEADER = 6  # format, type, seq, credit, nonce


class Agent:
    def __init__(self, line):
        self.line = line
        self.seq = 0
        self.nonce = 0
        self.pending = b''
        self.console = b''

    def frame(self, deadline):
        """The next whole frame as (type, seq, credit, nonce, message); None at the deadline."""
        while True:
            while b'\0' in self.pending:
                raw, self.pending = self.pending.split(b'\0', 1)
                body = frames.unpack(raw)
                if body is not None and len(body) >= HEADER:
                    return (*struct.unpack('<xBBBH', body[:HEADER]), body[HEADER:])
                if raw:
                    self.console += raw
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.line], [], [], left)[0]:
                return None
            got = self.line.recv(65536)
            if not got:
                raise SystemExit(f'emulator went away; console: {self.console + self.pending!r}')
            self.pending += got

    def send(self, type_, message, seq):
        body = struct.pack('<BBBBH', 0x10, type_, seq, 0, self.nonce) + message
        self.line.sendall(b'\0' + frames.pack(body) + b'\0')

    def ask(self, type_, message, answer, timeout=20.0):
        """Send a request; its answer, and whatever else came before."""
        self.seq = (self.seq + 1) & 0xff
        others = []
        deadline = time.monotonic() + timeout
        for _ in range(4):
            self.send(type_, message, self.seq)
            while True:
                got = self.frame(min(deadline, time.monotonic() + timeout / 3))
                if got is None:
                    break
                if got[0] == answer and got[1] == self.seq:
                    return got[4], others
                if got[0] == 0x7c:
                    raise SystemExit(f'request {type_:#x}: error {got[4].hex()}')
                others.append(got)
        raise SystemExit(f'request {type_:#x}: no answer; console: {self.console + self.pending!r}')

    def hello(self, timeout=20.0):
        deadline = time.monotonic() + timeout
        while True:
            got = self.frame(deadline)
            if got is None:
                raise SystemExit(f'no HELLO; console: {self.console + self.pending!r}')
            if got[0] == 0x02:
                return dict(zip(HELLO_FIELDS, HELLO.unpack(got[4])))

    def open(self):
        self.nonce = NONCE
        message, _ = self.ask(0x01, struct.pack('<HBB', NONCE, 1, 1), 0x02)
        return dict(zip(HELLO_FIELDS, HELLO.unpack(message)))

    def stats(self, clear=0):
        message, _ = self.ask(0x07, bytes([clear]), 0x08)
        return dict(zip('stack_size stack_peak static_ram arena_used arena_touched '
                        'frames_in frames_bad bytes_lost'.split(), struct.unpack('<8I', message)))

    def load(self, loops):
        self.ask(0x21, struct.pack('<IIBxxx', 0, loops, 0), 0x22)

    def run(self, first, inferences, windows, flags=0, gap=0):
        done, others = self.ask(0x25, struct.pack('<IIIHH', first, inferences, gap, windows, flags),
                                0x26, timeout=60)
        records = [struct.unpack('<QIIIHBB', m[4]) for m in others if m[0] == 0x28]
        assert struct.unpack('<IBBH', done)[0] == first + windows, done
        assert len(records) == windows, records
        return [r[0] for r in records]

    def write(self, data):
        """Store an object in the slot, in order, one DATA at a time; then digest it in place."""
        crc = zlib.crc32(data)
        message, _ = self.ask(0x11, struct.pack('<IIBBBB', len(data), crc, 0, 0, 0, 0), 0x12)
        at = struct.unpack('<I', message)[0]
        while at < len(data):
            piece = data[at:at + 32]
            message, _ = self.ask(0x13, struct.pack('<I', at) + piece, 0x14)
            assert struct.unpack('<I', message)[0] == at + len(piece), message
            at += len(piece)
        message, _ = self.ask(0x15, struct.pack('<IBBH', len(data), 0, 0, 0), 0x16)
        assert struct.unpack('<II', message) == (len(data), crc), message


def build_id(path):
    """First 8 bytes of the GNU build id in the ELF file."""
    image = open(path, 'rb').read()
    at = image.index(struct.pack('<III', 4, 20, 3) + b'GNU\0')
    return image[at + 16:at + 24]


def crashing(path):
    """A copy of the image whose null engine dies in invoke(): its first instruction is none."""
    image = bytearray(open(path, 'rb').read())
    section_at, = struct.unpack_from('<I', image, 32)
    entry, count = struct.unpack_from('<HH', image, 46)
    sections = [struct.unpack_from('<10I', image, section_at + i * entry) for i in range(count)]
    symbols = next(s for s in sections if s[1] == 2)
    names = sections[symbols[6]][4]
    for at in range(symbols[4], symbols[4] + symbols[5], 16):
        name, value, _, info, _, section = struct.unpack_from('<IIIBBH', image, at)
        end = image.index(0, names + name)
        if image[names + name:end] == b'null_invoke' and info & 15 == 2:
            home = sections[section]
            # Undefined on every Cortex-M (udf 0) and not an instruction on RISC-V either way.
            where = home[4] + (value & ~1) - home[3]
            image[where:where + 2] = b'\x00\xde' if image[18] == 40 else b'\0\0'
            break
    else:
        raise SystemExit('no null_invoke in the image')
    copy = tempfile.NamedTemporaryFile(suffix='.elf')
    copy.write(image)
    copy.flush()
    return copy


def crash(options):
    """A fault in the measured code must be told on the console and in the next HELLO."""
    copy = crashing(options.firmware)
    command = [copy.name if word == options.firmware else word for word in options.command]
    process, line, orders = start(command)
    try:
        agent = Agent(line)
        agent.hello()
        agent.open()
        agent.load(0)
        agent.send(0x25, struct.pack('<IIIHH', 0, 1, 0, 1, 0), 99)
        if options.reset:
            again = agent.hello()
            assert again['reset_cause'] == 6 and again['nonce'] == 0, again
        else:
            agent.frame(time.monotonic() + 3)
            agent.frame(time.monotonic() + 1)
        said = agent.console + agent.pending
        print(said)
        assert b'tinyrig: fault ' in said and b'pc=' in said, said
    finally:
        process.kill()
        process.wait()
        line.close()
        orders.close()


def start(command):
    ours, theirs = socket.socketpair()
    orders, their_orders = socket.socketpair()
    names = {'{fd}': theirs.fileno(), '{orders}': their_orders.fileno()}
    for name, number in names.items():
        command = [word.replace(name, str(number)) for word in command]
    process = subprocess.Popen(command, pass_fds=names.values(), stdin=subprocess.DEVNULL)
    theirs.close()
    their_orders.close()
    return process, ours, orders


def measure(agent, loops):
    """Ticks of windows whose work is known to grow linearly, and of gaps."""
    agent.load(0)
    empty = agent.run(0, 0, 3)
    agent.load(1000)
    some = agent.run(3, 10, 3, RUN_MARKER)
    more = agent.run(6, 20, 3, RUN_MARKER)
    quiet = agent.run(9, 10, 1, RUN_MARKER | RUN_SLEEP, gap=200000)
    # Long enough for every counter narrower than 64 bits, or fast, to wrap.
    agent.load(loops)
    long = agent.run(10, 100, 1) + agent.run(11, 200, 1)
    return empty, some, more, quiet, long


def session(options):
    process, line, orders = start(options.command)
    try:
        agent = Agent(line)
        first = agent.hello()
        assert first['nonce'] == 0, first
        hello = agent.open()
        assert hello['nonce'] == NONCE and hello['build_id'] == build_id(options.firmware), hello
        assert hello['timebase'] != 0, 'the timebase failed its self-test'
        agent.stats(clear=1)
        ticks = measure(agent, options.loops)
        if hello['caps'] & CAP_SLOT_WRITE:
            agent.write(bytes((i * 7 + i // 256) & 0xff for i in range(options.bytes)))
        stats = agent.stats()
        if options.reset:
            agent.send(0x0b, b'\xa5', 0)
            again = agent.hello()
            assert again['nonce'] == 0 and again['reset_cause'] == 2, again
        assert stats['bytes_lost'] == 0 and stats['frames_bad'] == 0, stats
        return hello, ticks, stats
    finally:
        process.kill()
        process.wait()
        line.close()
        orders.close()


def check(options, hello, ticks, stats):
    empty, some, more, quiet, long = ticks
    for wanted in options.expect:
        name, value = wanted.split('=')
        assert hello[name] == int(value, 0), f'{name} is {hello[name]}, not {value}'
    spread = options.spread
    for windows in (some, more):
        assert max(windows) - min(windows) <= spread, f'unstable windows: {ticks}'
    # The same work twice: twice the ticks, once the overhead.
    assert abs((more[0] - empty[0]) - 2 * (some[0] - empty[0])) <= 4 * spread + empty[0], ticks
    assert abs(quiet[0] - some[0]) <= spread, f'gaps disturb the window: {ticks}'
    # Per wrap of a narrow counter an interrupt may fall into the window: a few parts per million,
    # but the same ones each time.
    assert abs(long[1] - 2 * long[0]) <= 1e-5 * long[1] + empty[0], f'wraps are lost: {long}'
    if options.stack_peak:
        assert stats['stack_peak'] <= options.stack_peak, stats
    assert stats['stack_peak'] < stats['stack_size'], f'the stack ran over: {stats}'


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--expect', action='append', default=[])
    parser.add_argument('--stack-peak', type=int)
    parser.add_argument('--spread', type=int, default=1, help='ticks that equal windows may differ')
    parser.add_argument('--bytes', type=int, default=3000)
    parser.add_argument('--loops', type=int, default=100000, help='of an inference in a long window')
    parser.add_argument('--no-reset', dest='reset', action='store_false')
    parser.add_argument('--crash', action='store_true', help='only: does it tell of a fault')
    parser.add_argument('firmware')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.crash:
        return crash(options)
    first = session(options)
    second = session(options)
    hello, ticks, stats = first
    print({k: v.hex() if isinstance(v, bytes) else v for k, v in hello.items()})
    print(ticks, stats)
    check(options, *first)
    for a, b in zip(first[1], second[1]):
        assert all(abs(x - y) <= options.spread for x, y in zip(a, b)), (first[1], second[1])


if __name__ == '__main__':
    sys.exit(main())
