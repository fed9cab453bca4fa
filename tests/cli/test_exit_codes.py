"""Every status that the README's table names is the end of a real process, in a situation that a person can come into."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from filesync.cli.exchanges import worst
from filesync.errors import ExitCode
from tests.cli.sites import ROOT, Pair, loaded

ISSUE = ("issue", "create", "--type", "Bug", "--summary", "Pump")


def ends(*words: str | Path) -> int:
    """The status of a real call."""
    command = [*loaded(), *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60).returncode


def sent(pair: Pair, many: int = 1) -> list[Path]:
    for _ in range(many):
        pair.at_acme(*ISSUE)
        pair.at_acme("export")
    return pair.sent()


def done(pair: Pair) -> int:
    return ends("-c", pair.acme, *ISSUE)


def bug(pair: Pair) -> int:
    script = (
        "import sys\nfrom filesync.cli import app, main\n"
        "def broken(_app): raise ZeroDivisionError\n"
        "app.App.config = broken\nsys.argv = ['filesync', 'status']\nmain.main()\n"
    )
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False).returncode


def usage(pair: Pair) -> int:
    return ends("-c", pair.acme, "imprt")


def nothing(pair: Pair) -> int:
    return ends("-c", pair.acme, "import")


def work_left(pair: Pair) -> int:
    pair.deliver(sent(pair, 2)[1])
    return ends("-c", pair.globex, "import")


def locked(pair: Pair) -> int:
    script = (
        "import sys, pathlib\nfrom filesync.agent.site import Site\nfrom filesync.config import load_config\n"
        "with Site.open(load_config(pathlib.Path(sys.argv[1]))):\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(pair.acme)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        status = ends("-c", pair.acme, "export")
        holder.stdin.close()
    return status


def config(pair: Pair) -> int:
    pair.acme.write_text(pair.acme.read_text().replace("version: 1", "version: 2"))
    return ends("-c", pair.acme, "export")


def disk(pair: Pair) -> int:
    (pair.folder / "acme" / "outbox").rmdir()
    pair.at_acme(*ISSUE)
    return ends("-c", pair.acme, "export")


def partner(pair: Pair) -> int:
    (file,) = sent(pair)
    file.write_bytes(file.read_bytes()[:-1000])
    pair.deliver(file)
    return ends("-c", pair.globex, "verify", pair.folder / "globex" / "inbox" / file.name)


def stopped(pair: Pair) -> int:
    copied = pair.folder / "copied" / "filesync.yaml"
    shutil.copytree(pair.folder / "acme", copied.parent)
    for path in (pair.acme, copied):
        pair.filesync("-c", path, *ISSUE)
        pair.filesync("-c", path, "export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.deliver(*(copied.parent / "outbox").iterdir())
    return ends("-c", pair.globex, "import")


def tracker(pair: Pair) -> int:
    (pair.folder / "acme" / "state" / "tracker.db").unlink()
    return ends("-c", pair.acme, "export")


def rejected(pair: Pair) -> int:
    return ends("-c", pair.acme, "issue", "show", "ABC-1")


def recover(pair: Pair) -> int:
    ledger, backup = pair.folder / "acme" / "state" / "ledger.db", pair.folder / "backup.db"
    shutil.copy(ledger, backup)
    sent(pair)
    shutil.copy(backup, ledger)
    return ends("-c", pair.acme, "export")


def interrupted(pair: Pair) -> int:
    pipe = pair.folder / "theirs.json"
    os.mkfifo(pipe)
    plain = ["env", "--default-signal=INT"]  # whoever started the tests in the background had it ignored
    command = [*plain, sys.executable, "-m", "filesync.cli.main", "-c", str(pair.acme), "pair", "accept", str(pipe)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        descriptor = os.open(pipe, os.O_WRONLY)  # returns when the other end is open: now it waits for the first byte
        try:
            waiting.send_signal(signal.SIGINT)
            waiting.communicate(timeout=60)
        finally:
            os.close(descriptor)  # it ends in any case
    return waiting.returncode


SITUATIONS: dict[ExitCode, Callable[[Pair], int]] = {
    ExitCode.DONE: done,
    ExitCode.BUG: bug,
    ExitCode.USAGE: usage,
    ExitCode.NOTHING: nothing,
    ExitCode.WORK_LEFT: work_left,
    ExitCode.LOCKED: locked,
    ExitCode.CONFIG: config,
    ExitCode.DISK: disk,
    ExitCode.PARTNER: partner,
    ExitCode.STOPPED: stopped,
    ExitCode.TRACKER: tracker,
    ExitCode.REJECTED: rejected,
    ExitCode.RECOVER: recover,
    ExitCode.INTERRUPTED: interrupted,
}


def test_of_several_exchanges_every_status_has_its_place() -> None:
    assert worst(ExitCode) is ExitCode.BUG
    assert worst([ExitCode.USAGE, ExitCode.DONE]) is ExitCode.USAGE


@pytest.mark.parametrize("status", ExitCode, ids=lambda status: status.name)
def test_every_status_is_the_end_of_a_real_process(pair: Pair, status: ExitCode) -> None:
    assert SITUATIONS[status](pair) == status
