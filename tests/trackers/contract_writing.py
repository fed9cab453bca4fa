"""What a tracker owes when it is written to: `create`, `apply`, `route`, checkpoints. Part of the contract suite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Flat, Value
from filesync.trackers.base import Draft, MarkDeleted, Remove, Write
from tests.trackers.bench import MARK, SPECIAL, TRIED, Bench, gid, issue_ref

HOSTILE = {
    "sql": "'; DROP TABLE issue; --",
    "markup": "<script>alert(1)</script> [red]x[/red] {panel} %s {0}",
    "nul": "a\x00b",
    "escapes": "\x1b[2J\x1b]0;title\x07 \x08\x7f\x9b",
    "right_to_left": "\u202eevil\u202c שלום مضخة",
    "four_bytes": "🛠️👩‍🔧 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010fffd",
    "combining": "e\u0301 \u1100\u1161 ﬁ",
    "quotes": "\\ \" ' ` \\u0000 \\n",
    "separators": "a\u2028b\u2029c\x85d",
    "surrogate": "half \ud83d of it",
    "blank_lines": "\n\n  first\n\tsecond  \n\n",
}
GARBAGE: dict[str, Flat] = {
    "no_name": {"": "x"},
    "colon_only": {":": True},
    "unknown_field": {"no_such_field": "x"},
    "unknown_set": {"no_such_field:x": True},
    "hostile_name": {"summary'; DROP TABLE issue; --": "x"},
    "flag_for_text": {"summary": True},
    "list_for_text": {"summary": ["a", "b"]},
    "element_of_plain_field": {"summary:x": True},
    "type_emptied": {"type": None},
    "type_unknown": {"type": "No such type"},
    "status_emptied": {"status": None},
    "parent_unknown": {"parent": "999999"},
    "parent_is_no_id": {"parent": "../1"},
    "required_emptied": {"summary": None},
    "two_lines_of_summary": {"summary": "a\nb"},
    "too_long": {"summary": "x" * 40_000},
}


class CreateContract:
    """`create`: once for each origin."""

    def test_what_was_created_is_what_get_shows(self, bench: Bench) -> None:
        born = bench.create({"description": "line\r\nline"})
        assert not born.again
        issue = bench.issue(born.item.ref.local)
        assert issue.item == born.item
        assert issue.key == born.key
        assert born.item.fields["description"] == "line\nline"
        comment = bench.create_comment(born.item.ref.local, "hello\r\nworld")
        assert bench.comments(born.item.ref.local) == (comment.item,)
        assert comment.item.fields == {"body": "hello\nworld"}

    def test_several_issues_at_once_are_as_if_each_was_made_alone(self, bench: Bench) -> None:
        drafts = {
            gid(Kind.ISSUE, n): Draft(kind=Kind.ISSUE, issue=None, fields={**bench.basic, "summary": f"{n}"}, about=About())
            for n in (1, 2, 3)
        }
        made = dict(bench.tracker.create_all(drafts)) if bench.tracker.at_once > 1 else {}
        assert len(list(bench.changed(None))) == len(made)
        made |= {origin: bench.tracker.create(origin, draft) for origin, draft in drafts.items() if origin not in made}
        for origin, born in made.items():
            assert (born.item.origin, born.again) == (origin, False)
            assert born.item.fields["summary"] == drafts[origin].fields["summary"]
            assert bench.issue(born.item.ref.local).item == born.item

    def test_origin_is_shown(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        bench.create_comment(ref.local, "hello")
        issue = bench.issue(ref.local)
        assert [item.origin for item in (issue.item, *issue.children)] == [gid(Kind.ISSUE, 1), gid(Kind.COMMENT, 1)]

    def test_a_second_create_answers_what_the_first_one_made_as_it_was_born(self, bench: Bench) -> None:
        born = bench.create({"description": "as born"})
        said = bench.create_comment(born.item.ref.local, "as born")
        bench.person.edit(born.item.ref.local, {"description": "edited", "summary": "edited"})
        bench.person.edit_comment(born.item.ref.local, said.item.ref.local, "edited")
        again = bench.create({"description": "as born"}, tried=True)
        said_again = bench.create_comment(born.item.ref.local, "as born", tried=True)
        assert (again.again, said_again.again) == (True, True)
        assert (again.item.ref, again.item.stamp, again.key) == (born.item.ref, born.item.stamp, born.key)
        assert again.item.fields == born.item.fields
        assert (said_again.item.ref, said_again.item.fields) == (said.item.ref, said.item.fields)
        assert bench.fields(born.item.ref.local)["description"] == "edited"
        assert len(list(bench.changed(None))) == 1

    def test_another_process_finds_the_origin_too(self, bench: Bench) -> None:
        born = bench.create()
        draft = Draft(kind=Kind.ISSUE, issue=None, fields=bench.basic, about=About(), tried=TRIED)
        assert bench.reopen().create(gid(Kind.ISSUE, 1), draft).item == born.item

    def test_a_comment_on_an_issue_that_is_gone_is_gone(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        bench.person.delete(local)
        with pytest.raises(Gone):
            bench.create_comment(local, "too late")

    def test_a_refused_create_names_every_field_and_leaves_nothing(self, bench: Bench) -> None:
        with pytest.raises(Rejected) as caught:
            bench.create({"no_such_field": "x", "priority": "No such priority"})
        assert caught.value.fields.keys() >= {"no_such_field", "priority"}
        assert caught.value.hint
        assert list(bench.changed(None)) == []
        assert not bench.create().again

    def test_a_comment_without_text_is_refused(self, bench: Bench) -> None:
        local = bench.person.create(bench.basic)
        with pytest.raises(Rejected) as caught:
            bench.create_comment(local, "")
        assert "body" in caught.value.fields

    def test_a_child_is_created_under_its_parent(self, bench: Bench) -> None:
        parent = bench.create().item.ref.local
        child = bench.create({**bench.child, "parent": parent}, n=2)
        assert bench.fields(child.item.ref.local)["parent"] == parent
        with pytest.raises(Rejected) as caught:
            bench.create({**bench.child, "parent": "999999"}, n=3)
        assert caught.value.fields.keys() == {"parent"}


class ThreadsContract:
    """Several issues are worked on at the same time."""

    def test_calls_from_several_threads_do_what_calls_from_one_do(self, bench: Bench) -> None:
        together = Barrier(6)

        def work(n: int) -> tuple[str, list[object]]:
            together.wait(60)
            local = bench.create({"summary": f"issue {n}"}, n=n).item.ref.local
            for turn in range(5):
                bench.tracker.apply(issue_ref(local), Write({"summary": f"issue {n} turn {turn}"}), MARK)
                bench.create_comment(local, f"{n} {turn}", n=100 * n + turn)
                list(bench.changed(None))
            return local, [comment.fields["body"] for comment in bench.comments(local)]

        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(work, range(1, 7)))
        assert len({local for local, _ in done}) == 6
        for n, (local, bodies) in enumerate(done, start=1):
            assert bodies == [f"{n} {turn}" for turn in range(5)]
            assert bench.fields(local)["summary"] == f"issue {n} turn 4"
        assert {local for local, _ in done} == {touched.issue for touched in bench.changed(None)}


class ApplyContract:
    """`apply` and `route`: all or nothing, once or twice the same."""

    def write(self, bench: Bench, local: str, fields: Flat) -> Flat:
        return bench.tracker.apply(issue_ref(local), Write(fields), MARK)

    def test_every_kind_of_field_comes_back_as_it_was_written(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        specs = bench.specs()
        assert len({spec.kind for spec in specs}) >= 10
        for spec in specs:
            one, two = bench.two_values(spec)
            assert self.write(bench, local, one) == one, spec
            assert one.items() <= bench.fields(local).items(), spec
            assert self.write(bench, local, two) == two, spec
            assert two.items() <= bench.fields(local).items(), spec
            assert (one.items() <= bench.fields(local).items()) is spec.many, spec
            if not spec.required:
                empty: Flat = dict.fromkeys([*one, *two])
                assert self.write(bench, local, empty) == empty, spec
                assert not empty.keys() & bench.fields(local).keys(), spec

    def test_what_lands_is_what_get_shows(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        landed = self.write(bench, local, {"description": "one\r\ntwo\rthree", "summary": "  trailing blanks  "})
        assert landed == {name: bench.fields(local).get(name) for name in ("description", "summary")}

    def test_writing_twice_is_writing_once(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        first = self.write(bench, local, {"description": "x", "summary": "y"})
        before = bench.issue(local)
        assert self.write(bench, local, {"description": "x", "summary": "y"}) == first
        assert bench.issue(local) == before

    def test_other_fields_stay_as_they_are(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        bench.person.edit(local, {"summary": "a person's"})
        self.write(bench, local, {"description": "ours"})
        assert bench.fields(local)["summary"] == "a person's"

    def test_a_write_that_is_refused_in_part_writes_nothing(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        before = bench.issue(local)
        with pytest.raises(Rejected) as caught:
            self.write(bench, local, {"description": "fine", "priority": "No such priority", "no_such_field": "x"})
        assert caught.value.fields.keys() == {"priority", "no_such_field"}
        assert bench.issue(local) == before

    def test_garbage_is_refused_by_name_in_one_printable_line(self, bench: Bench, subtests: pytest.Subtests) -> None:
        local = bench.create().item.ref.local
        before = bench.issue(local)
        for what, fields in GARBAGE.items():
            with subtests.test(what):
                with pytest.raises(Rejected) as caught:
                    self.write(bench, local, fields)
                assert caught.value.fields.keys() == fields.keys()
                assert str(caught.value).isprintable()
                assert bench.issue(local) == before

    def test_text_is_data(self, bench: Bench, subtests: pytest.Subtests) -> None:
        for n, (what, text) in enumerate(HOSTILE.items(), start=1):
            with subtests.test(what):
                self.kept_or_refused(bench, text, n=n)

    def kept_or_refused(self, bench: Bench, text: str, *, n: int) -> None:
        """It is kept to the letter, or refused with its field's name; never something in between."""
        local = bench.create(n=n).item.ref.local
        try:
            landed = self.write(bench, local, {"description": text})
        except Rejected as error:
            refused = error
        else:
            assert landed == {"description": text}
            assert bench.fields(local)["description"] == text
            said = bench.create_comment(local, text, n=n)
            assert bench.comments(local)[0].fields == said.item.fields == {"body": text}
            return
        with pytest.raises(Rejected):
            bench.create_comment(local, text, n=n)
        assert refused.fields.keys() == {"description"}
        assert str(refused).isprintable()
        assert "description" not in bench.fields(local)

    def test_the_status_is_reached_step_by_step(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        walked: list[str] = []
        while way := bench.tracker.route(ref, bench.far_status):
            for status in way:
                assert bench.tracker.apply(ref, Write({"status": status}), MARK) == {"status": status}
                assert bench.fields(ref.local)["status"] == status
                assert bench.tracker.apply(ref, Write({"status": status}), MARK) == {"status": status}
            walked += way
        assert len(walked) == len(set(walked)) > 1
        assert walked[-1] == bench.far_status

    def test_the_status_is_not_reached_by_a_leap_nor_together_with_other_fields(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        before = bench.issue(ref.local)
        step = bench.tracker.route(ref, bench.far_status)[0]
        leaps: list[dict[str, Value | None]] = [
            {"status": bench.far_status},
            {"status": step, "summary": "x"},
            {"status": "No such status"},
        ]
        for leap in leaps:
            with pytest.raises(Rejected) as caught:
                bench.tracker.apply(ref, Write(leap), MARK)
            assert "status" in caught.value.fields
        assert bench.issue(ref.local) == before

    def test_there_is_no_route_to_an_unknown_status(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        with pytest.raises(Rejected) as caught:
            bench.tracker.route(ref, "No such status")
        assert "status" in caught.value.fields

    def test_what_is_gone_is_gone_for_every_call_but_remove(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        said = bench.create_comment(ref.local, "hello").item.ref
        bench.person.delete(ref.local)
        for gone, fields in ((ref, {"summary": "x"}), (said, {"body": "x"})):
            with pytest.raises(Gone):
                bench.tracker.apply(gone, Write(fields), MARK)
            with pytest.raises(Gone):
                bench.tracker.apply(gone, MarkDeleted("globex"), MARK)
            assert bench.tracker.apply(gone, Remove(), MARK) == {}
        with pytest.raises(Gone):
            bench.tracker.route(ref, bench.far_status)

    def test_removing_twice_is_removing_once(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        said = bench.create_comment(ref.local, "hello").item.ref
        kept = bench.person.comment(ref.local, "a person's")
        for _ in range(2):
            assert bench.tracker.apply(said, Remove(), MARK) == {}
            assert [comment.ref.local for comment in bench.comments(ref.local)] == [kept]
        for _ in range(2):
            assert bench.tracker.apply(ref, Remove(), MARK) == {}
            assert bench.tracker.get(ref.local) is None

    def test_an_issue_with_children_is_not_removed(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        child = bench.create({**bench.child, "parent": ref.local}, n=2).item.ref
        with pytest.raises(Rejected):
            bench.tracker.apply(ref, Remove(), MARK)
        assert bench.fields(child.local)["parent"] == ref.local
        bench.tracker.apply(child, Remove(), MARK)
        assert bench.tracker.apply(ref, Remove(), MARK) == {}

    def test_a_comment_is_edited(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        said = bench.create_comment(ref.local, "hello").item.ref
        assert bench.tracker.apply(said, Write({"body": "good\r\nbye"}), MARK) == {"body": "good\nbye"}
        assert bench.comments(ref.local)[0].fields == {"body": "good\nbye"}
        for refused in ({"body": None}, {"no_such_field": "x"}):
            with pytest.raises(Rejected) as caught:
                bench.tracker.apply(said, Write(refused), MARK)
            assert refused.keys() <= caught.value.fields.keys()

    def test_marking_as_deleted_leaves_every_field_and_is_named(self, bench: Bench) -> None:
        ref = bench.create().item.ref
        said = bench.create_comment(ref.local, "hello").item.ref
        before = bench.issue(ref.local)
        for marked in (ref, said):
            since = list(bench.changed(None))[-1].cursor
            for _ in range(2):
                assert bench.tracker.apply(marked, MarkDeleted("globex"), MARK) == {}
            assert ref.local in [touched.issue for touched in bench.changed(since)]
        assert bench.issue(ref.local).item.fields == before.item.fields

    def test_special_kinds_stand_once_each(self, bench: Bench) -> None:
        kinds = [spec.kind for spec in bench.tracker.describe().fields if spec.kind in SPECIAL]
        assert sorted(kinds) == sorted(SPECIAL)

    def test_checkpoints_are_kept_under_their_names(self, bench: Bench) -> None:
        assert bench.tracker.read_checkpoint("acme") is None
        texts = {"acme": "einprägsam 記憶 🛟\n\x00", "globex": "x" * 32_000}
        for name, text in texts.items():
            bench.tracker.write_checkpoint(name, "earlier")
            bench.tracker.write_checkpoint(name, text)
        assert {name: bench.reopen().read_checkpoint(name) for name in texts} == texts
