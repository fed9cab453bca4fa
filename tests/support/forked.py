"""`filesync` in a process of its own that need not load it first: a fork of one that has.

A page or a demo types dozens of commands, and to load the libraries takes most of each one's time. As a program this is the
server (`serve SOCKET`), which goes when its standard input ends, or a command (`call SOCKET WORD…`). Whoever sends signals
to a command, or looks at its pid, starts a whole one.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def call(address: str, words: list[str]) -> int:
    """Have a command carried out with our standard streams, folder and environment; answers its status."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"!"], [0, 1, 2])
        folder = os.getcwd()  # noqa: PTH109 (pathlib would take as long as all the rest)
        server.sendall(json.dumps([words, folder, dict(os.environ)]).encode())
        server.shutdown(socket.SHUT_WR)
        status = server.recv(1)
    return status[0] if status else 255  # it was killed


def serve(address: str) -> None:
    """Wait for calls."""
    import pkgutil
    import select
    import signal
    from importlib import import_module

    import filesync

    for module in pkgutil.walk_packages(filesync.__path__, "filesync."):
        if ".migrations." not in module.name:
            import_module(module.name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them but their callers
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            caller, _ = listening.accept()
            with caller:
                if not os.fork():
                    listening.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _carry_out(caller)


def _carry_out(caller: socket.socket) -> None:
    """In the fork: become the command, and end as it ends."""
    import time

    from filesync.cli.main import main

    _, streams, _, _ = socket.recv_fds(caller, 1, 3)
    with caller.makefile("rb") as asked:
        words, folder, environment = json.load(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["filesync", *words]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as the process)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    status = 1
    try:
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 (as Python does at a program's end)
        sys.excepthook(*sys.exc_info())
    finally:
        caller.send(bytes([status]))
        os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[2], sys.argv[3:]))
