"""What is made in Jira is made once, whatever becomes of the calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from filesync.errors import Gone, Rejected, Unavailable
from filesync.model.ids import Gid, Kind
from filesync.model.issue import About
from filesync.model.values import Value, utc_text
from filesync.trackers.base import Born, Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.records import Issue
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened

ABOUT = About(key="XYZ-7", author="Anna *Li*", at="2026-11-20T08:00:00.000Z")
HEAD = "_Anna \\*Li\\*, 2026-11-20 08:00 UTC:_"


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open()


def tried(opened: Opened) -> str:
    """What the caller writes down before it calls."""
    return utc_text(opened.site.site_clock()())


def issue_draft(fields: dict[str, Value] | None = None, *, since: str = "") -> Draft:
    return Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, **(fields or {})}, about=ABOUT, tried=since)


def draft(kind: Kind, issue: str, fields: dict[str, Value], *, since: str = "") -> Draft:
    return Draft(kind=kind, issue=issue, fields=fields, about=ABOUT, tried=since)


def make(tracker: JiraTracker, n: int = 1, fields: dict[str, Value] | None = None, *, since: str = "") -> Born:
    return tracker.create(gid(Kind.ISSUE, n), issue_draft(fields, since=since))


def held(opened: Opened, local: str) -> Issue:
    """The issue as Jira has it."""
    return opened.site.store.issues[local]


def posts(opened: Opened, path: str) -> int:
    return sum(seen.method == "POST" and seen.path.endswith(path) for seen in opened.site.requests())


def test_what_a_former_account_of_ours_made_is_known_again_and_not_made_twice(opened: Opened, tracker: JiraTracker) -> None:
    since = tried(opened)
    issue = make(tracker).item.ref.issue
    said = draft(Kind.COMMENT, issue, {"body": "said"})
    tracker.create(gid(Kind.COMMENT, 2), said)
    before, other = opened.site.local_user("filesync"), opened.site.store.person("a.lindqvist")
    opened.site.token, opened.site.email = other.token, other.email
    stranger = opened.open().get(issue)
    assert stranger is not None
    assert [one.origin for one in (stranger.item, *stranger.children)] == [None, None]
    ours = opened.open(former_accounts=[before])
    found = ours.get(issue)
    assert found is not None
    assert [one.origin for one in (found.item, *found.children)] == [gid(Kind.ISSUE, 1), gid(Kind.COMMENT, 2)]
    assert found.children[0].fields["body"] == "said", "without the line that says who wrote it at the partner's"
    assert ours.create(gid(Kind.COMMENT, 2), dataclasses.replace(said, tried=since)).again
    assert len(held(opened, issue).comments) == 1


# ── issues ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f110_an_issue_whose_answer_was_lost_is_found_and_not_made_twice(opened: Opened, tracker: JiraTracker) -> None:
    since = tried(opened)
    opened.site.faults.lose_answer(method="POST", path="/issue$")
    with pytest.raises(Unavailable, match="did not say whether"):
        make(tracker)
    opened.site.site_clock().forward(600)
    again = make(tracker, since=since)
    assert again.again
    assert list(opened.site.store.issues) == [again.item.ref.local]
    assert again.item.origin == gid(Kind.ISSUE, 1)


def test_f110_an_issue_whose_request_was_lost_is_made_once(opened: Opened, tracker: JiraTracker) -> None:
    since = tried(opened)
    opened.site.faults.lose_request(method="POST", path="/issue$")
    with pytest.raises(Unavailable, match="did not say whether"):
        make(tracker)
    opened.site.site_clock().forward(600)
    assert not make(tracker, since=since).again
    assert len(opened.site.store.issues) == 1


def test_f111_while_the_search_may_lie_behind_nothing_is_made(opened: Opened, tracker: JiraTracker) -> None:
    since = tried(opened)
    opened.site.faults.index_held = True
    opened.site.faults.lose_answer(method="POST", path="/issue$")
    with pytest.raises(Unavailable):
        make(tracker)
    with pytest.raises(Unavailable, match="cannot be told yet") as caught:
        make(tracker, since=since)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 60
    assert posts(opened, "/issue") == 1
    opened.site.faults.index_held = False
    assert make(tracker, since=since).again, "found as soon as the search shows it, however soon"


def test_trap16_only_what_our_account_made_is_taken_for_ours(opened: Opened, tracker: JiraTracker) -> None:
    """A clone has the original's properties, where an app copies them."""
    since = tried(opened)
    first = make(tracker)
    copy = opened.site.person("j.becker").clone(first.item.ref.local)
    opened.site.site_clock().forward(600)
    assert make(tracker, since=since).item.ref == first.item.ref
    copied = tracker.get(copy)
    assert copied is not None
    assert copied.item.origin is None


