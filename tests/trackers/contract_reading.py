"""What a tracker owes when it is read: `changed`, `get`, `describe`. Part of the contract suite."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from filesync.errors import Rejected, Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.model.values import split_name
from filesync.model.versions import LISTS, NAME
from filesync.rules.contract import BELOW
from filesync.trackers.base import MarkDeleted, Remove, Write
from tests.trackers.bench import MARK, Bench

NO_ISSUES = ["", "0", "-1", "999999", "9" * 40, "x", "../1", "1; DROP TABLE issue", "１", "1\x00", " 1"]


class ReadingContract:
    """`changed` and `get`: nothing is left out."""

    def named(self, bench: Bench, since: str | None) -> list[str]:
        return [touched.issue for touched in bench.changed(since)]

    def named_soon(self, bench: Bench, since: str | None) -> list[str]:
        """What is named in as many runs, one going on from the other, as a deletion may take to be told."""
        names = []
        for _ in range(bench.runs):
            for touched in list(bench.changed(since)):
                names.append(touched.issue)
                since = touched.cursor or since
        return names

    def cursor(self, bench: Bench) -> str:
        last = [touched.cursor for touched in bench.changed(None)][-1]
        assert last is not None
        return last

    def test_what_the_project_holds_is_shown_where_it_can_be_told_and_is_no_issue(self, bench: Bench) -> None:
        project = bench.tracker.get(LISTS)
        assert (project is not None) is bench.tracker.describe().lists
        assert bench.tracker.find(LISTS) is None
        for item in project.children if project is not None else ():
            assert (item.ref.kind, item.ref.issue, item.origin) == (Kind.VERSION, LISTS, None)
            assert item.fields.keys() <= BELOW[Kind.VERSION].keys()
            assert item.fields[NAME] == item.about.key != ""

    def test_an_empty_project_names_nothing(self, bench: Bench) -> None:
        assert self.named(bench, None) == []

    def test_a_query_selects_issues_by_what_they_hold_and_none_selects_all(self, bench: Bench) -> None:
        one = bench.person.create({**bench.basic, "priority": "High"})
        other = bench.person.create({**bench.basic, "priority": "Low"})
        assert sorted(bench.tracker.select("")) == sorted([one, other])
        assert list(bench.tracker.select("priority=High")) == [one]

    def test_a_query_that_is_not_understood_is_refused_in_words(self, bench: Bench) -> None:
        bench.person.create(bench.basic)
        with pytest.raises(Rejected, match="noSuchField"):
            list(bench.tracker.select("noSuchField=x"))

    def test_every_kind_of_edit_is_named(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        comment = bench.person.comment(local, "hello")
        other = bench.person.create(bench.basic)
        edits: dict[str, Callable[[], object]] = {
            "edit": lambda: bench.person.edit(local, {"summary": "changed"}),
            "comment": lambda: bench.person.comment(local, "more"),
            "comment edited": lambda: bench.person.edit_comment(local, comment, "hello again"),
            "comment deleted": lambda: bench.person.delete_comment(local, comment),
            "out of scope": lambda: bench.person.edit(local, bench.out_of_scope),
            "edit out of scope": lambda: bench.person.edit(local, {"summary": "changed again"}),
            "deleted": lambda: bench.person.delete(local),
        }
        for what, edit in edits.items():
            bench.person.edit(other, {"summary": f"before {what}"})
            since = self.cursor(bench)
            edit()
            assert local in (self.named_soon if what == "deleted" else self.named)(bench, since), what

    def test_writes_of_imports_are_named_too(self, bench: Bench) -> None:
        bench.person.create(bench.basic)
        since = self.cursor(bench)
        local = bench.create().item.ref.local
        assert local in self.named(bench, since)

    def test_every_cursor_leaves_out_only_what_came_before_it(self, bench: Bench) -> None:
        made = [bench.person.create(bench.basic) for _ in range(7)]
        for local in (made[2], made[5], made[2]):
            bench.person.edit(local, {"summary": f"edited {local}"})
        touched = list(bench.changed(None))
        assert {one.issue for one in touched} == set(made)
        for place, one in enumerate(touched):
            if one.cursor is not None:
                assert {later.issue for later in touched[place + 1 :]} <= set(self.named(bench, one.cursor))

    def test_oldest_change_comes_first(self, bench: Bench) -> None:
        first, second, third = (bench.person.create(bench.basic) for _ in range(3))
        bench.person.edit(first, {"summary": "last of all"})
        found = list(dict.fromkeys(reversed(self.named(bench, None))))
        assert found in ([first, third, second], [third, second, first]), "where all are read, they may come as they were made"

    def test_none_names_all_there_are_and_no_deleted_one(self, bench: Bench) -> None:
        kept, lost = bench.person.create(bench.basic), bench.person.create(bench.basic)
        bench.person.delete(lost)
        assert set(self.named(bench, None)) == {kept}

    def test_a_cursor_outlives_the_process(self, bench: Bench) -> None:
        bench.person.create(bench.basic)
        since = self.cursor(bench)
        local = bench.person.create(bench.basic)
        assert local in [touched.issue for touched in bench.changed(since, bench.reopen())]

    def test_a_list_that_fails_half_way_raises_and_is_never_shorter(self, bench: Bench) -> None:
        made = {bench.person.create(bench.basic) for _ in range(60)}
        names = bench.changed(None)
        seen = {next(names).issue}
        bench.break_down()
        try:
            seen |= {touched.issue for touched in names}
        except Unavailable:
            return
        assert seen == made

    def test_a_tracker_that_is_down_is_unavailable_in_every_call(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        key = bench.issue(ref.local).key
        bench.break_down()
        calls: dict[str, Callable[[], object]] = {
            "changed": lambda: list(bench.changed(None)),
            "get": lambda: bench.tracker.get(ref.local),
            "find": lambda: bench.tracker.find(key),
            "create": lambda: bench.create(n=2),
            "write": lambda: bench.tracker.apply(ref, Write({"summary": "x"}), MARK),
            "remove": lambda: bench.tracker.apply(ref, Remove(), MARK),
            "mark": lambda: bench.tracker.apply(ref, MarkDeleted("globex"), MARK),
            "route": lambda: bench.tracker.route(ref, bench.far_status),
            "read": lambda: bench.tracker.read_checkpoint("x"),
            "write checkpoint": lambda: bench.tracker.write_checkpoint("x", "y"),
        }
        for what, call in calls.items():
            with pytest.raises(Unavailable) as caught:
                call()
            assert str(caught.value).isprintable(), what
            assert caught.value.hint, what

    def test_get_says_none_of_what_was_never_there(self, bench: Bench, subtests: pytest.Subtests) -> None:
        bench.person.create(bench.basic)
        for local in NO_ISSUES:
            with subtests.test(ascii(local)):
                assert bench.tracker.get(local) is None

    def test_get_says_none_of_what_was_deleted(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        bench.person.delete(local)
        assert bench.tracker.get(local) is None

    def test_an_issue_is_found_by_the_key_that_people_type(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        key = bench.issue(local).key
        assert bench.tracker.find(key) == bench.tracker.find(f" {key.lower()}") == local
        number = key.rpartition("-")[2]
        for other in (f"{key}9", f"OTHER-{number}", number, "", "-", f"{key}/../{number}", f"{key}\x00", local + "x"):
            assert bench.tracker.find(other) is None, other

    def test_out_of_scope_is_told_apart_from_gone(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        assert bench.issue(local).in_scope
        bench.person.edit(local, bench.out_of_scope)
        assert not bench.issue(local).in_scope

    def test_an_issue_comes_with_its_comments_oldest_first(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        ids = [bench.person.comment(local, text) for text in ("one", "two", "three")]
        bench.person.edit_comment(local, ids[0], "one, edited")
        comments = bench.comments(local)
        assert [comment.fields for comment in comments] == [{"body": "one, edited"}, {"body": "two"}, {"body": "three"}]
        assert [comment.ref for comment in comments] == [Ref(Kind.COMMENT, local, comment) for comment in ids]

    def test_items_carry_what_makes_a_gid_and_what_people_want_to_know(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        bench.person.comment(local, "hello")
        issue = bench.issue(local)
        assert issue.item.about.key == issue.key
        for item in (issue.item, *issue.children):
            assert re.fullmatch(r"[0-9A-Za-z]{1,32}", item.stamp)
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", item.ref.local)
            assert item.origin is None
            assert item.about.author
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item.about.at)

    def test_an_id_with_its_stamp_is_never_used_again(self, bench: Bench) -> None:
        seen = set()
        for _ in range(3):
            local = bench.person.create(bench.basic)
            seen.add((local, bench.issue(local).item.stamp))
            bench.person.delete(local)
        assert len(seen) == 3

    def test_only_described_fields_are_shown(self, bench: Bench) -> None:
        description = bench.tracker.describe()
        local = bench.person.create(bench.basic)
        assert all(":" not in spec.name for spec in description.fields)
        assert {split_name(flat)[0] for flat in bench.fields(local)} <= {spec.name for spec in description.fields}
        assert bench.basic["type"] in description.types
        assert bench.fields(local)["status"] in description.statuses
        assert description.users
        assert description.name
