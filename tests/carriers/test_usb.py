"""The recipe for a stick, pulled or killed at each of its steps. The programs it calls are the real ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.carriers.scene import ISSUES, RECIPES, Said, Scene
from tests.support.disk import make_read_only, small_disk
from tests.support.programs import need

CARRY = RECIPES / "usb" / "carry"


def carry(source: Path, target: Path, *, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{path}:{Path(need('flock')).parent}:/usr/bin:/bin"}
    return subprocess.run([CARRY, source, target], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick" / "to-globex"
    folder.mkdir(parents=True)
    return folder


def test_f68_both_ways_of_the_stick_and_both_sites_are_in_step(scene: Scene, stick: Path) -> None:
    names = scene.sent()
    first = carry(scene.outbox, stick)
    assert (first.returncode, first.stderr) == (0, "")
    assert (scene.sent(), sorted(file.name for file in stick.iterdir())) == ([], names)
    second = carry(stick, scene.inbox)
    assert (second.returncode, second.stderr) == (0, "")
    assert (list(stick.iterdir()), scene.arrived()) == ([], names)
    assert scene.at("globex", "import").status == ExitCode.DONE
    scene.assert_in_step(issues=ISSUES)


@pytest.mark.parametrize("step", ["before cp", "within cp", "after cp", "after sync", "after mv", "after rm"])
def test_f29_f72_killed_at_any_step_nothing_half_is_looked_at_and_the_next_call_brings_all(
    scene: Scene, tmp_path: Path, step: str
) -> None:
    names = scene.sent()
    when, program = step.split()
    does = {"before": "", "within": 'head -c 1000000 "$1" >"$2"', "after": f'{need(program)} "$@"'}
    shim = tmp_path / "bin" / program
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\n{does[when]}\nkill -9 $PPID\n")
    shim.chmod(0o755)
    killed = carry(scene.outbox, scene.inbox, path=str(shim.parent))
    assert killed.returncode == -9
    arrived = scene.arrived()
    if not arrived:
        assert scene.sent() == names, "what did not arrive stays"
        assert scene.at("globex", "-v", "import") == Said(ExitCode.NOTHING, "nothing arrived\n")
    else:
        assert scene.at("globex", "import").status == ExitCode.DONE
    assert carry(scene.outbox, scene.inbox).returncode == 0
    assert scene.sent() == []
    scene.at("globex", "import")
    scene.assert_in_step(issues=ISSUES)
    assert scene.quarantined() == []
    assert scene.at("globex", "status").status == ExitCode.DONE


def test_f65_a_stick_that_is_not_mounted_takes_nothing(scene: Scene, stick: Path) -> None:
    names = scene.sent()
    stick.rmdir()
    done = carry(scene.outbox, stick)
    assert done.returncode == 1
    assert f"there is no folder {stick}: is the stick mounted? Nothing was moved." in done.stderr
    assert scene.sent() == names


def test_f44_a_full_stick_takes_nothing_and_the_outbox_keeps_it(scene: Scene, tmp_path: Path) -> None:
    names = scene.sent()
    with small_disk(tmp_path / "small", kilobytes=1_000) as full:
        done = carry(scene.outbox, full)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert (scene.sent(), [file.name for file in full.glob("fs1_*")]) == (names, [])


def test_f71_a_stick_that_may_only_be_read_is_read_again_and_harms_nothing(scene: Scene, tmp_path: Path) -> None:
    with small_disk(tmp_path / "locked", kilobytes=10_000) as locked:
        shutil.copy(scene.outbox / scene.sent()[0], locked)
        make_read_only(locked)
        for status in (ExitCode.DONE, ExitCode.DONE):
            done = carry(locked, scene.inbox)
            assert done.returncode == 1
            assert "Read-only file system" in done.stderr
            assert scene.at("globex", "import").status == status
    scene.assert_in_step(issues=ISSUES)


def test_a_link_on_a_stick_leads_nowhere(scene: Scene, stick: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of this machine")
    (stick / "fs1_link.tar").symlink_to(secret)
    assert carry(stick, scene.inbox).returncode == 0
    assert scene.arrived() == []
    assert (stick / "fs1_link.tar").is_symlink()
