#!/usr/bin/env python3
"""The far ends of network instruments, for tests: iiod (protocol 0.24), a SCPI supply, an N6705.

usage: instruments.py iiod|scpi|scpi-pty|vxi11|n6705 [TROUBLE]

Prints `ready PORT` (or the file, for scpi-pty) and serves until standard input closes. The current is a square wave in steps of
the instrument's own samples: HIGH_A for the last fifth of each hundred samples, LOW_A before.
INSTRUMENT_LOG names a file for the commands of a supply, INSTRUMENT_SWITCH the control FIFO of a
tinyrig-vboard that it feeds.
"""
import os
import pty
import socket
import struct
import sys
import threading
import time
import tty

kind, trouble = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "")
HIGH_A, LOW_A, VOLTS = 40e-3, 2e-3, 3.3
ENUMERATION_S = 0.7


def switch(words):
    with open(os.environ["INSTRUMENT_SWITCH"], "w") as f:
        f.write(words)


def amperes(n):
    return HIGH_A if n % 100 >= 80 else LOW_A


# ---- iiod ----

IIO_RATE, SHUNT_OHM, SHUNT_MV, BUS_MV = 1000.0, 1.0, 0.0025, 1.25
NEGATIVE = 777  # this sample is -10 uA: a shunt reads below zero

# As iiod sends it: what a description consists of.
DTD = """<!DOCTYPE context [
<!ELEMENT context (device | context-attribute)*>
<!ELEMENT context-attribute EMPTY>
<!ELEMENT device (channel | attribute | debug-attribute | buffer-attribute)*>
<!ELEMENT channel (scan-element?, attribute*)>
<!ELEMENT attribute EMPTY>
<!ELEMENT scan-element EMPTY>
<!ELEMENT debug-attribute EMPTY>
<!ELEMENT buffer-attribute EMPTY>
<!ATTLIST context name CDATA #REQUIRED description CDATA #IMPLIED>
<!ATTLIST context-attribute name CDATA #REQUIRED value CDATA #REQUIRED>
<!ATTLIST device id CDATA #REQUIRED name CDATA #IMPLIED label CDATA #IMPLIED>
<!ATTLIST channel id CDATA #REQUIRED type (input|output) #REQUIRED name CDATA #IMPLIED>
<!ATTLIST scan-element index CDATA #REQUIRED format CDATA #REQUIRED scale CDATA #IMPLIED>
<!ATTLIST attribute name CDATA #REQUIRED filename CDATA #IMPLIED value CDATA #IMPLIED>
<!ATTLIST debug-attribute name CDATA #REQUIRED value CDATA #IMPLIED>
<!ATTLIST buffer-attribute name CDATA #REQUIRED value CDATA #IMPLIED>]>"""

CHANNEL = """<channel id="%s" type="input"><scan-element index="%d" format="%s"/>%s</channel>"""
ATTRIBUTES = """<attribute name="raw" filename="in_%s_raw"/><attribute name="scale" filename="in_%s_scale"/>"""


# Stamps of more than fits, and ones that lie outside of their own bytes.
STAMP = {"wide": "le:S64/64X8&gt;&gt;0", "beyond": "le:U48/64&gt;&gt;40"}


def iio_xml():
    def channel(name, index, form, attributes=True):
        return CHANNEL % (name, index, form, ATTRIBUTES % (name, name) if attributes else "")

    sensor = """<device id="iio:device%d" name="ina226">""" + channel("voltage0", 0, "le:U16/16&gt;&gt;0") + \
        channel("voltage1", 1, "le:U16/16&gt;&gt;0") + channel("timestamp", 2, STAMP.get(trouble, "le:S64/64&gt;&gt;0"), False) + \
        """<attribute name="in_shunt_resistor"/><attribute name="in_allow_async_readout"/></device>"""
    adc = """<device id="iio:device7" name="ad7768">""" + channel("current0", 0, "be:s24/32&gt;&gt;8") + \
        channel("timestamp", 1, "le:S64/64&gt;&gt;0", False) + "</device>"
    plain = """<device id="iio:device9" name="bme280"></device>"""
    devices = {"two": sensor % 0 + sensor % 1, "none": plain, "adc": adc}.get(trouble, sensor % 0 + plain)
    return ("""<?xml version="1.0" encoding="utf-8"?>""" + DTD.replace("\n", "") +
            """<context name="local" description="emulated sensors">%s</context>""" % devices).encode()


