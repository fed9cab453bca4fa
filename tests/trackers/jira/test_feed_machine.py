"""Whoever follows the feed of a Jira, stopping and starting again anywhere, misses nothing and loses nothing that is there.

People work on the project, the index lies behind, and time goes by. What moved `updated` is known after the next whole run;
what did not, and what was deleted, after a round of the sweep and two censuses.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.support.jira.flavours import CLOUD, DC10, Flavour
from tests.trackers.jira.feed_bench import make

SWEEP, CENSUS = 11, 3
numbers = st.integers(0, 9)


class Following(RuleBasedStateMachine):
    """The follower's copy against what is there."""

    flavour: Flavour

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.jira = make(self.flavour, self.folder, sweep=SWEEP, census=CENSUS, limit=1000)
        self.shows: dict[str, int] = {}  # by when search shows the last change of an issue
        self.silent: set[str] = set()  # was changed since without `updated`
        self.had: set[str] = set()
        self.texts = 0
        for _ in range(8):  # so many that the sweep does not look at each of them in every run
            self.person_creates()
        self.jira.follow()

    def pick(self, number: int) -> str | None:
        there = sorted(self.jira.store.issues)
        return there[number % len(there)] if there else None

    def changed(self, local: str) -> None:
        self.shows[local] = self.jira.clock.now() + round(self.jira.faults.index_lag * 1000)

    def text(self) -> str:
        self.texts += 1
        return f"text {self.texts}"

    @rule()
    def person_creates(self) -> None:
        self.changed(self.jira.create(self.text()))

    @rule(number=numbers)
    def person_edits(self, number: int) -> None:
        if local := self.pick(number):
            self.jira.edit(local, summary=self.text())
            self.changed(local)

    @rule(number=numbers)
    def person_comments(self, number: int) -> None:
        if local := self.pick(number):
            self.jira.comment(local, self.text())
            self.changed(local)

    @rule(number=numbers)
    def migration_edits(self, number: int) -> None:
        if local := self.pick(number):
            self.jira.store.put(self.jira.kept(local), {"summary": self.text()})
            self.silent.add(local)

    @rule(number=numbers)
    def person_deletes(self, number: int) -> None:
        if local := self.pick(number):
            self.jira.delete(local)

    @rule(number=numbers, key=st.sampled_from(["ABC", "XYZ"]))
    def person_moves(self, number: int, key: str) -> None:
        project = self.jira.store.project(key)
        if (local := self.pick(number)) and project is not None and self.jira.kept(local).project != project.id:
            self.jira.work("admin").move(self.jira.kept(local), project)
            self.changed(local)

    @rule(number=numbers)
    def an_issue_is_hidden_for_one_run(self, number: int) -> None:
        home = [one for one in self.jira.store.issues.values() if one.project == self.jira.catalogue.project]
        if (local := self.pick(number)) and len(home) > 1:  # else nobody is left to bear that it was missing
            self.jira.faults.hidden.add(local)
            self.jira.follow()
            self.nothing_is_told_deleted_that_is_there()
            self.jira.faults.hidden.clear()
            self.jira.follow()

    @rule(seconds=st.integers(0, 400))
    def time_goes_by(self, seconds: int) -> None:
        self.jira.clock.forward(seconds)

    @rule(seconds=st.sampled_from([0, 20, 50]))
    def index_lies_behind(self, seconds: int) -> None:
        self.jira.faults.index_lag = seconds

    @rule(rows=st.sampled_from([2, 3, 1000]), exact=st.booleans())
    def search_answers_otherwise(self, rows: int, exact: bool) -> None:
        self.jira.faults.page_cap, self.jira.faults.index_exact = rows, exact

    @rule(number=numbers, between=st.integers(0, 50))
    def search_shows_an_edit_only_after_a_run(self, number: int, between: int) -> None:
        self.jira.faults.index_lag = 50
        self.person_edits(number)
        self.jira.clock.forward(between)
        self.jira.follow()
        self.jira.clock.forward(60)
        self.follower_reads_to_the_end(10)

    @rule()
    def another_process_begins(self) -> None:
        self.jira.reading = self.jira.new_reading()

    @rule(steps=st.integers(0, 3), chunk=st.integers(1, 4))
    def follower_is_cut_off(self, steps: int, chunk: int) -> None:
        self.jira.follow(steps=steps, chunk=chunk)

    @rule(chunk=st.integers(1, 10))
    def follower_reads_to_the_end(self, chunk: int) -> None:
        start = self.jira.clock.now()
        self.jira.follow(chunk=chunk)
        home = self.jira.catalogue.project
        for local, shown in self.shows.items():
            kept = self.jira.store.issues.get(local)
            if kept is not None and shown <= start and local not in self.silent and kept.project == home:
                assert self.jira.copy.get(local) == self.jira.reading.get(local)

    @invariant()
    def nothing_is_told_deleted_that_is_there(self) -> None:
        self.had |= self.jira.copy.keys()
        assert self.had & self.jira.store.issues.keys() <= self.jira.copy.keys()

    def teardown(self) -> None:
        for _ in range(SWEEP + 2 * CENSUS + 2):
            self.jira.forward(5)
            self.jira.follow()
        home = self.jira.catalogue.project
        there = {local for local, kept in self.jira.store.issues.items() if kept.project == home or local in self.had}
        assert self.jira.copy == {local: self.jira.reading.get(local) for local in there}
        shutil.rmtree(self.folder)


class OfDataCenter(Following):
    flavour = DC10


class OfCloud(Following):
    flavour = CLOUD


TestDataCenter = OfDataCenter.TestCase
TestCloud = OfCloud.TestCase
TestDataCenter.settings = TestCloud.settings = settings(stateful_step_count=25, suppress_health_check=list(HealthCheck))
