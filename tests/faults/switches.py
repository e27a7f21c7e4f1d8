#!/usr/bin/env python3
"""Boards that only their supply brings back: by a USB hub, by a program for a PDU, by a GPIO line,
by the output of a bench supply that is their meter.

usage: switches.py BUILD SOURCE

The board is one that the harness knows nothing of but its serial port: tinyrig-vboard runs beside
it. `uhubctl`, `gpioset` and `pdu` are programs in PATH that note how they were called and pull
the board's supply and cable, which come back with the port made anew, as on a real hub.
"""
import atexit
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "switches")
lab.env["TINYRIG_FAULT_ANSWER_MS"] = "600"

TOOL = """#!{python}
import os, signal, sys
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with open({log!r}, "a") as f:
    f.write(" ".join([name] + words) + "\\n")
on = "on" in words or any(w.endswith("=1") for w in words)
with open({control!r}, "w") as f:
    f.write("power on\\nreplug\\n" if on else "unplug\\npower off\\n")
if "--mode=signal" in words:  # holds its line until it is told to end
    signal.sigwait([signal.SIGTERM])
    with open({log!r}, "a") as f:
        f.write("gpioset released\\n")
"""
SWITCHES = {
    "uhubctl": ("{kind: uhubctl, location: 1-1.4, port: 2, off_time: 50ms}", "usb-power",
                ["uhubctl -l 1-1.4 -p 2 -a off", "uhubctl -l 1-1.4 -p 2 -a on"]),
    "pdu": ("{kind: command, turn_on: [pdu, \"on\", --port, \"7\"], turn_off: [pdu, \"off\", --port,"
            " \"7\"], off_time: 50ms}", "power-cycle", ["pdu off --port 7", "pdu on --port 7"]),
    "gpioset": ("{kind: gpio, location: gpiochip0, port: 17, off_time: 1s}", "power-cycle",
                ["gpioset --mode=signal gpiochip0 17=0", "gpioset released",
                 "gpioset --mode=signal gpiochip0 17=1", "gpioset released"]),
}


class Board:
    """A virtual board that only the test holds the strings of."""

    def __init__(self, name):
        self.control = lab.path(name + ".control")
        os.mkfifo(self.control)
        self.fd = os.open(self.control, os.O_RDWR)
        agent = os.path.join(lab.build, "agents/ports/posix/tinyrig-agent-posix")
        self.process = subprocess.Popen(
            [os.path.join(lab.build, "targets/virtual/tinyrig-vboard"), "--kind", "posix", "--name",
             name, "--dir", lab.folder, "--firmware", agent], stdin=self.fd, text=True,
            stdout=subprocess.PIPE)
        atexit.register(self.process.kill)  # it would outlive a test that fails
        first = self.process.stdout.readline()
        lab.check(first.startswith("ready "), first)
        self.port = first.split()[1]

    def say(self, line):
        os.write(self.fd, (line + "\n").encode())
        while True:
            answer = self.process.stdout.readline()
            if not answer.startswith("!"):
                lab.check(answer.startswith("ok"), f"{line}: {answer}")
                return

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        os.close(self.fd)


def inventory_of(name, board, switch, more=""):
    return lab.write(name + ".yaml",
                     f"name: t\nvirtual_boards: false\n{more}power:\n  switch: {switch}\nboards:\n"
                     f"  far:\n    board: far\n    power: switch\n"
                     f"    transport: {{kind: serial, where: {board.port}}}\n")


def hang_and_come_back(name, suite, board, inventory, rung):
    """The earlier rungs cannot help a board that hears nothing; the row names the one that did."""
    database = lab.path(name + ".db")
    board.say("fault hang to-board at 600")
    code, out = lab.run("run", suite, "--board-dir", lab.path("kinds"), "--lab", inventory, "--db",
                        database, timeout=120)
    rungs = lab.query(database, "SELECT rung, worked FROM v_recoveries ORDER BY time")
    lab.check(rungs == [("reopen", 0), (rung, 1)] or
              rungs == [("reopen", 0), ("protocol-reset", 0), (rung, 1)], f"{rungs}\n{out}")
    rows = lab.query(database, "SELECT attempt, status, failure_class FROM v_attempts ORDER BY time")
    lab.check(rows[0][1:] in [("error", "timeout"), ("error", "lab")], rows)
    # Its clock is this host's: a busy one may find the windows too noisy, which is no lab fault.
    lab.check(rows[1][0] == 1 and (rows[1][1] == "passed" or rows[1][2] == "invalid-window"),
              f"{rows}\n{out}")
    lab.check(code in (0, 3, 4), f"status {code}\n{out}")


def a_meters_output(suite):
    """`power: {kind: meter}`: the supply that measures switches the board off and on."""
    board = Board("supply")
    log = lab.path("scpi.log")
    peer = subprocess.Popen(
        [sys.executable, os.path.join(lab.source, "tests/virtual/instruments.py"), "scpi"],
        env=dict(os.environ, INSTRUMENT_LOG=log, INSTRUMENT_SWITCH=board.control), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(peer.kill)
    where = "127.0.0.1:" + peer.stdout.readline().split()[1]
    hang_and_come_back("supply", suite, board, inventory_of(
        "supply", board, "{kind: meter, meter: psu, off_time: 200ms}",
        f"meters:\n  psu: {{driver: scpi, where: \"{where}\", mode: source, voltage: 3.0V}}\n"),
        "power-cycle")
    with open(log) as f:
        switched = [(float(time), command) for time, command in
                    (line.strip().split(" ", 1) for line in f) if command.startswith("OUTP ")]
    off = [command for _, command in switched].index("OUTP OFF")
    lab.check(off > 0 and switched[off + 1][1] == "OUTP ON" and
              switched[off + 1][0] - switched[off][0] > 0.198, switched)  # written in ms
    board.end()
    peer.stdin.close()
    peer.wait(30)


def test(name, suite):
    switch, rung, calls = SWITCHES[name]
    board = Board(name)
    log = lab.path(name + ".calls")
    tool = lab.write("bin/" + name, TOOL.format(python=sys.executable, log=log,
                                                control=board.control))
    os.chmod(tool, 0o700)
    hang_and_come_back(name, suite, board, inventory_of(name, board, switch), rung)
    with open(log) as f:
        lab.check(f.read().splitlines() == calls, f"{name} was not called as it should be")
    board.end()


def main():
    for folder in ("bin", "kinds"):
        os.mkdir(lab.path(folder))
    lab.env["PATH"] = lab.path("bin") + ":" + lab.env["PATH"]
    lab.write("kinds/far.yaml", "name: far\ncpu: host\nagent: posix\nclock: 1GHz\nram: 64MiB\n"
                                "timebase: ns\nflashing: {firmware: "
              f"{os.path.join(lab.build, 'agents/ports/posix/tinyrig-agent-posix')}}}\n")
    suite = lab.suite(1, measure="{inferences: 2000, windows: 3, slope: 1}")
    for name in SWITCHES:
        lab.note = f"in {name}"
        test(name, suite)
    lab.note = "in supply"
    a_meters_output(suite)
    lab.check_quiet()
    lab.close()
    print("uhubctl, a PDU's program, a GPIO line, a meter's output: each brings its board back")


main()