def test_a_second_call_answers_as_it_was_born_whatever_people_did_since(opened: Opened, tracker: JiraTracker) -> None:
    since, person = tried(opened), opened.site.person("j.becker")
    told: dict[str, Value] = {"description": "as told", "fix_versions:1.0": True, "Severity": "Major", "labels:b": True}
    born = make(tracker, fields=told)
    local = born.item.ref.local
    user = opened.site.local_user("s.oneil")
    person.edit(local, {"description": "edited", "priority": "Low", "assignee": user, "Severity": None})
    person.edit(local, {"labels:b": None, "labels:c": True, "fix_versions:1.0": None, "fix_versions:2.0": True})
    person.edit(local, {"priority": "High", "components:Firmware": True, "environment": "lab"})
    person.transition(local, "In Progress")
    opened.site.site_clock().forward(600)
    again = make(tracker, fields=told, since=since)
    assert again.again
    assert again.item.fields == born.item.fields


def test_f112_all_that_is_refused_is_told_at_once(opened: Opened, tracker: JiraTracker) -> None:
    store = opened.site.store
    store.required.add(("Bug", store.field_named("Customer Reference").id))
    with pytest.raises(Rejected) as caught:
        make(opened.open(), fields={"priority": "Hihg", "due": "soon", "labels:a b": True})
    assert caught.value.fields.keys() == {"priority", "due", "labels:a b"}
    assert 'did you mean "High"?' in str(caught.value)
    with pytest.raises(Rejected) as caught:
        make(tracker)
    assert caught.value.fields.keys() == {"Customer Reference"}
    assert not store.issues


def test_trap29_a_user_whom_jira_does_not_take_is_refused_by_field(opened: Opened, tracker: JiraTracker) -> None:
    gone = opened.site.local_user("x.gone")
    with pytest.raises(Rejected) as caught:
        make(tracker, fields={"assignee": gone})
    assert caught.value.fields.keys() == {"assignee"}
    local = make(tracker).item.ref.local
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({"assignee": "no such user", "summary": "x"}), MARK)
    assert caught.value.fields.keys() == {"assignee"}


def test_trap14_what_is_on_no_screen_is_left_for_later_and_then_refused_in_words(opened: Opened) -> None:
    tracker = opened.open(fields={opened.site.store.field_named("Internal Notes").id: "notes"})
    born = make(tracker, fields={"notes": "for us"})
    assert "notes" not in born.item.fields
    with pytest.raises(Rejected) as caught:
        tracker.apply(born.item.ref, Write({"notes": "for us", "summary": "x"}), MARK)
    assert caught.value.fields.keys() == {"notes"}
    assert '"Internal Notes" is not on the screen' in str(caught.value)
    assert tracker.apply(born.item.ref, Write({"summary": "x"}), MARK) == {"summary": "x"}


def test_f121_a_lost_right_is_told_once_for_all_and_not_for_each_issue(opened: Opened, tracker: JiraTracker) -> None:
    opened.site.deny("CREATE_ISSUES")
    with pytest.raises(Unavailable, match="has lost a right in the project ABC: CREATE_ISSUES") as caught:
        make(tracker)
    assert "permission scheme" in caught.value.hint


