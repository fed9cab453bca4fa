"""The file of the embedded tracker: made, opened, shared, damaged."""

from __future__ import annotations

import os
import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from filesync.errors import ConfigError, Unavailable
from filesync.trackers.base import Write
from filesync.trackers.embedded import Desk, EmbeddedTracker, create_project, read_definition
from filesync.trackers.embedded.project import DEFAULT
from filesync.trackers.embedded.store import Store
from tests.trackers.bench import BASIC, MARK, Bench, Clock, issue_ref


def test_a_missing_file_is_unavailable_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(Unavailable, match="there is no tracker at"):
        EmbeddedTracker.open(path, project="ABC", scope=None, clock=Clock(), account="filesync")
    assert not path.exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    path.write_bytes(b"not a database, but long enough to look at " * 30)
    with pytest.raises(Unavailable, match="cannot be used: file is not a database"):
        EmbeddedTracker.open(path, project="ABC", scope=None, clock=Clock(), account="filesync")


def test_a_file_of_another_version_is_not_touched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE setting SET value = '2' WHERE name = 'schema_version'")
        file.commit()
    with pytest.raises(Unavailable, match="is of version 2"):
        Store(path)


def test_everything_wrong_at_opening_is_told_at_once(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        EmbeddedTracker.open(path, project="XYZ", scope={"lables": ["a"], "nope": []}, clock=Clock(), account="filesync")
    assert [problem.where for problem in caught.value.problems] == [
        "tracker.project",
        "tracker.scope.lables",
        "tracker.scope.nope",
    ]
    assert 'did you mean "labels"?' in caught.value.problems[1].what


@pytest.mark.parametrize("key", ["", "abc", "1AB", "AB-C", "A" * 300 + "!", "ÄB"])
def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="not a project key"):
        create_project(tmp_path / "tracker.db", read_definition(), key=key)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is there already"):
        create_project(path, read_definition(), key="ABC")
    assert path.read_bytes() == before


def test_a_second_writer_waits_and_both_edits_stand(bench: Bench) -> None:
    """Two processes, as the command line beside a running agent."""
    ref = bench.create().item.ref
    other = bench.reopen()
    for n in range(5):
        bench.tracker.apply(ref, Write({f"serial_numbers:{n}": True}), MARK)
        other.apply(ref, Write({f"set_points:{n}": True}), MARK)
    assert len(bench.fields(ref.local)) == len(BASIC) + 1 + 10


def test_a_locked_file_is_unavailable(bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filesync.trackers.embedded.store._BUSY_S", 0.01)
    tracker = bench.reopen()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="database is locked"):
            tracker.write_checkpoint("acme", "x")
        assert tracker.read_checkpoint("acme") is None  # readers do not wait


def test_closing_leaves_one_file(path: Path, desk: Desk) -> None:
    desk.create("Bug", "Pump stalls")
    desk.close()
    assert sorted(path.parent.iterdir()) == [path]


def test_however_many_threads_ask_at_the_same_time_each_is_answered(path: Path) -> None:
    many = 80  # more than five exchanges with ten workers each
    with closing(Store(path)) as store, ThreadPoolExecutor(many) as threads:
        together = Barrier(many)

        def ask(_: int) -> bool:
            with store.reading() as work:
                together.wait(timeout=60)  # all of them are in there now
                return work.issue("1") is None

        assert all(threads.map(ask, range(many)))


def test_a_system_that_gives_no_more_files_is_told_in_our_words(path: Path) -> None:
    with closing(Store(path)) as store:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.dup(0)
        os.close(lowest_free)
        with store.reading():  # the one connection that there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
            try:
                with pytest.raises(Unavailable, match="cannot be used: unable to open database file"), store.reading():
                    pass
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_where_a_project_has_resolutions_one_goes_with_the_step_to_a_status(tmp_path: Path) -> None:
    path, own = tmp_path / "tracker.db", tmp_path / "project.yaml"
    field = "fields:\n  resolution: {kind: option, options: [Declined]}\n"
    own.write_text(DEFAULT.read_text(encoding="utf-8").replace("fields:\n", field), encoding="utf-8")
    create_project(path, read_definition(own), key="ABC")
    with closing(Desk.open(path, clock=Clock(), author="j.becker")) as desk:
        desk.create("Bug", "Pump stalls")
        with closing(EmbeddedTracker.open(path, project="ABC", scope=None, clock=Clock(), account="filesync")) as tracker:
            tracker.apply(issue_ref("1"), Write({"status": "Won't Do", "resolution": "Declined"}), MARK)
        fields = desk.show("ABC-1").issue.fields
        assert (fields["status"], fields["resolution"]) == ("Won't Do", "Declined")
