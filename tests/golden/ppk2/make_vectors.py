#!/usr/bin/env python3
"""Reference vectors for the PPK2 decoder, out of the published formula and filter.

usage: make_vectors.py DIR    writes metadata.txt, words.bin, raw.f64, filtered.f64

Written from the description of the protocol (ppk2-api-python, ppk2-python and ppk2-rs agree on it),
not from our C. Python's floats are IEEE doubles and evaluate in the order written, so the decoder
must give the same bits. words.bin: a sample is a little-endian 32-bit word, no loss; the others:
one little-endian double a sample, amperes.
"""
import random
import struct
import sys

R = [1004.57, 102.18, 10.383, 0.9723, 0.0567]
GS = [0.0, 154.06, 23.39, 3.371, 0.1094]
GI = [1.0, 0.9572, 0.9503, 0.9362, 0.9440]
O = [151.8, 103.4, 87.9, 66.8, 118.3]
S = [-0.000000028, 0.00000031, 0.0000022, 0.000044, 0.0019]
I = [0.00000012, -0.0000004, -0.0000031, -0.00014, -0.007]
UG = [1.0, 1.01, 1.0, 0.99, 1.0]
VDD = 3300


def metadata():
    lines = ["Calibrated: 0"]
    for key, table in (("R", R), ("GS", GS), ("GI", GI), ("O", O), ("S", S), ("I", I), ("UG", UG)):
        lines += ["%s%d: %r" % (key, r, table[r]) for r in range(5)]
    lines += ["VDD: %d" % VDD, "HW: 9173", "mode: 2", "IA: 56"]
    random.Random(5).shuffle(lines)
    return "".join(line + "\n" for line in lines) + "END\n"


def words(count):
    """A walk through codes and ranges: stretches, single-sample visits, storms, both ends."""
    rng = random.Random(1)
    r, adc, logic = 0, 100, 0
    for n in range(count):
        p = rng.random()
        if p < 0.02:
            r = rng.randrange(5)
        elif p < 0.04 or 1500 < n < 1540:
            r = min(4, r + 1) if rng.random() < 0.5 else max(0, r - 1)
        if rng.random() < 0.05:
            adc = rng.choice([0, 1, 16383, rng.randrange(16384)])
        adc = max(0, min(16383, adc + rng.randrange(-20, 21)))
        if rng.random() < 0.01:
            logic = rng.randrange(256)
        yield adc | r << 14 | (n & 63) << 18 | logic << 24


def amperes(r, code):
    adc = code * 4
    x = (adc - O[r]) * ((1.8 / 163840) / R[r])
    return UG[r] * (x * (GS[r] * x + GI[r]) + (S[r] * (VDD / 1000) + I[r]))


class SpikeFilter:
    ALPHA, ALPHA5, SAMPLES = 0.18, 0.06, 3

    def __init__(self):
        self.rolling = self.rolling4 = self.prev_range = None
        self.after = self.consecutive = 0

    def feed(self, value, r):
        before, before4 = self.rolling, self.rolling4
        if self.rolling is None:
            self.rolling = self.rolling4 = value
        else:
            self.rolling = self.ALPHA * value + (1 - self.ALPHA) * self.rolling
            self.rolling4 = self.ALPHA5 * value + (1 - self.ALPHA5) * self.rolling4
        if self.prev_range is None:
            self.prev_range = r
        if self.prev_range != r or self.after > 0:
            if self.prev_range != r:
                self.consecutive = 0
                self.after = self.SAMPLES
            else:
                self.consecutive += 1
            if r == 4:
                if self.consecutive < 2:
                    self.rolling, self.rolling4 = before, before4
                value = self.rolling4
            else:
                value = self.rolling
            self.after -= 1
        self.prev_range = r
        return value


def main():
    folder = sys.argv[1]
    spike = SpikeFilter()
    stream = list(words(3000))
    raw = [amperes((w >> 14) & 7, w & 0x3FFF) for w in stream]
    filtered = [spike.feed(i, (w >> 14) & 7) for i, w in zip(raw, stream)]
    with open(folder + "/metadata.txt", "w") as f:
        f.write(metadata())
    for name, fmt, values in (("words.bin", "<I", stream), ("raw.f64", "<d", raw),
                              ("filtered.f64", "<d", filtered)):
        with open(folder + "/" + name, "wb") as f:
            f.write(b"".join(struct.pack(fmt, v) for v in values))


main()