def test_a_version_that_people_made_since_is_known(opened: Opened, tracker: JiraTracker) -> None:
    project = opened.site.store.project("ABC")
    assert project is not None
    version = dataclasses.replace(next(iter(project.versions.values())), id="99001", name="3.0")
    project.versions[version.id] = version
    opened.site.site_clock().forward(600)
    assert make(tracker, fields={"fix_versions:3.0": True}).item.fields["fix_versions:3.0"] is True


def test_versions_and_components_are_made_where_the_settings_want_it(opened: Opened) -> None:
    fields: dict[str, Value] = {"fix_versions:7.0": True, "components:Pump": True, "Target Version": "7.1"}
    with pytest.raises(Rejected) as caught:
        make(opened.open(create_missing=["versions"]), fields=fields)
    assert caught.value.fields.keys() == {"components:Pump"}
    born = make(opened.open(create_missing=["versions", "components"]), fields=fields)
    assert fields.items() <= born.item.fields.items()


# ── several issues at once ───────────────────────────────────────────────────────────────────────────────────────────


def several(count: int, *, wrong: int = 0) -> dict[Gid, Draft]:
    """Drafts of so many; the last ones Jira refuses."""
    drafts = {gid(Kind.ISSUE, n): issue_draft({"summary": f"number {n}"}) for n in range(1, count + 1)}
    for n in range(count - wrong + 1, count + 1):
        drafts[gid(Kind.ISSUE, n)] = issue_draft({"summary": f"number {n}", "assignee": "nobody.there"})
    return drafts


def test_several_made_at_once_are_the_issues_that_each_alone_would_be(opened: Opened, tracker: JiraTracker) -> None:
    drafts = several(5)
    born = tracker.create_all(drafts)
    assert posts(opened, "/issue/bulk") == 2
    assert posts(opened, "/issue") == 0
    assert born.keys() == drafts.keys()
    for origin, one in born.items():
        assert one.item.origin == origin
        assert one.item.fields["summary"] == drafts[origin].fields["summary"]
        assert tracker.get(one.item.ref.local) is not None
        assert opened.open().create(origin, dataclasses.replace(drafts[origin], tried=tried(opened))).again
    assert len(opened.site.store.issues) == 5


def test_trap28_what_jira_refuses_among_several_is_left_out_and_the_others_are_whose_they_are(
    opened: Opened, tracker: JiraTracker
) -> None:
    drafts = several(6, wrong=2)
    backwards = dict(reversed(drafts.items()))
    born = tracker.create_all(backwards)
    assert sorted(str(one.item.fields["summary"]) for one in born.values()) == [f"number {n}" for n in range(1, 5)]
    assert all(one.item.fields["summary"] == drafts[origin].fields["summary"] for origin, one in born.items())
    for origin in drafts.keys() - born.keys():
        with pytest.raises(Rejected) as caught:
            tracker.create(origin, drafts[origin])
        assert caught.value.fields.keys() == {"assignee"}
    assert len(opened.site.store.issues) == 4


def test_f110_of_several_issues_whose_answer_was_lost_none_is_made_twice(opened: Opened, tracker: JiraTracker) -> None:
    tracker.create_all(several(1))
    since, drafts = tried(opened), {origin: draft for origin, draft in several(5).items() if origin != gid(Kind.ISSUE, 1)}
    opened.site.faults.lose_answer(method="POST", path="/issue/bulk$")
    with pytest.raises(Unavailable, match="did not say whether"):
        tracker.create_all(drafts)
    opened.site.site_clock().forward(600)
    opened.site.forget_requests()
    again = [tracker.create(origin, dataclasses.replace(draft, tried=since)) for origin, draft in drafts.items()]
    assert all(one.again for one in again)
    assert [one.item.origin for one in again] == list(drafts)
    assert len(opened.site.store.issues) == 5
    looked = [seen for seen in opened.site.requests() if seen.query.get("properties") == ["filesync"]]
    assert len(looked) <= 5, "each mark is asked for once"


