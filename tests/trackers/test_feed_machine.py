"""Whoever follows the feed, stopping and starting again anywhere, knows every issue as it is: nothing is ever left out."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Issue
from filesync.trackers.base import Draft, MarkDeleted, Remove, Write
from filesync.trackers.embedded import Desk, EmbeddedTracker, create_project, read_definition
from tests.trackers.bench import BASIC, MARK, Clock, gid, issue_ref

DEFINITION = read_definition()
numbers = st.integers(1, 6)
texts = st.sampled_from(["a", "b", "ü 漢 🛠"])


class Following(RuleBasedStateMachine):
    """People and imports work on the tracker; a follower keeps a copy from `changed` and `get` alone."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "tracker.db"
        create_project(self.path, DEFINITION, key="ABC")
        self.clock = Clock()
        self.desk = Desk.open(self.path, clock=self.clock, author="j.becker")
        self.tracker = self.opened()
        self.copy: dict[str, Issue] = {}
        self.cursor: str | None = None
        self.origins = 0
        self.seen: set[tuple[str, str]] = set()

    def opened(self) -> EmbeddedTracker:
        return EmbeddedTracker.open(self.path, project="ABC", scope={"labels": ["share"]}, clock=self.clock, account="filesync")

    def there(self) -> list[str]:
        return [issue.id for issue in self.desk.list()]

    @rule(text=texts)
    def person_creates(self, text: str) -> None:
        self.desk.create("Bug", text)

    @rule(text=texts)
    def import_creates(self, text: str) -> None:
        self.origins += 1
        draft = Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, "summary": text}, about=About())
        assert not self.tracker.create(gid(Kind.ISSUE, self.origins), draft).again

    @precondition(lambda self: self.origins)
    @rule(number=numbers)
    def import_creates_again(self, number: int) -> None:
        draft = Draft(kind=Kind.ISSUE, issue=None, fields=BASIC, about=About())
        assert self.tracker.create(gid(Kind.ISSUE, min(number, self.origins)), draft).again

    @rule(number=numbers, field=st.sampled_from(["description", "labels:share", "labels:x"]), there=st.booleans())
    def import_writes(self, number: int, field: str, there: bool) -> None:
        value = None if not there else True if ":" in field else f"written {self.clock.now}"
        try:
            assert self.tracker.apply(issue_ref(str(number)), Write({field: value}), MARK) == {field: value}
        except Gone:
            assert str(number) not in self.there()

    @rule(number=numbers)
    def import_takes_a_step(self, number: int) -> None:
        try:
            for status in self.tracker.route(issue_ref(str(number)), "Done"):
                self.tracker.apply(issue_ref(str(number)), Write({"status": status}), MARK)
        except Gone:
            assert str(number) not in self.there()

    @rule(number=numbers, marked=st.booleans())
    def import_deletes(self, number: int, marked: bool) -> None:
        try:
            self.tracker.apply(issue_ref(str(number)), MarkDeleted("globex") if marked else Remove(), MARK)
        except Gone:
            assert marked
        except Rejected:
            assert any(issue.fields.get("parent") == f"ABC-{number}" for issue in self.desk.list())

    @rule(number=numbers, text=texts)
    def person_comments(self, number: int, text: str) -> None:
        if str(number) in self.there():
            self.desk.comment(f"ABC-{number}", text)

    @rule(number=numbers, text=texts, kept=st.booleans())
    def person_changes_the_last_comment(self, number: int, text: str, kept: bool) -> None:
        comments = self.desk.show(f"ABC-{number}").comments if str(number) in self.there() else ()
        if comments and kept:
            self.desk.edit_comment(f"ABC-{number}", comments[-1].id, text)
        elif comments:
            self.desk.delete_comment(f"ABC-{number}", comments[-1].id)

    @rule(number=numbers)
    def person_adds_a_child(self, number: int) -> None:
        if str(number) in self.there() and self.desk.show(f"ABC-{number}").issue.fields["type"] == "Bug":
            self.desk.create("Sub-task", "a child", {"parent": f"ABC-{number}"})

    @rule()
    def the_process_ends_and_another_begins(self) -> None:
        self.tracker.close()
        self.tracker = self.opened()

    @rule(steps=st.integers(0, 4))
    def follower_reads_a_little(self, steps: int) -> None:
        self.follow(steps)

    @invariant()
    def no_id_is_used_twice(self) -> None:
        now = {(local, issue.item.stamp) for local in self.there() if (issue := self.tracker.get(local))}
        self.seen |= now
        assert len({local for local, _ in self.seen}) == len(self.seen)

    @invariant()
    def a_follower_that_reads_to_the_end_knows_everything(self) -> None:
        copy, cursor = dict(self.copy), self.cursor
        self.follow(None)
        assert self.copy == {local: self.tracker.get(local) for local in self.there()}
        self.copy, self.cursor = copy, cursor

    def follow(self, steps: int | None) -> None:
        for count, touched in enumerate(self.tracker.changed(self.cursor, lambda: iter(self.copy))):
            if count == steps:
                return
            issue = self.tracker.get(touched.issue)
            self.copy.pop(touched.issue, None)
            if issue is not None:
                self.copy[touched.issue] = issue
            self.cursor = touched.cursor

    def teardown(self) -> None:
        self.tracker.close()
        self.desk.close()
        shutil.rmtree(self.folder)


TestFollowing = Following.TestCase
TestFollowing.settings = settings(stateful_step_count=25, suppress_health_check=list(HealthCheck))
