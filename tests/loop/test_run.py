"""`filesync run` as people and service managers start it: real processes, real signals, real time."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from filesync.agent.events import Event, Stopped, Stuck
from filesync.agent.incoming.arrivals import Arriving, Damaged
from filesync.agent.merge.order import GROUP
from filesync.agent.outgoing.departures import NotTold
from filesync.agent.running.news import LeftAlone
from filesync.bundle.verdict import Code
from filesync.cli.main import run as filesync
from filesync.cli.telling import _log
from filesync.errors import ExitCode
from filesync.model.ids import Mark
from tests.support.two_sites import Side, World, two_sites

ROOT = Path(__file__).parents[2]
CANARY = "Ka7narienvogel"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two sites whose acme is open for people, and whose globex is closed: a process of its own works there."""
    with two_sites(base=tmp_path) as made:
        made.globex.site.close()
        yield made
        made.globex.site = made.globex._open()


def deliver(world: World) -> None:
    """Rename what acme exported into globex's inbox."""
    world.acme.export()
    world.carry(to=world.globex)


@contextmanager
def running(side: Side, *words: str, program: str = "filesync.cli.main", **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`filesync run` at a side, in a process of its own. It is killed in the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", program, "-c", str(side.config.path), "run", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        pipesize=4096,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str], until: str) -> list[dict[str, Any]]:
    """What it logs, up to the first event of this kind."""
    found: list[dict[str, Any]] = []
    assert process.stderr is not None
    for line in process.stderr:
        found.append(json.loads(line))
        if found[-1]["kind"] == until:
            return found
    pytest.fail(f"it ended without {until}: {found}")


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, list[dict[str, Any]]]:
    process.send_signal(number)
    _, err = process.communicate()
    return process.returncode, [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_file_that_is_renamed_into_the_inbox_is_applied_and_a_signal_ends_the_run_with_0(
    world: World, number: signal.Signals
) -> None:
    world.acme.desk.create("Bug", "Pump runs hot")
    with running(world.globex) as process:
        lines(process, "Started")
        deliver(world)
        applied = lines(process, "BundleApplied")[-1]
        assert applied["level"] == "info"
        assert applied["exchange"] == "main"
        assert applied["event"] == "imported 1 from acme: 1 change, 1 applied"
        status, rest = ended(process, number)
    assert status == ExitCode.DONE
    assert [one["kind"] for one in rest] == ["Ended"]
    assert len(world.globex.desk.list()) == 1


def test_sigterm_in_a_long_import_ends_it_cleanly_and_the_next_run_goes_on(world: World) -> None:
    many = GROUP + 20  # more lines than the pipe takes: it waits for us within the first group
    for n in range(many):
        world.acme.desk.create("Bug", f"Bug {n}")
    deliver(world)
    with running(world.globex, "-v") as process:
        lines(process, "Applied")
        status, rest = ended(process, signal.SIGTERM)
    assert status == ExitCode.DONE
    assert rest[-1]["kind"] == "Ended"
    some = len(world.globex.desk.list())
    assert 0 < some < many
    assert sum(one["kind"] == "Applied" for one in rest) + 1 == some, "what was called was recorded and told"
    with running(world.globex, "--once") as process:
        assert process.wait() == ExitCode.DONE
    assert len(world.globex.desk.list()) == many


def test_f53_other_verbs_are_told_who_works_there_and_those_that_look_are_not_held_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(world.globex.config.path)
    with running(world.globex) as process:
        lines(process, "Started")
        assert filesync(["-c", config, "import"]) == ExitCode.LOCKED
        assert f"this site is in use by pid {process.pid}" in capsys.readouterr().err
        assert filesync(["-c", config, "run", "--once"]) == ExitCode.LOCKED
        assert filesync(["-c", config, "status"]) == ExitCode.DONE
        assert ended(process, signal.SIGTERM)[0] == ExitCode.DONE
    assert filesync(["-c", config, "import"]) == ExitCode.NOTHING


def test_a_file_of_rules_that_changed_is_read_while_it_runs(world: World) -> None:
    path = world.globex.folder / "mapping.yaml"
    with running(world.globex, program="tests.loop.hasty") as process:
        lines(process, "Started")
        path.write_text(path.read_text() + "# looked through\n")
        again = [one["kind"] for one in lines(process, "Started")]
        assert again == ["ReadAgain", "Started"]
        assert ended(process, signal.SIGTERM)[0] == ExitCode.DONE


def test_the_service_manager_hears_ready_alive_and_stopping(world: World, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(600)
        told: list[str] = []
        with running(world.globex, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="900000") as process:
            while told.count("WATCHDOG=1") < 3:
                told.append(listener.recv(100).decode())
            assert ended(process, signal.SIGTERM)[0] == ExitCode.DONE
            while select.select([listener], [], [], 0)[0]:
                told.append(listener.recv(100).decode())
    assert [one for one in told if one != "WATCHDOG=1"] == ["READY=1", "STOPPING=1"]


def test_no_line_of_the_log_tells_a_fields_value_or_a_secret(world: World) -> None:
    acme, globex = world.sides
    many: dict[str, Any] = {f"{name}:{CANARY}": True for name in ("labels", "serial_numbers")}
    texts = dict.fromkeys(("description", "environment", "customer_reference"), CANARY)
    pump = acme.desk.create("Bug", CANARY, {**texts, **many})
    acme.desk.comment(pump, CANARY)
    deliver(world)
    with running(globex, "--once", "-v") as process:
        first = process.communicate()[1]
    assert '"BundleApplied"' in first
    copy = globex.desk.list()[0].key
    globex.desk.edit(copy, {"summary": f"{CANARY} ours"})
    acme.desk.edit(pump, {"summary": f"{CANARY} theirs", "description": CANARY * 2})
    acme.desk.edit(pump, {"priority": "Low"})
    deliver(world)
    (globex.config.folders.inbox / "fs1_bad.tar").write_text(CANARY * 100)
    with running(globex, "--once", "-v") as process:
        second = process.communicate()[1]
    assert '"Met"' in second
    assert '"Damaged"' in second
    secrets = [(globex.folder / "keys" / name).read_text().splitlines() for name in ("signing", "age.txt")]
    for line in [*first.splitlines(), *second.splitlines()]:
        assert CANARY not in line
        assert not any(len(secret) > 20 and secret in line for part in secrets for secret in part)


@pytest.mark.parametrize(
    "event",
    [
        Stuck(mark=Mark("1.1.1"), key="A-1", why=f'there is no option "{CANARY}"'),
        NotTold(key="A-1", field="priority", why=f'the contract has no option "{CANARY}"'),
        Damaged(file="a.tar", code=Code.BAD_SCHEMA, problems=[f"line 1: '{CANARY}' is not of type"], hint="", kept=True),
        Arriving(file="a.tar", code=Code.NOT_A_BUNDLE, problem=f"no bundle: it begins with {CANARY}", settle_s=600),
        Stopped(partner="acme", why=f"bundle 1 is signed, but what it says is not valid: '{CANARY}' is not of type"),
        LeftAlone(what=f"it is stopped: what it says is not valid: '{CANARY}' is not of type", hint=""),
    ],
    ids=lambda event: type(event).__name__,
)
def test_words_that_may_quote_a_value_are_not_in_the_log(event: Event, capfd: pytest.CaptureFixture[str]) -> None:
    assert CANARY in event.sentence()
    _log()("globex", "main", event)
    line = capfd.readouterr().err
    assert json.loads(line)["kind"] == type(event).__name__
    assert CANARY not in line
    assert "filesync " in json.loads(line)["event"], "it says where the whole of it is"


def test_once_ends_with_the_usual_statuses(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    acme, globex = world.sides
    once = ["-c", str(globex.config.path), "run", "--once"]
    assert filesync(once) == ExitCode.NOTHING
    assert capfd.readouterr().err == ""
    globex.desk.create("Bug", "Valve leaks")
    assert filesync(once) == ExitCode.DONE
    for n in range(2):
        acme.desk.create("Bug", f"Bug {n}")
        acme.export()
    first, second = sorted(acme.config.folders.outbox.iterdir())
    shutil.copy(second, globex.config.folders.inbox)
    assert filesync(once) == ExitCode.WORK_LEFT
    shutil.copy(first, globex.config.folders.inbox)
    assert filesync(once) == ExitCode.DONE
    (globex.config.folders.inbox / "fs1_bad.tar").write_text("Your attachment was removed\n" * 40)
    assert filesync(once) == ExitCode.PARTNER
    shutil.rmtree(globex.config.folders.inbox)
    assert filesync(once) == ExitCode.DISK
    assert '"kind": "Failing"' in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--interval", "soon"], ExitCode.USAGE, "'soon' is no time"),
        (["--interval", "0s"], ExitCode.USAGE, "'0s' is no time"),
        (["--interval", "5m", "--cron", "* * * * *"], ExitCode.USAGE, "exclude each other"),
        (["--once", "--interval", "5m"], ExitCode.USAGE, "has no schedule"),
        (["--zone", "UTC"], ExitCode.USAGE, "--zone is for --cron"),
        (["--cron", "noon"], ExitCode.CONFIG, '"noon" is no time'),
        (["--cron", "0 6 * * *", "--zone", "Mars/Olympus"], ExitCode.CONFIG, "no time zone 'Mars/Olympus'"),
        (["--cron", "0 6 * * *", "--zone", "../etc/passwd"], ExitCode.CONFIG, "no time zone"),
    ],
)
def test_what_makes_no_schedule_is_told(
    world: World, capsys: pytest.CaptureFixture[str], words: list[str], status: ExitCode, said: str
) -> None:
    assert filesync(["-c", str(world.globex.config.path), "run", *words]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_cron_line_is_told_with_its_zone(world: World, zone: str | None) -> None:
    words = ["--cron", "30 6 * * MON-FRI", *(["--zone", zone] if zone else [])]
    with running(world.globex, *words, TZ="Asia/Tokyo") as process:
        started = lines(process, "Started")[-1]["event"]
        assert ended(process, signal.SIGTERM)[0] == ExitCode.DONE
    assert f"exports at 30 6 * * MON-FRI ({zone or 'Asia/Tokyo'})" in started


def test_on_a_terminal_it_speaks_to_people(world: World) -> None:
    terminal, ours = os.openpty()
    words = [sys.executable, "-m", "filesync.cli.main", "-c", str(world.globex.config.path), "run", "--once"]
    world.acme.desk.create("Bug", "Pump runs hot")
    deliver(world)
    with subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=ours) as process:
        assert process.wait() == ExitCode.DONE
    os.close(ours)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "Z  main: imported 1 from acme: 1 change, 1 applied" in shown


def test_the_unit_of_the_documentation_is_one_that_systemd_takes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "running.md").read_text()
    (text,) = re.findall(r"^```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert "Type=notify" in text
    program = tmp_path / "filesync"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "filesync.service"
    # a user and program that this machine has
    unit.write_text(re.sub(r"(?m)^(ExecStart=)\S+", rf"\1{program}", text).replace("User=filesync", "User=root"))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is missing: this machine has no systemd to ask")
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "filesync.service" in line]) == (0, [])