def test_an_answer_that_does_not_speak_of_each_of_several_is_none(
    opened: Opened, tracker: JiraTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.create_all(several(1))
    http, drafts = tracker._project.http, {gid(Kind.ISSUE, n): issue_draft() for n in (11, 12, 13)}
    send = http.send

    def shortened(method: str, path: str, **given: Any) -> Any:
        answer = send(method, path, **given)
        return {**answer, "issues": answer["issues"][1:]} if path.endswith("/bulk") else answer

    since = tried(opened)
    with monkeypatch.context() as patch:
        patch.setattr(http, "send", shortened)
        with pytest.raises(Unavailable, match="was asked for 3 issues, and says of 2 that they were made, of 0 not"):
            tracker.create_all(drafts)
    opened.site.site_clock().forward(600)
    assert all(tracker.create(origin, dataclasses.replace(draft, tried=since)).again for origin, draft in drafts.items())
    assert len(opened.site.store.issues) == 4


def test_a_jira_that_keeps_no_marks_of_several_is_found_out_with_one_which_is_marked(
    opened: Opened, tracker: JiraTracker
) -> None:
    opened.site.faults.bulk_unmarked = True
    drafts = several(4)
    (origin,) = born = tracker.create_all(drafts)
    assert (born[origin].item.origin, tracker.at_once) == (origin, 1)
    issue = tracker.get(born[origin].item.ref.local)
    assert issue is not None
    assert issue.item.origin == origin
    assert len(opened.site.store.issues) == 1


# ── comments and worklogs ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def local(tracker: JiraTracker) -> str:
    return make(tracker).item.ref.local


WORKED: dict[str, Value] = {"started": "2026-11-20T08:00:00.000Z", "seconds": "5400", "body": "seal changed"}
ENTRIES = pytest.mark.parametrize(
    ("kind", "fields"), [(Kind.COMMENT, {"body": "hello"}), (Kind.WORKLOG, WORKED)], ids=["comment", "worklog"]
)


@ENTRIES
def test_trap18_an_entry_whose_answer_was_lost_is_found_at_once(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind, fields: dict[str, Value]
) -> None:
    opened.site.faults.lose_answer(method="POST", path=f"/{kind}($|\\?)")
    born = tracker.create(gid(kind, 1), draft(kind, local, fields))
    assert not born.again
    issue = tracker.get(local)
    assert issue is not None
    assert issue.children == (born.item,)
    assert born.item.origin == gid(kind, 1)
    assert born.item.fields == fields


@ENTRIES
def test_trap18_an_entry_whose_request_was_lost_is_made_once(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind, fields: dict[str, Value]
) -> None:
    since = tried(opened)
    opened.site.faults.lose_request(method="POST", path=f"/{kind}($|\\?)")
    with pytest.raises(Unavailable, match="did not say whether"):
        tracker.create(gid(kind, 1), draft(kind, local, fields))
    born = tracker.create(gid(kind, 1), draft(kind, local, fields, since=since))
    issue = tracker.get(local)
    assert issue is not None
    assert issue.children == (born.item,)


@ENTRIES
def test_two_alike_are_two_and_each_is_found_by_its_own_origin(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind, fields: dict[str, Value]
) -> None:
    since = tried(opened)
    made = [tracker.create(gid(kind, n), draft(kind, local, fields)) for n in (1, 2)]
    again = [tracker.create(gid(kind, n), draft(kind, local, fields, since=since)) for n in (2, 1)]
    assert [one.item.ref for one in again] == [one.item.ref for one in reversed(made)]


def test_a_worklog_that_was_made_and_not_marked_is_found_by_what_it_is(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    """Data Center has no room for a mark on a worklog: the issue says it, in a second call."""
    since = tried(opened)
    theirs = opened.site.person("j.becker").log_work(local, 5400, "seal changed")
    opened.site.faults.refuse(503, method="PUT", path="/properties/filesync.parts", times=1_000)
    if opened.site.flavour.dc:
        with pytest.raises(Unavailable):
            tracker.create(gid(Kind.WORKLOG, 1), draft(Kind.WORKLOG, local, WORKED))
    else:
        tracker.create(gid(Kind.WORKLOG, 1), draft(Kind.WORKLOG, local, WORKED))
    opened.site.faults.disarm()
    again = tracker.create(gid(Kind.WORKLOG, 1), draft(Kind.WORKLOG, local, WORKED, since=since))
    assert again.again
    assert [one.id for one in held(opened, local).worklogs] == [theirs, again.item.ref.local]
    assert again.item.origin == gid(Kind.WORKLOG, 1)


@ENTRIES
def test_who_wrote_it_where_stands_above_the_text_and_is_no_part_of_it(
    opened: Opened, tracker: JiraTracker, local: str, kind: Kind, fields: dict[str, Value]
) -> None:
    born = tracker.create(gid(kind, 1), draft(kind, local, fields))
    texts = {
        Kind.COMMENT: lambda: held(opened, local).comments[0].body,
        Kind.WORKLOG: lambda: held(opened, local).worklogs[0].comment,
    }
    assert texts[kind]().replace("\r\n", "\n") == f"{HEAD}\n{fields['body']}"
    assert born.item.fields["body"] == fields["body"]
    assert tracker.apply(born.item.ref, Write({"body": "edited"}), MARK) == {"body": "edited"}
    assert texts[kind]().replace("\r\n", "\n") == f"{HEAD}\nedited"


@pytest.mark.parametrize(("template", "line"), [("{key}, {date}:", "XYZ\\-7, 2026-11-20 08:00:\n"), ("", "")])
def test_the_line_above_a_text_is_worded_by_the_settings(opened: Opened, local: str, template: str, line: str) -> None:
    tracker = opened.open(header=template)
    born = tracker.create(gid(Kind.COMMENT, 1), draft(Kind.COMMENT, local, {"body": "hello"}))
    assert held(opened, local).comments[0].body.replace("\r\n", "\n") == f"{line}hello"
    later = opened.open(header="{author} wrote:")  # what was made before keeps its line, and loses it when it is read
    assert later.apply(born.item.ref, Write({"body": "edited"}), MARK) == {"body": "edited"}
    assert held(opened, local).comments[0].body.replace("\r\n", "\n") == f"{line}edited"


def test_logging_work_leaves_the_estimate_alone(opened: Opened, tracker: JiraTracker) -> None:
    local = make(tracker, fields={"remaining_estimate": "28800"}).item.ref.local
    ref = tracker.create(gid(Kind.WORKLOG, 1), draft(Kind.WORKLOG, local, WORKED)).item.ref
    tracker.apply(ref, Write({"seconds": "7200"}), MARK)
    issue = tracker.get(local)
    assert issue is not None
    assert issue.item.fields["remaining_estimate"] == "28800"


# ── attachments ─────────────────────────────────────────────────────────────────────────────────────────────────────


def file_draft(issue: str, content: bytes = b"bytes", *, name: str = "A.png", since: str = "") -> Draft:
    def read() -> Iterator[bytes]:
        yield content

    fields: dict[str, Value] = {"name": name, "size": str(len(content))}
    return Draft(kind=Kind.ATTACHMENT, issue=issue, fields=fields, about=ABOUT, content=read, tried=since)


def test_trap18_an_attachment_whose_answer_was_lost_is_found_at_once(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.lose_answer(method="POST", path="/attachments$")
    born = tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local))
    issue = tracker.get(local)
    assert issue is not None
    assert issue.children == (born.item,)
    assert born.item.origin == gid(Kind.ATTACHMENT, 1)


def test_an_attachment_that_was_made_and_not_marked_is_found_by_its_bytes(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    since = tried(opened)
    opened.site.person("j.becker").attach(local, "A.png", b"bytes")
    opened.site.faults.refuse(503, method="PUT", path="/properties/filesync.parts", times=1_000)
    with pytest.raises(Unavailable):
        tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local))
    opened.site.faults.disarm()
    other = tracker.create(gid(Kind.ATTACHMENT, 2), file_draft(local, b"BYTES", since=since))
    assert not other.again, "of the same name and size, and not the same"
    again = tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local, since=since))
    assert again.again
    made = held(opened, local).attachments
    assert [one.id for one in made[1:]] == [again.item.ref.local, other.item.ref.local]
    assert b"".join(tracker.fetch(again.item.ref)) == b"bytes"


