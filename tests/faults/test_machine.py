"""Clocks, folders, logs and crashes of the machine that filesync runs on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from filesync.agent.asked.reading import reading
from filesync.agent.events import Event, Untold
from filesync.agent.incoming.arrivals import ClockDiffers
from filesync.agent.incoming.bundles import Held
from filesync.agent.outgoing.departures import Exported, Resumed
from filesync.cli.main import run
from filesync.errors import DiskProblem, ExitCode
from filesync.ledger import journal
from tests.faults.scene import deliver, inbox, only, sent, summaries
from tests.support.forged import forge
from tests.support.two_sites import Crash, World, two_sites

ROOT = Path(__file__).parents[2]


def crash_at(place: str) -> Callable[[str], None]:
    def strike(name: str) -> None:
        if name == place:
            raise Crash

    return strike


@pytest.mark.parametrize("place", ["after X3", "after X8", "after X9", "after X10", "after X11"])
def test_f45_f49_an_interrupted_export_says_resumed_and_nothing_else(plain: World, place: str) -> None:
    plain.acme.desk.create("Bug", "Pump")
    plain.acme.faults.strike = crash_at(place)
    with pytest.raises(Crash):
        plain.acme.export()
    plain.acme.faults.strike = lambda _: None
    plain.acme.reopen()
    done = plain.acme.export()
    assert [type(event) for event in done.events] == [Resumed, Exported]
    assert (
        done.events[0].sentence()
        == "resumed: bundle 1 was numbered by an export that did not end, and is finished now. Nothing was lost"
    )
    assert len(list(plain.acme.config.folders.outbox.iterdir())) == 1


def test_f45_what_a_killed_build_left_in_the_clear_is_erased_by_the_next_export() -> None:
    with two_sites(encrypt=True) as world:
        world.acme.desk.create("Bug", "secret")
        world.acme.faults.strike = crash_at("after X8")
        with pytest.raises(Crash):
            world.acme.export()
        spool = world.acme.config.folders.spool
        assert any(path.suffix == ".tar" for path in spool.rglob("*"))
        world.acme.faults.strike = lambda _: None
        world.acme.reopen()
        world.acme.export()
        assert [path for path in spool.rglob("*") if path.is_file()] == []


def test_a_bundle_lost_from_the_archive_before_it_was_published_keeps_its_number(plain: World) -> None:
    plain.acme.desk.create("Bug", "Pump")
    plain.acme.faults.strike = crash_at("after X10")
    with pytest.raises(Crash):
        plain.acme.export()
    plain.acme.faults.strike = lambda _: None
    plain.acme.reopen()
    (archived,) = plain.acme.config.folders.archive.iterdir()
    aside = archived.rename(plain.acme.folder / archived.name)
    with pytest.raises(DiskProblem, match=r"bundle 1 was made and archived, but .* is gone before it was published") as told:
        plain.acme.export()
    assert "Put the file back" in told.value.hint
    aside.rename(archived)
    assert plain.acme.export().bundles == 1


def test_f54_f58_a_site_whose_inbox_is_its_outbox_does_not_start(plain: World) -> None:
    config = plain.acme.folder / "filesync.yaml"
    honest = config.read_text()
    plain.acme.site.close()
    for inbox_path in ("outbox", "outbox/in"):
        config.write_text(honest.replace("inbox: inbox\n", f"inbox: {inbox_path}\n"))
        status = run(["-c", str(config), "export"])
        assert status == ExitCode.CONFIG
    config.write_text(honest)
    plain.acme.reopen()


def test_f59_a_clock_that_is_years_off_changes_no_order_and_is_told_once(plain: World) -> None:
    plain.clock.advance(days=3 * 365)  # acme's clock …
    files = sent(plain, ["one", "two", "three"])
    plain.clock.advance(days=-3 * 365)  # … and globex's
    deliver(plain.globex, files[2], files[0], files[1])
    done = plain.globex.import_()
    assert only(done, ClockDiffers).startswith("clock differs from acme's by 1094 days or more: bundle ")
    assert [one.fields["summary"] for one in plain.globex.desk.list()] == ["one", "two", "three"]
    plain.clock.advance(days=-3 * 365)
    plain.globex.desk.create("Bug", "from the past")
    plain.globex.export()
    plain.clock.advance(days=6 * 365)
    plain.carry(to=plain.acme)
    done = plain.acme.import_()
    assert not [event for event in done.events if isinstance(event, ClockDiffers)], "it may have travelled for years"
    assert summaries(plain.acme) == summaries(plain.globex)


def test_f59_a_time_that_is_none_is_nobodys_problem(plain: World) -> None:
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, created_at="2026-13-45T99:99:99.999Z"))
    assert plain.globex.import_().bundles == 1


def no_room_for(_event: Event) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_f61_a_log_that_takes_no_more_lines_stops_nothing_and_is_told_with_how_many_were_lost(plain: World) -> None:
    plain.acme.desk.create("Bug", "Pump")
    plain.acme.site.sinks = [no_room_for]
    done = plain.acme.export()
    assert done.bundles == 1
    (told,) = [event.sentence() for event in done.events if isinstance(event, Untold)]
    assert told == "1 line could not be written to the log or terminal (No space left on device). The work went on."
    with reading(plain.acme.config) as conn:
        assert "Untold" in {entry.kind for entry in journal.entries(conn)}


def test_f61_a_terminal_that_was_closed_does_not_cut_an_import_short(plain: World) -> None:
    deliver(plain.globex, *sent(plain, [f"Bug {n}" for n in range(5)]))
    plain.globex.site.close()
    with Path("/dev/full").open("w") as full:
        subprocess.run(
            [sys.executable, "-m", "filesync.cli.main", "-c", str(plain.globex.config.path), "import"],
            cwd=ROOT, stdout=full, stderr=full, check=False,
        )  # fmt: skip
    plain.globex.reopen()
    assert len(plain.globex.desk.list()) == 5
    assert inbox(plain.globex) == []


def test_f18_ten_thousand_held_bundles_are_a_warning_of_one_line(plain: World) -> None:
    event = Held(
        partner="acme", have=1, missing_from=2, missing_to=2, held=list(range(3, 10_003)), since="x", command="c", ask=True
    )
    assert "holding 3-10002" in event.sentence()
    assert len(event.sentence()) < 200


def test_f57_an_outbox_on_another_filesystem_than_the_archive_gets_whole_files(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs two filesystems")
    with two_sites(base=tmp_path) as world:
        outbox = world.acme.config.folders.outbox
        outbox.rmdir()
        elsewhere = memory / f"filesync-outbox-{os.getpid()}"
        elsewhere.mkdir()
        outbox.symlink_to(elsewhere)
        try:
            world.acme.desk.create("Bug", "Pump")
            assert world.acme.export().bundles == 1
            assert len(list(elsewhere.iterdir())) == 1
            assert list(elsewhere.glob(".*")) == []
        finally:
            for path in elsewhere.iterdir():
                path.unlink()
            elsewhere.rmdir()
