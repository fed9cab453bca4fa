"""What is slow, stuck or broken at one exchange or site holds up no other: real threads, real processes."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from filesync.agent.events import Event
from filesync.agent.incoming.bundles import BundleApplied
from filesync.agent.outgoing.exporter import export_once
from filesync.agent.running.loop import Loop
from filesync.agent.running.service import Bell, Pulse
from filesync.agent.site import Site
from filesync.cli.main import run as filesync
from filesync.config import load_config
from filesync.errors import ExitCode
from filesync.trackers.base import Draft
from filesync.trackers.registry import open_desk
from tests.loop.play import SECOND, Play, with_a_second_partner
from tests.loop.test_loop import EVERY
from tests.support.two_sites import World, two_sites

ROOT = Path(__file__).parents[2]
LONG = 120.0  # s; nobody waits so long unless the test fails


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with two_sites(base=tmp_path) as made:
        yield made


def from_the_second_partner(world: World, inbox: Path, summary: str) -> None:
    """An issue of the third site's, in the inbox of the second exchange."""
    config = load_config(world.globex.folder.parent / "initech" / "filesync.yaml")
    desk = open_desk(config.tracker.kind, settings=config.tracker.settings, folder=config.tracker.base, clock=world.clock)
    desk.create("Bug", summary)
    desk.close()
    with Site.open(config, clock=world.clock) as third:
        export_once(third, "main")
    for file in config.folders.outbox.iterdir():
        file.rename(inbox / file.name)


def test_an_import_that_is_stuck_holds_up_no_other_exchange(world: World) -> None:
    acme, globex = world.sides
    inbox = with_a_second_partner(globex)
    from_the_second_partner(world, inbox, "stuck for now")
    acme.desk.create("Bug", "Pump runs hot")
    acme.export()
    world.carry(to=globex)
    entered, others_done, over = threading.Event(), threading.Event(), threading.Event()

    def refuse(call: str, what: object) -> None:
        """The tracker takes its time over one issue: until the other exchange's is applied."""
        if call == "create" and isinstance(what, Draft) and what.fields["summary"] == "stuck for now":
            entered.set()
            assert others_done.wait(LONG), "the other exchange was held up"

    def tell(_site: str, exchange: str, event: Event) -> None:
        if isinstance(event, BundleApplied):
            (over if exchange == SECOND else others_done).set()
            bell.ring()

    globex.faults.refuse = refuse
    with Bell() as bell:
        around = Play(world.clock, []).around()
        around = type(around)(
            monotonic=around.monotonic,
            wait=bell.wait,
            ring=bell.ring,
            stopping=over.is_set,
            chance=around.chance,
            crew=ThreadPoolExecutor,
            pulse=Pulse(lambda: None),
            tell=tell,
        )
        Loop(globex.site, schedule=EVERY, around=around).run(changed=lambda: False)
    assert entered.is_set()
    assert sorted(str(one.fields["summary"]) for one in globex.desk.list()) == ["Pump runs hot", "stuck for now"]


def test_all_is_well_only_when_it_is_with_each_that_is_at_work() -> None:
    beats: list[str] = []
    pulse = Pulse(lambda: beats.append("beat"))
    pulse.joins("loop")
    pulse.alive("loop")
    assert len(beats) == 1
    pulse.joins("import")
    pulse.alive("loop")  # the import has only begun
    assert len(beats) == 2
    pulse.alive("loop")
    pulse.alive("loop")
    assert len(beats) == 2, "of the import nothing was heard"
    pulse.alive("import")
    assert len(beats) == 3
    pulse.leaves("import")
    pulse.alive("loop")
    assert len(beats) == 4


# ── several sites ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def neighbours(world: World, tmp_path: Path) -> World:
    """Two sites on one machine: what is one's outbox is the other's inbox. A process of its own works on both."""
    for name in ("from-acme", "from-globex"):
        (tmp_path / name).mkdir()
    for side in world.sides:
        side.site.close()
        ours, theirs = tmp_path / f"from-{side.name}", tmp_path / f"from-{world.other(side).name}"
        path = side.folder / "filesync.yaml"
        text = path.read_text().replace("outbox: outbox", f"outbox: {ours}").replace("inbox: inbox", f"inbox: {theirs}")
        path.write_text(text)
    return world


@contextmanager
def running(world: World, *words: str, program: str = "filesync.cli.main") -> Iterator[subprocess.Popen[str]]:
    configs = [word for side in world.sides for word in ("-c", str(side.folder / "filesync.yaml"))]
    process = subprocess.Popen(
        [sys.executable, "-m", program, *configs, "run", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str], *until: tuple[str, str]) -> list[dict[str, Any]]:
    """What it logs until each of these came: (site, kind)."""
    found: list[dict[str, Any]] = []
    left = set(until)
    assert process.stderr is not None
    for line in process.stderr:
        found.append(json.loads(line))
        left.discard((found[-1]["site"], found[-1]["kind"]))
        if not left:
            return found
    pytest.fail(f"it ended without {left}: {found}")


