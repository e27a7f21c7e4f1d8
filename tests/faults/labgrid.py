#!/usr/bin/env python3
"""A board whose address a labgrid coordinator knows: acquired, measured over TCP, released.

usage: labgrid.py BUILD SOURCE

The client is a script that prints what labgrid-client prints; behind the port is the agent itself.
"""
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, kill  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "labgrid")
server = socket.create_server(("127.0.0.1", 0))
agents = []


def serve():
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        agents.append(subprocess.Popen(
            [os.path.join(lab.build, "agents/ports/posix/tinyrig-agent-posix")],
            stdin=connection, stdout=connection, env=lab.env))
        connection.close()


def client(acquire):
    port = server.getsockname()[1]
    path = lab.write("client", f"""#!/bin/sh
echo "$@" >> {lab.path("said")}
case $3 in
acquire) {acquire} ;;
show) cat <<'END'
Place 'm4-1':
  matches:
    here/usb2/NetworkSerialPort
  acquired: here/ann
  acquired resources:
    here/usb2/NetworkSerialPort/NetworkSerialPort
Acquired resource 'NetworkSerialPort' (here/usb2/NetworkSerialPort/NetworkSerialPort):
  {{'acquired': 'm4-1',
   'avail': True,
   'cls': 'NetworkSerialPort',
   'params': {{'extra': {{'path': '/dev/ttyACM0'}},
              'host': '127.0.0.1',
              'port': {port},
              'speed': 115200}}}}
END
;;
esac
""")
    os.chmod(path, 0o700)
    if os.path.exists(lab.path("said")):
        os.unlink(lab.path("said"))
    return path


def said():
    with open(lab.path("said")) as f:
        return f.read().splitlines()


def what_a_killed_run_acquired_is_taken_back(options):
    """kill -9 of the harness; the coordinator knows nothing of it."""
    p = lab.start("run", lab.suite(9, name="long"), "--db", lab.path("killed.db"), *options)
    p.stdout.readline()  # of its first case, or of its failure
    kill(p.pid)
    p.wait(60)
    while lab.held():  # workers follow their parent
        time.sleep(0.05)
    client("echo 'labgrid-client: error: You have already acquired this place.'; exit 1")
    for words in (["acquire", "show", "release"], ["acquire", "show"]):  # and then no more
        code, out = lab.run("boards", "check", "x", *options)
        lab.check(code == 0, f"{code}\n{out}")
        lab.check(said() == [f"-p m4-1 {word}" for word in words], said())
        os.unlink(lab.path("said"))
    client("true")


def main():
    os.mkdir(lab.path("kinds"))
    lab.write("kinds/far.yaml", "name: far\ncpu: cortex-m4\nclock: 100MHz\n"
                                "flash: 1MiB\nram: 1MiB\ntimebase: ns\n"
                                "transport: {kind: tcp, where: localhost:1}\n"
                                "flashing: {method: none, firmware: "
              f"{lab.build}/agents/ports/posix/tinyrig-agent-posix}}\n")
    threading.Thread(target=serve, daemon=True).start()
    inventory = lab.write("lab.yaml", f"virtual_boards: false\nlabgrid: [{client('true')}]\n"
                                      "boards:\n  x: {board: far, transport: "
                                      "{where: \"labgrid:m4-1\"}}\n")
    options = ["--lab", inventory, "--board-dir", lab.path("kinds")]
    code, out = lab.run("boards", "check", "x", *options)
    lab.check(code == 0, f"{code}\n{out}")
    lab.check(said() == ["-p m4-1 acquire", "-p m4-1 show", "-p m4-1 release"], said())
    sine = os.path.join(lab.source, "suites/models/sine")
    code, out = lab.run("infer", f"{sine}/sine.tflite", "-b", "x", "-i", f"{sine}/in00.bin", *options)
    lab.check(code == 0 and "cold" in out, f"infer: {code}\n{out}")
    what_a_killed_run_acquired_is_taken_back(options)
    bare = lab.write("bare.yaml", "virtual_boards: false\nboards:\n"
                                  "  x: {board: far, transport: {where: \"labgrid:m4-1\"}}\n")
    for _ in range(4):
        code, out = lab.run("boards", "check", "x", "--lab", bare, *options[2:])
        lab.check(code == 3 and "names no 'labgrid' client" in out, f"{code}\n{out}")
    code, out = lab.run("boards", *options)
    lab.check(code == 0 and "good" in out, f"a slip in the lab file is the board's fault: {out}")
    client("echo 'labgrid-client: error: Place m4-1 is already acquired by here/bob'; exit 1")
    code, out = lab.run("run", lab.suite(1), "--db", lab.path("r.db"), *options)
    lab.check(code == 3 and "acquired by here/bob" in out, f"{code}\n{out}")
    server.close()
    for agent in agents:
        agent.kill()
        agent.wait()
    lab.check_quiet([lab.path("r.db")])
    lab.close()
    print("labgrid: a place acquired, its board checked over TCP, released; one that others have refused")


main()
