"""An embedded tracker with an empty project, and the contract's bench around it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from filesync.model.values import Flat
from filesync.trackers.embedded import Desk, EmbeddedTracker, create_project, read_definition
from tests.trackers.bench import BASIC, Bench, Clock

SCOPE = {"labels": ["share", "joint"], "type": ["Bug", "Story", "Epic", "Sub-task"]}


@dataclass(frozen=True, slots=True)
class AtDesk:
    """The contract's person, at a desk."""

    desk: Desk

    def create(self, fields: Flat) -> str:
        rest = {name: value for name, value in fields.items() if name not in {"type", "summary"} and value is not None}
        return self.desk.create(str(fields["type"]), str(fields["summary"]), rest).removeprefix("ABC-")

    def edit(self, issue: str, fields: Flat) -> None:
        self.desk.edit(f"ABC-{issue}", fields)

    def comment(self, issue: str, text: str) -> str:
        return self.desk.comment(f"ABC-{issue}", text)

    def edit_comment(self, issue: str, comment: str, text: str) -> None:
        self.desk.edit_comment(f"ABC-{issue}", comment, text)

    def delete_comment(self, issue: str, comment: str) -> None:
        self.desk.delete_comment(f"ABC-{issue}", comment)

    def link(self, issue: str, link_type: str, other: str) -> None:
        self.desk.link(f"ABC-{issue}", link_type, f"ABC-{other}")

    def unlink(self, issue: str, link_type: str, other: str) -> None:
        self.desk.unlink(f"ABC-{issue}", link_type, f"ABC-{other}")

    def log_work(self, issue: str, seconds: int) -> str:
        return self.desk.log_work(f"ABC-{issue}", seconds)

    def edit_worklog(self, issue: str, worklog: str, fields: Flat) -> None:
        self.desk.edit_worklog(f"ABC-{issue}", worklog, fields)

    def delete_worklog(self, issue: str, worklog: str) -> None:
        self.desk.delete_worklog(f"ABC-{issue}", worklog)

    def delete(self, issue: str) -> None:
        self.desk.delete(f"ABC-{issue}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tracker.db"
    create_project(path, read_definition(), key="ABC")
    return path


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    desk = Desk.open(path, clock=Clock(), author="j.becker")
    yield desk
    desk.close()


@pytest.fixture
def bench(path: Path, desk: Desk) -> Iterator[Bench]:
    opened = []

    def reopen() -> EmbeddedTracker:
        opened.append(EmbeddedTracker.open(path, project="ABC", scope=SCOPE, clock=Clock(), account="filesync"))
        return opened[-1]

    def break_down() -> None:
        with closing(sqlite3.connect(path)) as file:
            for table in ("issue", "comment", "birth", "feed", "checkpoint"):
                file.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")

    yield Bench(
        tracker=reopen(),
        person=AtDesk(desk),
        reopen=reopen,
        break_down=break_down,
        basic=BASIC,
        out_of_scope={"labels:share": None},
        child={"type": "Sub-task"},
        far_status="Done",
    )
    for tracker in opened:
        tracker.close()
