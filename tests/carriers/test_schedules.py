"""The recipes for cron and systemd: what they call is called, and what they say is understood."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.carriers.scene import RECIPES, Scene
from tests.cli.sites import with_filesync
from tests.support.programs import need

CRONTAB = (RECIPES / "cron" / "filesync.crontab").read_text()
_LINE = re.compile(r"((?:[-*/0-9]+ ){4}[-*/0-9]+) +(\S.*)")
UNITS = sorted((RECIPES / "systemd").iterdir())


def test_the_lines_for_cron_carry_everything_and_are_silent_but_for_the_status(scene: Scene, tmp_path: Path) -> None:
    lines = [line for line in CRONTAB.splitlines() if line and not line.startswith("#")]
    jobs = [found for line in lines if (found := _LINE.fullmatch(line))]
    assert [line.partition("=")[0] for line in lines if not _LINE.fullmatch(line)] == ["MAILTO", "PATH"]
    # The carrier of this test is the recipe for sticks, between two folders of one disk.
    push = "/srv/carriers/rsync/push /srv/acme/outbox globex-inbox:/"
    assert push in CRONTAB
    environment = with_filesync(tmp_path)
    shown = {}
    for job in jobs:
        command = job[2].replace(push, f"{RECIPES}/usb/carry '{scene.outbox}' '{scene.inbox}' >/dev/null")
        done = subprocess.run(
            ["/bin/sh", "-c", command.replace("/srv/acme", str(scene.folder / "acme"))],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        shown[job[1]] = (done.returncode, done.stdout, done.stderr)
    assert shown["*/5 * * * *"] == (0, "", "")
    assert (scene.sent(), len(scene.arrived())) == ([], 1)
    assert shown["2-59/5 * * * *"] == (ExitCode.NOTHING, "", "")
    status, said, _ = shown["0 7 * * *"]
    assert (status, said.splitlines()[0]) == (0, "main: acme and globex, paired, encrypted")
    assert len(shown) == len(jobs) == 3


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with programs that are there."""
    folder = tmp_path / "units"
    folder.mkdir()
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={need('true')}", unit.read_text(), flags=re.MULTILINE)
        (folder / unit.name).write_text(text)
    return sorted(folder.iterdir())


def test_systemd_understands_every_unit(units: list[Path]) -> None:
    done = subprocess.run([need("systemd-analyze"), "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_says_when_a_setting_is_mistyped(units: list[Path]) -> None:
    """Or the test above would show nothing."""
    unit = next(unit for unit in units if unit.name == "filesync-export.service")
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSistem="))
    done = subprocess.run([need("systemd-analyze"), "verify", unit], capture_output=True, text=True, check=False)
    assert "ProtectSistem" in done.stderr


def test_systemd_finds_the_services_well_locked_in(units: list[Path]) -> None:
    for unit in units:
        if unit.suffix == ".service":  # 0 is best, 100 worst
            command: list[str | Path] = [need("systemd-analyze"), "security", "--offline=true", "--threshold=20", unit]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-300:]


def test_every_service_has_its_timer_and_the_verbs_are_known() -> None:
    services = {unit.stem: unit.read_text() for unit in UNITS if unit.suffix == ".service"}
    assert services.keys() == {unit.stem for unit in UNITS if unit.suffix == ".timer"}
    called = {name: re.findall(r"^ExecStart=\S*/(\S+ .*)$", text, re.MULTILINE) for name, text in services.items()}
    assert called == {
        "filesync-export": ["filesync -q export"],
        "filesync-import": ["filesync -q import"],
        "filesync-carry": ["push /srv/acme/outbox globex-inbox:/"],
    }
    quiet = f"SuccessExitStatus={ExitCode.NOTHING:d} {ExitCode.WORK_LEFT:d} {ExitCode.LOCKED:d}"
    assert all((quiet in text) == ("ExecStart=/srv/filesync" in text) for text in services.values())
