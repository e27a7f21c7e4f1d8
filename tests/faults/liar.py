"""An agent that lies: tinyrig's own behind a TCP port, with a man in the middle who changes answers."""
import os
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../wire"))
import frames  # noqa: E402

HEADER = 6  # format, type, seq, credit, nonce
READ_DATA, RUN_DONE, RECORD_INFO = 0x18, 0x26, 0x28
SAY_NOTHING = b"nothing"


def engine_failed(kind, fields):
    """The engine gave up in the last window of a run."""
    if kind != RUN_DONE or struct.unpack_from("<I", fields)[0] == 0:
        return None
    return fields[:4] + b"\3" + fields[5:]


def more_windows(kind, fields):
    """More windows were measured than were asked for."""
    if kind != RUN_DONE:
        return None
    return struct.pack("<I", struct.unpack_from("<I", fields)[0] + 5) + fields[4:]


def bent(kind, fields):
    """Time that grows with the square of the inferences: no line goes through it."""
    if kind != RECORD_INFO:
        return None
    _, _, inferences = struct.unpack_from("<QII", fields)
    return struct.pack("<Q", 1000 * inferences * inferences) + fields[8:]


def scattered(windows):
    """So many windows tell nothing of the inferences in them; the others say 1000 ticks of each."""
    left = windows

    def lie(kind, fields):
        nonlocal left
        if kind != RECORD_INFO:
            return None
        _, _, inferences = struct.unpack_from("<QII", fields)
        ticks = 1000 * inferences
        if inferences >= 1000 and left > 0:
            ticks = 1 if left % 2 == 0 else 10 ** 9
            left -= 1
        return struct.pack("<Q", ticks) + fields[8:]
    return lie


def wrong_after(reads):
    """So many answers of what is read are right, and then none."""
    left = reads

    def lie(kind, fields):
        nonlocal left
        if kind != READ_DATA:
            return None
        left -= 1
        return fields if left >= 0 else fields[:-1] + bytes([fields[-1] ^ 1])
    return lie


def silent(kind, fields):
    """A run that was begun is never heard of again."""
    return SAY_NOTHING if kind in (RUN_DONE, RECORD_INFO) else None


class Liar:
    """A board's port. lie(type, fields) gives other fields, SAY_NOTHING or None; it is told `count` times."""

    def __init__(self, agent, env, lie=None, count=0):
        self.agent, self.env, self.lie, self.left = agent, env, lie, count
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                self.session(connection)

    def session(self, connection):
        agent = subprocess.Popen([self.agent], stdin=connection, stdout=subprocess.PIPE, bufsize=0,
                                 env=self.env)
        pending = b""
        try:
            while got := os.read(agent.stdout.fileno(), 65536):
                *whole, pending = (pending + got).split(b"\0")
                for raw in whole:
                    connection.sendall(self.change(raw) + b"\0")
        except OSError:
            pass  # the host hung up
        agent.stdout.close()
        agent.kill()
        agent.wait()

    def change(self, raw):
        """One stretch between delimiters, as it is or as it should have been."""
        body = frames.unpack(raw)
        if self.left == 0 or body is None or len(body) < HEADER:
            return raw
        fields = self.lie(body[1], body[HEADER:])
        if fields is None:
            return raw
        self.left -= 1
        if fields is SAY_NOTHING:
            return b""
        return frames.pack(body[:HEADER] + fields)

    def close(self):
        self.server.close()