class Sensor:
    def __init__(self, connection):
        self.c, self.n, self.t0, self.mask, self.adc = connection, 0, 0, 0, False

    def text(self, value):
        b = value.encode() + b"\0"
        self.c.sendall(b"%d\n" % len(b) + b + b"\n")

    def read(self, words):
        values = {"voltage0 raw": "%d" % round(LOW_A * 1e3 / SHUNT_MV), "voltage0 scale": "%g" % SHUNT_MV,
                  "voltage1 raw": "%d" % round(VOLTS * 1e3 / BUS_MV), "voltage1 scale": "%g" % BUS_MV,
                  "current0 scale": "0.001", "in_shunt_resistor": "%g" % SHUNT_OHM}
        if trouble == "nan":
            values["in_shunt_resistor"] = "nan"
        if trouble == "words":
            values["voltage0 scale"] = "a lot"
        key = " ".join(words[3:]) if len(words) > 3 and words[2] == "INPUT" else words[-1]
        self.text(values[key]) if key in values else self.c.sendall(b"-2\n")

    def stamp(self):
        n = self.n
        if trouble == "gap" and n >= 500:
            n += 7
        if trouble == "pause" and n >= 500:  # longer than any block of samples
            n += 9000
        if trouble == "huge" and n >= 500:
            n += 2000000
        if trouble == "back" and n >= 500:
            n -= 400
        return 0 if trouble == "still" else int((self.t0 + n / IIO_RATE) * 1e9)

    def sample(self):
        if self.adc:
            return struct.pack(">i", round(amperes(self.n) * 1e6) << 8) + b"\0" * 4 + struct.pack("<q", self.stamp())
        code = -4 if self.n % 1000 == NEGATIVE else round(amperes(self.n) * SHUNT_OHM * 1e3 / SHUNT_MV)
        return struct.pack("<HHIq", code & 0xffff, round(VOLTS * 1e3 / BUS_MV), 0, self.stamp())

    def fill(self, size):
        out = bytearray()
        if trouble == "mute" and self.n >= 500:
            time.sleep(6)
        if trouble == "gone" and self.n >= 500:
            self.c.close()
            return
        while len(out) + 16 <= size:
            out += self.sample()
            self.n += 1
        time.sleep(max(0.0, self.t0 + self.n / IIO_RATE - time.time()))
        self.c.sendall(b"%d\n%08x\n" % (len(out), self.mask) + bytes(out))

    def command(self, w, f):
        if w[0] == "VERSION":
            self.c.sendall(b"0.24.v0.24  \n")
        elif w[0] == "PRINT":
            xml = iio_xml() if trouble != "garbage" else b"<context><device id=" + b"\xff" * 200
            self.c.sendall(b"%d\n" % len(xml) + xml + b"\n")
        elif w[0] in ("TIMEOUT", "SET", "CLOSE"):
            self.c.sendall(b"0\n")
        elif w[0] == "READ":
            self.read(w)
        elif w[0] == "WRITE":
            f.read(int(w[-1]))
            self.c.sendall(b"%d\n" % int(w[-1]))
        elif w[0] == "OPEN":
            self.mask, self.t0, self.n, self.adc = int(w[3], 16), time.time(), 0, w[1].endswith("7")
            self.c.sendall(b"0\n" if trouble != "busy" else b"-16\n")
        elif w[0] == "READBUF":
            self.fill(int(w[2]))
        elif w[0] == "GETTRIG":
            self.c.sendall(b"-2\n")
        else:
            self.c.sendall(b"-22\n")


def serve_iiod(c):
    f, sensor = c.makefile("rb"), Sensor(c)
    for line in f:
        words = line.decode().split()
        if words and words[0] == "EXIT":
            return
        if words:
            sensor.command(words, f)


