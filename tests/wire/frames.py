"""Frames of the wire protocol (COBS, CRC-32), by code of its own so that tests also check the C."""
import struct
import zlib

CRC_SIZE = 4


def cobs_encode(data):
    out = bytearray()
    for block in data.split(b"\0"):
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
        out += bytes([len(block) + 1]) + block
    return bytes(out)


def cobs_decode(data):
    """The bytes, or None if they are cut short or hold a zero."""
    out = bytearray()
    while data:
        code, data = data[0], data[1:]
        if code == 0 or len(data) < code - 1:
            return None
        out += data[:code - 1]
        data = data[code - 1:]
        if code < 255 and data:
            out.append(0)
    return bytes(out)


def pack(body):
    """What stands between two delimiters for a frame's header and message."""
    return cobs_encode(body + struct.pack("<I", zlib.crc32(body)))


def unpack(raw):
    """Header and message of what stood between two delimiters; None if it is no whole frame."""
    data = cobs_decode(raw)
    if data is None or len(data) < CRC_SIZE:
        return None
    body, crc = data[:-CRC_SIZE], data[-CRC_SIZE:]
    return body if struct.pack("<I", zlib.crc32(body)) == crc else None