def test_an_attachment_that_people_deleted_since_is_not_made_again(opened: Opened, tracker: JiraTracker, local: str) -> None:
    since = tried(opened)
    born = tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local))
    opened.site.person("j.becker").detach(local, born.item.ref.local)
    again = tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local, since=since))
    assert (again.again, again.item.ref, again.item.fields) == (True, born.item.ref, born.item.fields)
    assert not held(opened, local).attachments


def test_f120_an_attachment_over_jiras_limit_is_refused_before_a_byte_is_sent(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    opened.site.faults.upload_limit = 4
    with pytest.raises(Rejected) as caught:
        tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local))
    assert caught.value.fields == {"size": "5 B are more than the 4 B that Jira takes"}
    assert posts(opened, "/attachments") == 0


def test_trap21_a_page_is_no_attachment(opened: Opened, tracker: JiraTracker, local: str) -> None:
    ref = tracker.create(gid(Kind.ATTACHMENT, 1), file_draft(local)).item.ref
    opened.site.faults.attachment_html = True
    with pytest.raises(Unavailable):
        list(tracker.fetch(ref))


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG])
def test_what_belongs_to_an_issue_that_is_gone_is_gone(opened: Opened, tracker: JiraTracker, local: str, kind: Kind) -> None:
    opened.site.person("j.becker").delete(local)
    made = (
        file_draft(local)
        if kind is Kind.ATTACHMENT
        else draft(kind, local, {**WORKED} if kind is Kind.WORKLOG else {"body": "x"})
    )
    for one in (made, dataclasses.replace(made, tried=tried(opened))):
        with pytest.raises(Gone):
            tracker.create(gid(kind, 1), one)


