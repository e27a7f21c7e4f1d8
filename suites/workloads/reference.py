#!/usr/bin/env python3
"""The workloads once more, written from their descriptions, not from their code.

usage: reference.py make|check FOLDER    writes NAME-inNN.bin and NAME-outNN.bin, or compares them
"""
import os
import struct
import sys


class Random:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return self.state >> 16


def crc16(crc, value):
    for byte in struct.pack("<H", value % 2**16):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def integer(data, rounds=4, elements=100, size=10):
    random = Random(struct.unpack("<I", data)[0])
    listed = matrix = text = numbers = 0
    for _ in range(rounds):
        values = [(random.next() + 2**15) % 2**16 - 2**15 for _ in range(elements)]
        for v in sorted(values):
            listed = crc16(listed, v)
        cells = [(random.next() & 0xFF) - 128 for _ in range(2 * size * size)]
        a, b = cells[:size * size], cells[size * size:]
        for y in range(size):
            for x in range(size):
                total = sum(a[y * size + k] * b[k * size + x] for k in range(size))
                matrix = crc16(crc16(matrix, total), total >> 16)
        state, visits = "between", dict.fromkeys(("between", "sign", "whole", "fraction", "word"), 0)
        letters = ["01259,,,-.x,73-,"[random.next() & 15] for _ in range(64)]
        for c in letters:
            before = state
            if c == ",":
                state = "between"
            elif c.isdigit():
                state = "whole" if before in ("between", "sign") else before
            elif c == "-" and before == "between":
                state = "sign"
            elif c == "." and before == "whole":
                state = "fraction"
            else:
                state = "word"
            numbers += state == "whole" and before != "whole"
            visits[state] += 1
        for n in visits.values():
            text = crc16(text, n)
    return struct.pack("<4H", listed, matrix, text, numbers)


def fir(data, taps=48):
    def limit(v):
        return max(-2**15, min(2**15 - 1, v))

    def coefficient(k):
        c = ((k * 2654435761 + 12345) % 2**32 >> 16)
        c = c - 2**16 if c >= 2**15 else c
        n = taps
        while n > 1:
            c, n = int(c / 2), (n + 1) // 2  # towards zero
        return c

    samples = struct.unpack(f"<{len(data) // 2}h", data)
    c = [coefficient(k) for k in range(taps)]
    out, last = [], 0
    for n in range(len(samples)):
        total = sum(c[k] * samples[n - k] for k in range(min(taps, n + 1)))
        last = limit(limit((total + 2**14) >> 15) + (last * 3 >> 2))
        out.append(last)
    return struct.pack(f"<{len(out)}h", *out)


def vectors():
    for i, seed in enumerate((1, 2026, 0xFFFFFFFF)):
        data = struct.pack("<I", seed)
        yield f"integer-in{i:02}.bin", data, f"integer-out{i:02}.bin", integer(data)
    for i in range(3):
        random = Random(i + 1)
        peak = (32767, 4000, 32767)[i]
        values = [random.next() % (2 * peak) - peak if i < 2 else peak if n % 16 < 8 else -peak
                  for n in range(64)]
        data = struct.pack("<64h", *values)
        yield f"fir-in{i:02}.bin", data, f"fir-out{i:02}.bin", fir(data)


def main():
    verb, folder = sys.argv[1:]
    for pair in vectors():
        for name, data in (pair[:2], pair[2:]):
            path = os.path.join(folder, name)
            if verb == "make":
                with open(path, "wb") as f:
                    f.write(data)
            else:
                with open(path, "rb") as f:
                    if f.read() != data:
                        sys.exit(f"{name} is not what the reference computes")


if __name__ == "__main__":
    main()