def stopped(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    return process.returncode, [json.loads(line) for line in err.splitlines()]


def test_one_run_serves_two_sites_over_a_shared_folder(neighbours: World) -> None:
    acme, globex = neighbours.sides
    pump = acme.desk.create("Bug", "Pump runs hot")
    with running(neighbours, "--interval", "1s") as process:
        first = lines(process, ("globex", "BundleApplied"))
        globex.desk.edit(globex.desk.list()[0].key, {"priority": "High"})
        lines(process, ("acme", "BundleApplied"))
        status, rest = stopped(process)
    assert status == ExitCode.DONE
    assert acme.desk.show(pump).issue.fields["priority"] == "High"
    assert {one["site"] for one in rest if one["kind"] == "Ended"} == {"acme", "globex"}
    applied = first[-1]
    assert (applied["exchange"], applied["seq"], applied["level"]) == ("main", 1, "info")
    assert len({one["run"] for one in [*first, *rest]}) == 1, "one id names the process"


def test_a_site_that_cannot_be_served_is_told_and_touches_no_other(neighbours: World) -> None:
    acme, globex = neighbours.sides
    (globex.folder / "contract.yaml").write_text("not a contract")
    (globex.folder / "filesync.yaml").write_text("nor a configuration")
    acme.desk.create("Bug", "Pump runs hot")
    with running(neighbours) as process:
        told = lines(process, (str(globex.folder / "filesync.yaml"), "SiteFails"), ("acme", "Exported"))
        status, rest = stopped(process)
    assert status == ExitCode.CONFIG, "the service manager shall see that a site is not served"
    (fails,) = [one["event"] for one in told if one["kind"] == "SiteFails"]
    assert "this site is not served: " in fails
    assert "other sites go on" in fails
    assert "left alone until that is mended" in fails
    assert [one["site"] for one in rest if one["kind"] == "Ended"] == ["acme"]


def test_a_site_that_is_in_use_is_waited_for(neighbours: World) -> None:
    globex = neighbours.globex
    holder = Site.open(load_config(globex.folder / "filesync.yaml"))
    with running(neighbours, program="tests.loop.hasty") as process:
        told = lines(process, (str(globex.folder / "filesync.yaml"), "SiteFails"), ("acme", "Started"))
        assert "It is tried again by itself" in next(one["event"] for one in told if one["kind"] == "SiteFails")
        holder.close()
        lines(process, ("globex", "Started"))
        assert stopped(process)[0] == ExitCode.DONE


def test_once_works_through_the_sites_in_their_order(neighbours: World) -> None:
    acme, globex = neighbours.sides
    acme.desk.create("Bug", "Pump runs hot")
    with running(neighbours, "--once") as process:
        assert process.communicate()[1].count('"kind": "BundleApplied"') == 1
    assert process.returncode == ExitCode.DONE
    assert len(globex.desk.list()) == 1
    (acme.folder / "filesync.yaml").write_text("no configuration")
    with running(neighbours, "--once") as process:
        said = process.communicate()[1]
    assert '"kind": "SiteFails"' in said
    assert process.returncode == ExitCode.CONFIG


def test_other_verbs_take_one_site(capsys: pytest.CaptureFixture[str]) -> None:
    assert filesync(["-c", "a.yaml", "-c", "b.yaml", "status"]) == ExitCode.USAGE
    assert "only `run` serves several sites: give -c once" in capsys.readouterr().err
    assert filesync(["-c", "a.yaml", "-c", "./a.yaml", "run"]) == ExitCode.USAGE
    assert "names the same configuration twice" in capsys.readouterr().err


def test_on_a_terminal_and_in_text_each_line_names_its_site(neighbours: World) -> None:
    neighbours.acme.desk.create("Bug", "Pump runs hot")
    with running(neighbours, "--once", "--log-format", "text") as process:
        said = process.communicate()[1]
    assert "Z  globex/main: imported 1 from acme: 1 change, 1 applied" in said


def test_what_is_decoded_to_a_type_is_prepared_for_threads() -> None:
    decoded, prepared = set[str](), set[str]()
    for path in (ROOT / "filesync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "type"]
            match ast.unparse(node.func).rpartition(".")[2]:
                case "convert":
                    decoded |= {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
                case "decode":
                    decoded |= {name.id for one in named for name in ast.walk(one) if isinstance(name, ast.Name)}
                case "prepare" | "Decoder":
                    prepared |= {name.id for one in node.args for name in ast.walk(one) if isinstance(name, ast.Name)}
    builtin = {"dict", "list", "tuple", "str", "int", "Any"}
    assert decoded - builtin <= prepared, "see filesync/model/prepare.py"
    assert {"Header", "Definition", "Checkpoint"} <= decoded