def test_what_an_import_asks_for_each_item(opened: Opened, tracker: JiraTracker) -> None:
    """It is what decides how long a large import takes."""
    cloud, asked = opened.site.flavour.cloud, opened.site.requests
    tracker.create(gid(Kind.ATTACHMENT, 9), file_draft(make(tracker, 9).item.ref.local))  # what is asked once a minute
    opened.site.forget_requests()
    local = make(tracker).item.ref.local
    assert len(asked()) == 2, "made, and read as it was born"
    drafts = [
        (draft(Kind.COMMENT, local, {"body": "x"}), 1),
        (draft(Kind.WORKLOG, local, WORKED), 1 if cloud else 4),
        (file_draft(local), 4),
    ]
    for one, most in drafts:
        opened.site.forget_requests()
        tracker.create(gid(one.kind, 1), one)
        assert len(asked()) == most, one.kind
    opened.site.forget_requests()
    tracker.apply(issue_ref(local), Write({"status": "In Progress"}), MARK)
    assert len(asked()) == 2, "what it may do, and the step"
    opened.site.forget_requests()
    assert len(tracker.create_all({gid(Kind.ISSUE, n): issue_draft() for n in range(20, 29)})) == 9
    assert len(asked()) == (4 if cloud else 11), "one made alone before the others, and each read as it was born"
