"""Texts that are longer than Jira takes: their beginning stands in Jira, all of them in a file, and the text is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.errors import Rejected, Unreadable, Unwritten
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Value
from filesync.trackers.base import Draft, Remove, Write
from filesync.trackers.jira.tracker import JiraTracker
from filesync.trackers.jira.translate import overflow
from filesync.trackers.jira.translate.text import length
from tests.support.jira.records import Issue
from tests.support.jira.site import CLOUD, DC10
from tests.trackers.bench import BASIC, MARK, TRIED, gid, issue_ref
from tests.trackers.jira.scene import Opened, jira

ABOUT = About(key="XYZ-7", author="Anna Li", at="2026-11-20T08:00:00.000Z")
LIMIT = 2_000  # of the Jiras here, as filesync is told
LONG = "Es rinnt. 密封 🔧\n" * 300
LONGER = LONG + "und noch mehr\n"
WORKED: dict[str, Value] = {"started": "2026-11-20T08:00:00.000Z", "seconds": "3600"}


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with jira(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open(text_limit=LIMIT)


@pytest.fixture
def local(opened: Opened) -> str:
    return opened.site.person("j.becker").create(BASIC)


def held(opened: Opened, local: str) -> Issue:
    """The issue as Jira has it."""
    return opened.site.store.issues[local]


def files(opened: Opened, local: str) -> dict[str, str]:
    """What is attached to it."""
    return {one.name: one.content.read_text() for one in held(opened, local).attachments}


def uploads(opened: Opened) -> int:
    return sum(seen.method == "POST" and seen.path.endswith("/attachments") for seen in opened.site.requests())


def shown(opened: Opened, local: str) -> dict[str, Value]:
    """The fields that another process reads, of the issue and of what belongs to it: no file of ours is among that."""
    issue = opened.open().get(local)
    assert issue is not None
    assert not [one for one in issue.children if one.ref.kind is Kind.ATTACHMENT]
    return {**issue.item.fields, **{f"{one.ref.kind}": one.fields.get("body", "") for one in issue.children}}


# ── pure ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\n {🔧"), min_size=200, max_size=400))
def test_the_beginning_and_the_file_are_the_text_whatever_it_holds(whole: str) -> None:
    whole = whole.replace("\r", "\n")
    said, file = overflow.fitted(whole, head="_Anna:_", limit=195, owner="description", key=lambda: "ABC-17")
    assert re.fullmatch(r"description-ABC-17-[0-9a-f]{12}\.txt", file)
    assert length(said) <= 195
    for shows in (said, said.replace("\n", "\r\n"), said.replace(f"[^{file}]", f"[{file}|^{file}]")):
        pointer = overflow.find(shows)
        assert pointer is not None
        assert (pointer.file, pointer.whole(whole)) == (file, f"_Anna:_\n{whole}")
    assert overflow.holds(file, whole.encode())


def test_what_fits_is_left_alone_to_the_last_character() -> None:
    for head in ("", "_Anna:_"):
        room = 300 - len(head and f"{head}\n")
        for body in ("x" * room, "🔧" * (room // 2)):
            assert overflow.fitted(body, head=head, limit=300, owner="a", key=str)[1] == ""
            assert overflow.fitted(body + "xx", head=head, limit=300, owner="a", key=str)[1] != ""


@pytest.mark.parametrize(
    ("whole", "ends"),
    [
        ("a b " * 20 + "\n\n" + "word " * 100, "a b"),
        ("a" * 70 + "\n" + "b" * 400, "a"),
        ("word " * 100, "word"),
        ("text " * 15 + "{code:java}\n" + "x = 1\n" * 100 + "{code}", "text"),
        ("a" * 500, "a"),
    ],
)
def test_a_text_is_cut_where_it_hurts_least(whole: str, ends: str) -> None:
    said = overflow.begin(whole, overflow.file_name("description", "ABC-1", whole), limit=210)
    above = said.split("\n\n…")[0]
    assert above.endswith(ends)
    assert whole.startswith(above)
    assert len(above) > 50


@pytest.mark.parametrize("name", ["description.txt", "a-0123456789a.txt", "a b-0123456789ab.txt", "a-0123456789ab.pdf"])
def test_other_files_are_nobodys_text(name: str) -> None:
    assert not overflow.is_file(name)
    assert overflow.find(f"x\n\n… (1 of 2 characters; all of them are in [^{name}])") is None


@pytest.mark.parametrize("before", ["", " ", "x\n ", "x\n\n", "x\n\\"])
@pytest.mark.parametrize("sign", ["… (", "…  (", "… \\("])
def test_no_text_that_comes_can_be_taken_for_one_that_goes_on_in_a_file(before: str, sign: str) -> None:
    with pytest.raises(ValueError, match="holds a line by which"):
        overflow.sound(f"{before}{sign}0 of 9 characters; all of them are in [^a-0123456789ab.txt])")


# ── in Jira ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_trap31_a_long_description_is_attached_and_replaced_and_goes_when_it_fits(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    for text in (LONG, LONGER):
        assert tracker.apply(issue_ref(local), Write({"description": text, "summary": "x"}), MARK)["description"] == text
        ((name, content),) = files(opened, local).items()
        assert content == text
        stands = str(held(opened, local).values["description"])
        assert stands.endswith(f"characters; all of them are in [^{name}])")
        assert shown(opened, local)["description"] == text
    before = uploads(opened)
    tracker.apply(issue_ref(local), Write({"description": LONGER, "summary": "y"}), MARK)
    assert (len(files(opened, local)), uploads(opened)) == (1, before)
    assert tracker.apply(issue_ref(local), Write({"description": "short"}), MARK) == {"description": "short"}
    assert files(opened, local) == {}


def test_trap31_an_issue_is_born_with_the_beginning_and_then_told_the_rest(opened: Opened, tracker: JiraTracker) -> None:
    draft = Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, "description": LONG}, about=ABOUT)
    born = tracker.create(gid(Kind.ISSUE, 1), draft)
    assert LONG.startswith(str(born.item.fields["description"]))
    assert tracker.apply(born.item.ref, Write({"description": LONG}), MARK) == {"description": LONG}
    assert shown(opened, born.item.ref.local)["description"] == LONG


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.WORKLOG])
def test_trap31_a_long_comment_or_worklog_has_its_author_above_and_its_file(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind
) -> None:
    fields: dict[str, Value] = {**(WORKED if kind is Kind.WORKLOG else {}), "body": LONG}
    born = tracker.create(gid(kind, 1), Draft(kind=kind, issue=local, fields=fields, about=ABOUT))
    assert born.item.fields["body"] == LONG
    for text in (LONG, LONGER, "short"):
        assert tracker.apply(born.item.ref, Write({"body": text}), MARK) == {"body": text}
        issue = held(opened, local)
        said = issue.comments[0].body if kind is Kind.COMMENT else issue.worklogs[0].comment
        assert said.startswith("_Anna Li, 2026-11-20 08:00 UTC:_")
        assert list(files(opened, local).values()) == ([text] if text != "short" else [])
        assert shown(opened, local)[kind] == text
        assert list(tracker.spills(kind, {"body": text}, ABOUT)) == (["body"] if text != "short" else [])
    tracker.apply(born.item.ref, Write({"body": LONG}), MARK)
    tracker.apply(born.item.ref, Remove(), MARK)
    assert files(opened, local) == {}


def test_f110_a_file_whose_answer_was_lost_is_not_attached_again(opened: Opened, tracker: JiraTracker, local: str) -> None:
    draft = Draft(kind=Kind.COMMENT, issue=local, fields={"body": LONG}, about=ABOUT, tried=TRIED)
    for path, lose in (("/attachments$", opened.site.faults.lose_answer), ("/comment$", opened.site.faults.lose_request)):
        lose(method="POST", path=path)
        with pytest.raises(Unwritten):
            tracker.create(gid(Kind.COMMENT, 1), draft)
    assert "comment" not in shown(opened, local)
    tracker.create(gid(Kind.COMMENT, 1), draft)
    assert len(held(opened, local).comments) == 1
    assert list(files(opened, local).values()) == [LONG]


def test_somebody_edits_the_beginning_and_the_rest_stays(opened: Opened, tracker: JiraTracker, local: str) -> None:
    tracker.apply(issue_ref(local), Write({"description": LONG}), MARK)
    stands = str(held(opened, local).values["description"])
    opened.site.person("w.chen").edit(local, {"description": f"Nein: {stands}\n\nw.chen"})
    assert str(shown(opened, local)["description"]).rstrip() == f"Nein: {LONG}\n\nw.chen"
    opened.site.person("w.chen").edit(local, {"description": stands.split("\n\n…", maxsplit=1)[0]})
    assert len(str(shown(opened, local)["description"])) < len(LONG)


def test_a_file_that_somebody_took_away_is_missed_and_no_text_is_cut_for_it(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    tracker.apply(issue_ref(local), Write({"description": LONG}), MARK)
    (attachment,) = held(opened, local).attachments
    opened.site.person("w.chen").detach(local, attachment.id)
    with pytest.raises(Unreadable, match=f"goes on in the attached file {attachment.name}, and that is not there"):
        opened.open().get(local)
    opened.site.person("w.chen").attach(local, attachment.name, b"something else")
    with pytest.raises(Unreadable, match="that is not there"):
        opened.open().get(local)
    opened.site.person("w.chen").attach(local, attachment.name, LONG.encode())
    issue = opened.open().get(local)
    assert issue is not None
    assert issue.item.fields["description"] == LONG


def test_f120_a_long_text_that_cannot_be_attached_is_refused_by_name(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.upload_limit = 1000
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({"description": LONG}), MARK)
    assert "characters are more than the 2,000 there is room for, and a file" in caught.value.fields["description"]
    draft = Draft(kind=Kind.COMMENT, issue=local, fields={"body": LONG}, about=ABOUT)
    with pytest.raises(Rejected) as caught:
        tracker.create(gid(Kind.COMMENT, 1), draft)
    assert caught.value.fields.keys() == {"body"}
    assert held(opened, local).comments == []


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.WORKLOG])
def test_trap32_what_few_may_see_is_never_attached_where_all_would(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind
) -> None:
    fields: dict[str, Value] = {**(WORKED if kind is Kind.WORKLOG else {}), "visibility": "role:Developers"}
    long = Draft(kind=kind, issue=local, fields={**fields, "body": LONG}, about=ABOUT)
    with pytest.raises(Rejected, match="in an attached file all would see what is for few"):
        tracker.create(gid(kind, 1), long)
    full = "x" * LIMIT  # without the line above it there is room for it
    born = tracker.create(gid(kind, 2), Draft(kind=kind, issue=local, fields={**fields, "body": full}, about=ABOUT))
    assert born.item.fields["body"] == full
    with pytest.raises(Rejected, match="in an attached file all would see what is for few"):
        tracker.apply(born.item.ref, Write({"body": LONG}), MARK)
    assert files(opened, local) == {}


def test_a_text_that_points_to_a_file_by_itself_is_refused_by_name(opened: Opened, tracker: JiraTracker, local: str) -> None:
    forged = "hello\n\n… (5 of 9 characters; all of them are in [^description-ABC-1-0123456789ab.txt])"
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({"description": forged, "environment": forged + LONG}), MARK)
    assert caught.value.fields.keys() == {"description", "environment"}
    with pytest.raises(Rejected, match="the rest of a longer text: take it out"):
        tracker.create(gid(Kind.COMMENT, 1), Draft(kind=Kind.COMMENT, issue=local, fields={"body": forged}, about=ABOUT))
    assert files(opened, local) == {}


def test_what_a_jira_takes_is_left_to_it_to_the_last_character(opened: Opened, local: str) -> None:
    tracker = opened.open()
    for text, count in (("x" * 32_767, 0), ("x" * 32_768, 1)):
        assert tracker.apply(issue_ref(local), Write({"description": text}), MARK) == {"description": text}
        assert len(files(opened, local)) == count


def test_a_partners_attachment_of_the_same_name_and_size_is_never_taken_for_the_text(opened: Opened, local: str) -> None:
    tracker = opened.open(text_limit=LIMIT)
    name, content = overflow.file_name("description", f"{held(opened, local).key}", LONG), b"x" * len(LONG.encode())
    draft = Draft(
        kind=Kind.ATTACHMENT,
        fields={"name": name, "size": f"{len(content)}"},
        issue=local,
        content=lambda: iter([content]),
        about=ABOUT,
    )
    tracker.create(gid(Kind.ATTACHMENT, 9), draft)
    for text in (LONG, "short"):
        tracker.apply(issue_ref(local), Write({"description": text}), MARK)
        issue = opened.open().get(local)
        assert issue is not None
        assert issue.item.fields["description"] == text
        assert [one.fields["name"] for one in issue.children] == [name]


def test_a_comment_in_which_somebody_named_the_file_of_another_text_does_not_take_it_along(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    tracker.apply(issue_ref(local), Write({"description": LONG}), MARK)
    draft = Draft(kind=Kind.COMMENT, issue=local, fields={"body": "short"}, about=ABOUT)
    comment = tracker.create(gid(Kind.COMMENT, 1), draft).item.ref
    held(opened, local).comments[0].body = str(held(opened, local).values["description"])
    tracker.apply(comment, Remove(), MARK)
    assert held(opened, local).comments == []
    assert shown(opened, local)["description"] == LONG
