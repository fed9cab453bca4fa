"""The recipes that go over ssh, run as they are shipped against a real sshd, and cut off half-way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.carriers.scene import ISSUES, RECIPES, Said, Scene, copied
from tests.carriers.sshd import Server, relay, until
from tests.support.programs import need

RECIPE = pytest.mark.parametrize("recipe", ["rsync", "sftp"])
TARGET = {"rsync": "globex-inbox:/", "sftp": "globex-inbox:."}
HALF = 1_000_000  # bytes on the line, of a bundle of 2 MB


@dataclass(frozen=True)
class Carrier:
    """acme's carrier: the recipe, copied and changed as its comments ask."""

    folder: Path
    recipe: str
    server: Server
    scene: Scene
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def set_up(self, *, proxy: str | None = None) -> None:
        (self.folder / "ssh_config").write_text(self.server.ssh_config(proxy=proxy))

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [self.folder / self.recipe / "push", self.scene.outbox, TARGET[self.recipe]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """Whatever a test that failed left at work."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate(timeout=120)

    def push(self) -> tuple[int, str]:
        self.set_up()
        process = self.start()
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err


@pytest.fixture
def carrier(recipe: str, scene: Scene, server: Server, tmp_path: Path) -> Iterator[Carrier]:
    need(recipe)
    copied(recipe, tmp_path / "carriers")
    server.admit(recipe=recipe, inbox=scene.inbox)
    carrier = Carrier(tmp_path / "carriers", recipe, server, scene)
    try:
        yield carrier
    finally:
        carrier.stop()


@RECIPE
def test_f68_bundles_are_carried_in_silence_leave_the_outbox_and_both_sites_are_in_step(carrier: Carrier) -> None:
    scene = carrier.scene
    (scene.outbox / ".fs1_being_written.tar.age").write_text("filesync is just writing this")
    (scene.outbox / "notes.txt").write_text("nobody's")
    [sent] = [name for name in scene.sent() if name.startswith("fs1_")]
    assert carrier.push() == (0, "")
    assert scene.sent() == [".fs1_being_written.tar.age", "notes.txt"]
    assert scene.arrived() == [sent]
    assert scene.at("globex", "import").status == ExitCode.DONE
    scene.assert_in_step(issues=ISSUES)
    assert carrier.push() == (0, ""), "with nothing to carry"
    assert scene.at("globex", "import").status == ExitCode.NOTHING
    assert [file.name for file in scene.inbox.iterdir()] == [".filesync-inbox"], "nothing of the carrier's stays behind"


def start_and_stall(carrier: Carrier, mark: Path) -> subprocess.Popen[str]:
    """Carry until half a file lies at the receiver, and no further. `mark` holds the process id of the line."""
    carrier.set_up(proxy=relay(carrier.server, allowed=HALF, mark=mark))
    process = carrier.start()
    until("half is on the line", lambda: mark.exists() and mark.read_text().endswith("\n"))
    half = carrier.scene.inbox.glob
    until("half is written", lambda: any(file.stat().st_size > HALF // 10 for file in half(".fs1_*")))
    return process


@RECIPE
@pytest.mark.parametrize("how", ["the sender is killed", "who writes at the receiver is killed", "the line is cut"])
def test_f29_f68_a_carrier_cut_off_half_way_leaves_nothing_that_is_looked_at_and_the_next_run_brings_all(
    carrier: Carrier, how: str, tmp_path: Path
) -> None:
    scene = carrier.scene
    sent = scene.sent()
    mark = tmp_path / "mark"
    process = start_and_stall(carrier, mark)
    assert scene.at("globex", "-v", "import") == Said(ExitCode.NOTHING, "nothing arrived\n"), "while half a file is there"
    match how:
        case "the sender is killed":
            os.killpg(process.pid, signal.SIGKILL)
        case "the line is cut":
            os.kill(int(mark.read_text()), signal.SIGKILL)
        case _:
            carrier.server.kill_who_writes()
            mark.unlink()
    process.communicate(timeout=120)
    assert process.returncode != 0
    until("the session is over", lambda: not carrier.server.sessions())
    assert (scene.sent(), scene.arrived()) == (sent, [])
    assert scene.at("globex", "-v", "import") == Said(ExitCode.NOTHING, "nothing arrived\n"), "with what was left there"
    assert carrier.push() == (0, "")
    assert (scene.sent(), scene.arrived()) == ([], sent)
    assert scene.at("globex", "import").status == ExitCode.DONE
    scene.assert_in_step(issues=ISSUES)
    assert scene.quarantined() == []


@RECIPE
def test_f68_f70_a_carrier_killed_before_it_took_the_file_away_brings_the_same_file_again_without_harm(
    carrier: Carrier,
) -> None:
    scene = carrier.scene
    [name] = scene.sent()
    shutil.copy(scene.outbox / name, scene.inbox)
    assert carrier.push() == (0, "")
    assert (scene.sent(), scene.arrived()) == ([], [name])
    assert scene.at("globex", "import").status == ExitCode.DONE
    scene.assert_in_step(issues=ISSUES)


@RECIPE
def test_two_calls_at_a_time_are_one(carrier: Carrier, tmp_path: Path) -> None:
    sent = carrier.scene.sent()
    first = start_and_stall(carrier, tmp_path / "mark")
    assert carrier.push() == (0, "")
    assert (carrier.scene.sent(), carrier.scene.arrived()) == (sent, [])
    (tmp_path / "mark").unlink()
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert (carrier.scene.sent(), carrier.scene.arrived()) == ([], sent)


@RECIPE
def test_a_host_key_that_differs_is_refused_and_everything_stays(carrier: Carrier) -> None:
    known = carrier.server.folder / "known_hosts"
    host, kind, _ = known.read_text().split()
    other = (carrier.server.folder / "carrier_key.pub").read_text().split()[1]
    known.write_text(f"{host} {kind} {other}\n")
    sent = carrier.scene.sent()
    status, said = carrier.push()
    assert status != 0
    assert "Host key verification failed" in said
    assert (carrier.scene.sent(), carrier.scene.arrived()) == (sent, [])


def test_the_rsync_key_opens_the_inbox_alone_and_reads_nothing(scene: Scene, server: Server, tmp_path: Path) -> None:
    rsync = need("rsync")
    server.admit(recipe="rsync", inbox=scene.inbox)
    (tmp_path / "ssh_config").write_text(server.ssh_config(proxy=None))
    rsh = f"--rsh=ssh -F '{tmp_path / 'ssh_config'}'"
    taken = subprocess.run([rsync, rsh, "globex-inbox:/.filesync-inbox", tmp_path / "taken"], capture_output=True, check=False)
    assert taken.returncode != 0
    assert not (tmp_path / "taken").exists()
    placed = tmp_path / "outside"
    subprocess.run([rsync, rsh, RECIPES / "ssh_config", f"globex-inbox:{placed}"], capture_output=True, check=False)
    assert not placed.exists()