# ---- SCPI ----


class Supply:
    fed = True  # the board, whoever is connected

    def feed(self):
        """The board's supply and its cable follow the output, once for each change.

        A board that gets its supply takes a while until its port is there."""
        if self.on == Supply.fed or "INSTRUMENT_SWITCH" not in os.environ:
            return
        Supply.fed = self.on
        if self.on:
            threading.Timer(ENUMERATION_S, switch, ["power on\nreplug\n"]).start()
        else:
            switch("unplug\npower off\n")

    def __init__(self, connection):
        self.c, self.volts, self.on, self.errors, self.n = connection, 1.0, False, [], 0
        self.period, self.logging, self.functions = 0.0, 0.0, set()

    def say(self, text):
        self.c.sendall(text.encode() + b"\n")

    def measure(self):
        self.n += 1
        if trouble == "nan":
            return "9.91E37"
        if trouble == "words":
            return "ERR overload"
        if trouble == "mute" and self.n > 3:
            return None
        if trouble == "endless":
            return "1" * 5000
        return "%+.6E" % (LOW_A if self.on else 0)

    def set_volts(self, text):
        value = float(text)
        if 0 <= value <= 6:
            self.volts = value if trouble != "stuck" else 1.0
        else:
            self.errors.append('-222,"Data out of range"')

    def fetch(self, what, most):
        """IEEE 488.2 definite block of big-endian floats, those that are due and not fetched."""
        due = int((time.time() - self.logging) / self.period)
        n = min(most, max(0, due - self.n.setdefault(what, 0)))
        first = self.n[what]
        if trouble == "overrun" and first > 1000:
            self.errors.append('+309,"Elog FIFO overflow"')
        values = [(amperes(first + k) if what == "CURR" else self.volts) for k in range(n)]
        if trouble == "holes" and n > 10:
            values[5] = 9.91e37
        data = struct.pack(">%df" % n, *values)
        if trouble == "block" and first > 0:
            self.c.sendall(b"#9999999999" + data + b"\n")
            return
        length = b"%d" % len(data)
        self.c.sendall(b"#%d" % len(length) + length + data + b"\n")
        self.n[what] += n

    def log(self, line):
        if line.startswith("SENS:ELOG:FUNC:"):
            self.functions.add(line[15:19])
        elif line.startswith("SENS:ELOG:PER "):
            self.period = float(line[14:].split(",")[0])
            if self.period < 102.4e-6 * len(self.functions):
                self.errors.append('-222,"Data out of range"')
        elif line.startswith("INIT:ELOG"):
            self.n = {}
        elif line.startswith("TRIG:ELOG") or line == "*TRG":
            self.logging = time.time()
        elif line.startswith("FETC:ELOG:"):
            self.fetch(line[10:14], int(line.split("?")[1].split(",")[0]))
        elif not line.startswith(("FORM ", "ABOR:ELOG", "TRIG:ELOG:SOUR", "FORM:BORD")):
            self.errors.append('-113,"Undefined header"')

    def command(self, line):
        line = line.split(";")[0]
        if "INSTRUMENT_LOG" in os.environ:
            with open(os.environ["INSTRUMENT_LOG"], "a") as f:
                f.write("%.3f %s\n" % (time.time(), line))
        name = "Keysight Technologies,N6705C,MY56001234,E.02.07" if kind == "n6705" else "HEWLETT-PACKARD,66312A,0,A.01"
        if line == "*IDN?":
            self.say(name if trouble != "stranger" else "login:")
        elif line == "*CLS":
            self.errors.clear()
        elif line == "SYST:ERR?":
            self.say(self.errors.pop(0) if self.errors else '+0,"No error"')
        elif line.startswith("VOLT "):
            self.set_volts(line[5:].split(",")[0])
        elif line.startswith("VOLT?"):
            self.say("%+.5E" % self.volts)
        elif line.startswith("OUTP "):
            self.on = line[5:].startswith("ON")
            self.feed()
        elif line.startswith("OUTP?"):
            self.say("1" if self.on else "0")
        elif line.startswith("MEAS:VOLT?"):
            self.say("%+.5E" % (self.volts if self.on else 0.0))
        elif line.startswith("MEAS:CURR?"):
            answer = self.measure()
            if answer is not None:
                self.c.sendall(answer.encode() + (b"" if trouble == "endless" else b"\n"))
        elif kind == "n6705":
            self.log(line)
        else:
            self.errors.append('-113,"Undefined header"')


