"""What Jira refuses, or answers in no known form, at each of an import's calls: by our names, and nothing is taken over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from filesync.errors import Rejected, Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref
from filesync.model.links import link_name
from filesync.model.values import Flat, Value
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.site import DC10
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira import scene
from tests.trackers.jira.scene import Opened

ABOUT = About(key="XYZ-7", author="Anna", at="2026-11-20T08:00:00.000Z")
WORK: dict[str, Value] = {"started": "2026-11-20T08:00:00.000Z", "seconds": "3600", "body": "work"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with scene.jira(DC10, tmp_path) as opened:
        yield opened


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open()


@pytest.fixture
def local(opened: Opened) -> str:
    return opened.site.person("j.becker").create(BASIC)


def refuse(opened: Opened, method: str, path: str, errors: dict[str, str], *, status: int = 400) -> None:
    """The next such call is refused, in general (`word`) or by Jira's names of fields."""
    fields = {name: why for name, why in errors.items() if name != "word"}
    words = [errors["word"]] if "word" in errors else []
    opened.site.faults.refuse(status, method=method, path=path, body=json.dumps({"errorMessages": words, "errors": fields}))


def answer(opened: Opened, path: str, value: object) -> None:
    """The next such question is answered so."""
    opened.site.faults.refuse(200, method="GET", path=path, body=json.dumps(value))


def draft(kind: Kind, issue: str, fields: dict[str, Value], content: bytes | None = None) -> Draft:
    bytes_ = None if content is None else (lambda: iter([content]))
    return Draft(kind=kind, issue=issue, fields=fields, about=ABOUT, content=bytes_)


def file(issue: str, size: str = "3") -> Draft:
    return draft(Kind.ATTACHMENT, issue, {"name": "a.txt", "size": size}, b"abc")


@pytest.mark.parametrize(
    ("kind", "errors", "named"),
    [
        (Kind.COMMENT, {"comment": "too rude"}, {"body": "too rude"}),
        (Kind.WORKLOG, {"timeLogged": "too long a day"}, {"seconds": "too long a day"}),
        (Kind.WORKLOG, {"word": "not in this sprint"}, {}),
    ],
)
def test_f112_a_new_entry_is_refused_by_our_names(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind, errors: dict[str, str], named: dict[str, str]
) -> None:
    refuse(opened, "POST", f"/{kind}($|[?])", errors)
    with pytest.raises(Rejected, match=next(iter(errors.values()))) as caught:
        tracker.create(gid(kind, 1), draft(kind, local, {"body": "hello"} if kind is Kind.COMMENT else WORK))
    assert caught.value.fields == named


def test_f112_an_edit_of_an_entry_is_refused_by_our_names(opened: Opened, tracker: JiraTracker, local: str) -> None:
    ref = Ref(Kind.COMMENT, local, opened.site.person("j.becker").comment(local, "hello"))
    refuse(opened, "PUT", "/comment/", {"word": "Only on Mondays."})
    with pytest.raises(Rejected) as caught:
        tracker.apply(ref, Write({"body": "bye"}), MARK)
    assert "Only on Mondays." in caught.value.fields["body"]
    assert opened.site.store.issues[local].comments[0].body == "hello"


def test_f112_an_edit_refused_without_a_word_on_any_field_names_none(opened: Opened, tracker: JiraTracker, local: str) -> None:
    refuse(opened, "PUT", "/issue/", {"word": "The project sleeps."})
    fields: Flat = {"summary": "x", "priority": "Low"}
    with pytest.raises(Rejected, match="The project sleeps") as caught:
        tracker.apply(issue_ref(local), Write(fields), MARK)
    assert caught.value.fields == {}


def test_f112_a_link_that_jira_refuses_is_named(opened: Opened, tracker: JiraTracker, local: str) -> None:
    name = link_name("Blocks", opened.site.person("j.becker").create(BASIC))
    refuse(opened, "POST", "/issueLink", {"word": "No issue link type with name Blocks found."}, status=404)
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({name: True}), MARK)
    assert caught.value.fields.keys() == {name}


def test_f112_attachments_that_are_switched_off_are_refused_before_a_byte_is_sent(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    answer(opened, "/attachment/meta", {"enabled": False, "uploadLimit": 10})
    with pytest.raises(Rejected, match="switched off"):
        tracker.create(gid(Kind.ATTACHMENT, 1), file(local))
    assert not [seen for seen in opened.site.requests("/attachments") if seen.method == "POST"]


def test_f112_an_upload_that_jira_refuses_is_told_with_its_issue(opened: Opened, tracker: JiraTracker, local: str) -> None:
    refuse(opened, "POST", "/attachments", {"word": "There is a virus in it."}, status=413)
    with pytest.raises(Rejected, match=r"on ABC-\d+ is refused: .*There is a virus in it"):
        tracker.create(gid(Kind.ATTACHMENT, 1), file(local))


def test_f110_an_upload_of_which_nothing_came_is_a_doubt(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.lose_request(method="POST", path="/attachments")
    with pytest.raises(Unavailable, match="did not say whether"):
        tracker.create(gid(Kind.ATTACHMENT, 1), file(local))


@pytest.mark.parametrize("size", ["", "-1", "3.0", "٣", "9" * 5000])
def test_trap39_a_size_that_is_none_is_refused(tracker: JiraTracker, local: str, size: str) -> None:
    with pytest.raises(Rejected) as caught:
        tracker.create(gid(Kind.ATTACHMENT, 1), file(local, size))
    assert caught.value.fields.keys() == {"size"}


@pytest.mark.parametrize("shown", [{"filename": "a.txt", "size": None}, {"filename": "a.txt", "size": "9" * 5000}, {}])
def test_a_file_whose_size_jira_does_not_say_is_not_fetched(
    opened: Opened, tracker: JiraTracker, local: str, shown: dict[str, object]
) -> None:
    ref = Ref(Kind.ATTACHMENT, local, opened.site.person("j.becker").attach(local, "a.txt", b"abc"))
    answer(opened, "/attachment/[0-9]+$", shown)
    with pytest.raises(Unavailable, match="the size of attachment"):
        next(tracker.fetch(ref))
    assert b"".join(tracker.fetch(ref)) == b"abc"


@pytest.mark.parametrize("fields", [None, {"issuelinks": ["ABC-2"]}])
def test_an_issue_of_no_known_form_is_not_edited(opened: Opened, tracker: JiraTracker, local: str, fields: object) -> None:
    answer(opened, f"/issue/{local}[?]", {"id": local, "key": "ABC-1", "fields": fields})
    with pytest.raises(Unavailable, match="something else where an issue's fields"):
        tracker.apply(issue_ref(local), Write({"labels:x": True}), MARK)
    assert not [seen for seen in opened.site.requests() if seen.method == "PUT"]


def test_a_comment_that_a_person_wrote_with_our_account_is_edited_as_it_is(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    ref = Ref(Kind.COMMENT, local, opened.site.person("filesync").comment(local, "by hand"))
    assert tracker.apply(ref, Write({"body": "changed"}), MARK) == {"body": "changed"}
    assert opened.site.store.issues[local].comments[0].body == "changed"
