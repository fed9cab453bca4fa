"""What a tracker owes about links and worklogs. Part of the contract suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.model.links import link_name
from filesync.model.values import Flat
from filesync.trackers.base import Remove, Write
from tests.trackers.bench import MARK, Bench, issue_ref

WORKED: dict[str, str | list[str] | bool] = {"started": "2026-11-20T08:00:00.000Z", "seconds": "5400", "body": "seal changed"}

NO_WORK: list[tuple[str, str | bool | None]] = [
    ("seconds", None),
    ("seconds", "-1"),
    ("seconds", "0"),
    ("seconds", "1.5"),
    ("seconds", "much"),
    ("seconds", True),
    ("started", None),
    ("started", "noon"),
    ("no_such_field", "x"),
]


class LinksContract:
    """Links are fields of their outward end; worklogs belong to an issue."""

    def pair(self, bench: Bench) -> tuple[str, str]:
        return bench.person.create(bench.basic), bench.person.create(bench.basic)

    def links(self, bench: Bench, local: str) -> set[str]:
        return {name for name in bench.fields(local) if name.startswith("link:")}

    def since(self, bench: Bench) -> str | None:
        return [touched.cursor for touched in bench.changed(None)][-1]

    def told(self, bench: Bench, since: str | None) -> set[str]:
        return {touched.issue for touched in bench.changed(since)}

    def test_every_type_of_link_is_written_shown_and_taken_away_at_its_outward_end(self, bench: Bench) -> None:
        here, there = self.pair(bench)
        types = bench.tracker.describe().links
        assert types
        for link_type in types:
            name = link_name(link_type, there)
            for value in (True, None):
                since = self.since(bench)
                for _ in range(2):
                    assert bench.tracker.apply(issue_ref(here), Write({name: value}), MARK) == {name: value}
                assert self.links(bench, here) == ({name} if value else set())
                assert here in self.told(bench, since)
        assert self.links(bench, there) == set()

    def test_links_of_people_are_shown_and_named(self, bench: Bench) -> None:
        here, there = self.pair(bench)
        link_type = bench.tracker.describe().links[0]
        steps: list[Callable[[str, str, str], None]] = [bench.person.link, bench.person.unlink]
        for step in steps:
            since = self.since(bench)
            step(here, link_type, there)
            assert here in self.told(bench, since)
            assert self.links(bench, here) == ({link_name(link_type, there)} if step == bench.person.link else set())

    def test_two_issues_may_link_each_other_and_other_fields_stay(self, bench: Bench) -> None:
        here, there = self.pair(bench)
        first, *_, last = bench.tracker.describe().links
        both: Flat = {link_name(first, there): True, link_name(last, there): True, "summary": "linked"}
        assert bench.tracker.apply(issue_ref(here), Write(both), MARK) == both
        bench.person.link(there, first, here)
        assert self.links(bench, here) == both.keys() - {"summary"}
        assert self.links(bench, there) == {link_name(first, here)}
        assert bench.fields(here)["summary"] == "linked"
        assert set(bench.basic) <= set(bench.fields(here))

    def test_a_deleted_issue_takes_its_links_with_it(self, bench: Bench) -> None:
        here, there = self.pair(bench)
        first = bench.tracker.describe().links[0]
        bench.person.link(here, first, there)
        bench.person.link(there, first, here)
        bench.person.delete(there)
        assert self.links(bench, here) == set()
        gone: Flat = {link_name(first, there): None}
        assert bench.tracker.apply(issue_ref(here), Write(gone), MARK) == gone, "taking away what is not there is no fault"

    def test_a_link_that_cannot_be_is_refused_by_name_and_nothing_is_written(self, bench: Bench) -> None:
        here, there = self.pair(bench)
        first = bench.tracker.describe().links[0]
        before = bench.issue(here)
        wrong = {
            "type": f"link:no such type:{there}",
            "end": link_name(first, "999999"),
            "no id": link_name(first, "../1"),
            "itself": link_name(first, here),
            "no end": f"link:{first}",
            "nothing": "link:",
        }
        for what, name in wrong.items():
            with pytest.raises(Rejected) as caught:
                bench.tracker.apply(issue_ref(here), Write({name: True, "summary": "x"}), MARK)
            assert caught.value.fields.keys() == {name}, what
            assert str(caught.value).isprintable()
        with pytest.raises(Rejected):
            bench.tracker.apply(issue_ref(here), Write({link_name(first, there): "yes"}), MARK)
        assert bench.issue(here) == before

    def test_a_worklog_is_made_once_edited_and_removed(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        born = bench.create_worklog(local, WORKED)
        again = bench.create_worklog(local, WORKED, tried=True)
        assert (born.again, again.again) == (False, True)
        assert again.item.fields == born.item.fields == WORKED
        assert bench.worklogs(local) == (born.item,)
        ref = born.item.ref
        assert ref == Ref(Kind.WORKLOG, local, ref.local)
        edit: Flat = {"seconds": "60", "started": "2026-11-21T08:00:00.000Z", "body": None}
        assert bench.tracker.apply(ref, Write(edit), MARK) == edit
        assert bench.worklogs(local)[0].fields == {name: value for name, value in edit.items() if value is not None}
        for _ in range(2):
            assert bench.tracker.apply(ref, Remove(), MARK) == {}
            assert bench.worklogs(local) == ()
        with pytest.raises(Gone):
            bench.tracker.apply(ref, Write({"seconds": "60"}), MARK)

    def test_every_change_of_a_worklog_names_its_issue(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        since = self.since(bench)
        worklog = bench.person.log_work(local, 60)
        assert local in self.told(bench, since)
        changes: list[Callable[[], None]] = [
            lambda: bench.person.edit_worklog(local, worklog, {"seconds": "120"}),
            lambda: bench.person.delete_worklog(local, worklog),
        ]
        for change in changes:
            bench.person.create(bench.basic)
            since = self.since(bench)
            change()
            assert local in self.told(bench, since)

    def test_what_is_no_work_is_refused_by_name(self, bench: Bench, subtests: pytest.Subtests) -> None:
        local = bench.person.create(bench.basic)
        ref = bench.create_worklog(local, WORKED).item.ref
        for name, value in NO_WORK:
            with subtests.test(f"{name}: {value}"):
                with pytest.raises(Rejected) as caught:
                    bench.tracker.apply(ref, Write({name: value}), MARK)
                assert caught.value.fields.keys() == {name}
                fields = {one: held for one, held in {**WORKED, name: value}.items() if held is not None}
                with pytest.raises(Rejected) as caught:
                    bench.create_worklog(local, fields, n=2)
                assert name in caught.value.fields
                assert [one.fields for one in bench.worklogs(local)] == [WORKED]