def serve_scpi(c):
    supply = Supply(c)
    for line in c.makefile("rb"):
        supply.command(line.decode("ascii", "replace").strip())


def serve(c):
    try:
        {"iiod": serve_iiod, "vxi11": serve_vxi}.get(kind, serve_scpi)(c)
    except (OSError, ValueError, struct.error):
        pass
    c.close()


def accept(server):
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


class Terminal:
    """A pty in place of /dev/usbtmcN."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)

    def sendall(self, data):
        os.write(self.master, data)

    def makefile(self, mode):
        return os.fdopen(self.master, mode, closefd=False)

    def close(self):
        pass


# ---- VXI-11: SCPI in calls of ONC RPC (RFC 5531), found through a portmapper on port 111 ----

PORTMAP, GETPORT, DEVICE_CORE = 100000, 3, 0x0607AF
CREATE_LINK, DEVICE_WRITE, DEVICE_READ, DESTROY_LINK = 10, 11, 12, 23


def opaque(data):
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def call_of(message):
    """Number, program, its version, procedure, and the arguments behind credentials and verifier."""
    xid, _, _, program, version, procedure = struct.unpack_from(">6I", message)
    at = 24
    for _ in range(2):
        at += 8 + (struct.unpack_from(">I", message, at + 4)[0] + 3) // 4 * 4
    return xid, program, version, procedure, message[at:]


def reply_to(xid, result):
    return struct.pack(">6I", xid, 1, 0, 0, 0, 0) + result


class Said:
    """What the supply answers, until it is read."""

    def __init__(self):
        self.data = b""

    def sendall(self, data):
        self.data += data


def vxi_result(procedure, arguments, supply):
    if procedure == CREATE_LINK:
        return struct.pack(">4I", 0, 7, 0, 65536)
    if procedure == DEVICE_WRITE:
        size = struct.unpack_from(">I", arguments, 16)[0]
        for line in arguments[20:20 + size].decode().splitlines():
            supply.command(line.strip())
        return struct.pack(">2I", 0, size)
    if procedure == DEVICE_READ:
        data, supply.c.data = supply.c.data, b""
        return struct.pack(">2I", 0 if data else 15, 4) + opaque(data)  # 15: it timed out
    return struct.pack(">I", 0)


def serve_vxi(c):
    supply = Supply(Said())
    while True:
        head = c.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return
        message = c.recv(struct.unpack(">I", head)[0] & 0x7fffffff, socket.MSG_WAITALL)
        xid, program, version, procedure, arguments = call_of(message)
        if program == PORTMAP:  # the instrument is behind the same port
            known = procedure == GETPORT and struct.unpack_from(">I", arguments)[0] == DEVICE_CORE
            result = struct.pack(">I", 111 if known else 0) if version == 2 else \
                opaque(b"127.0.0.1.0.111" if known else b"")  # rpcbind: a universal address
        else:
            result = vxi_result(procedure, arguments, supply)
        reply = reply_to(xid, result)
        c.sendall(struct.pack(">I", 0x80000000 | len(reply)) + reply)


if kind == "scpi-pty":
    terminal = Terminal()
    threading.Thread(target=serve, args=(terminal,), daemon=True).start()
    print("ready %s" % os.ttyname(terminal.slave), flush=True)
    sys.stdin.read()
    sys.exit(0)

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    server.bind(("127.0.0.1", 111 if kind == "vxi11" else 0))
except OSError:  # not root, or a portmapper runs here
    print("ready none", flush=True)
    sys.exit(0)
server.listen(4)
threading.Thread(target=accept, args=(server,), daemon=True).start()
print("ready %d" % server.getsockname()[1], flush=True)
sys.stdin.read()
