"""The canonical issue from Jira's JSON: complete, in order, its marks believed or not."""

from __future__ import annotations

from typing import Any

import pytest

from filesync.errors import Unavailable
from filesync.model.ids import Gid, Kind
from filesync.model.issue import About, Issue, Ref, Scope
from filesync.trackers.jira.translate.issues import read_issue
from filesync.trackers.jira.translate.markers import Marker, marker_json
from tests.trackers.jira.shape import catalogue

DC, CLOUD = catalogue(cloud=False), catalogue(cloud=True)
AT, LATER = "2026-11-23T11:00:00.000+0100", "2026-11-23T13:00:00.001+0100"
UTC = "2026-11-23T10:00:00.000Z"
STAMP = "1795428000000"


def gid(kind: Kind, n: int = 1) -> Gid:
    return Gid(f"00000000-0000-4000-8000-00000000000a/{kind}/{n}/1764000000000")


def mark(kind: Kind, head: str = "") -> dict[str, Any]:
    return marker_json(Marker(origin=gid(kind), at=UTC, head=head))


def author(name: str = "anna") -> dict[str, str]:
    return {"name": name, "accountId": f"5:{name}", "displayName": name.title()}


def comment(id_: int, by: str = "anna", **more: Any) -> dict[str, Any]:
    return {"id": str(id_), "author": author(by), "created": AT, "updated": AT, "body": "said", **more}


def worklog(id_: int, by: str = "anna", **more: Any) -> dict[str, Any]:
    return {"id": str(id_), "author": author(by), "created": AT, "started": AT, "timeSpentSeconds": 3600, "comment": "", **more}


def attachment(id_: int | str, by: str = "anna", **more: Any) -> dict[str, Any]:
    return {"id": id_, "author": author(by), "created": AT, "filename": "../pump.mov", "size": 23123, **more}


def issue(*, properties: dict[str, Any] | None = None, creator: str = "anna", **fields: Any) -> dict[str, Any]:
    held = {
        "summary": "Leaks",
        "issuetype": {"id": "1", "name": "Bug"},
        "status": {"name": "To Do"},
        "creator": author(creator),
        "created": AT,
        "comment": {"comments": [], "total": 0},
        **fields,
    }
    return {"id": 10001, "key": "ABC-1", "fields": held, "properties": properties or {}, "unknown": {"more": []}}


def read(json: dict[str, Any], *, cloud: bool = False) -> Issue:
    accounts = {"5:filesync"} if cloud else {"filesync"}
    return read_issue(CLOUD if cloud else DC, json, accounts=accounts, scope=Scope.IN, id_of=lambda _: None)


def all_of(name: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {name: list(entries), "total": len(entries), "maxResults": 20, "startAt": 0}


@pytest.mark.parametrize("cloud", [False, True], ids=["dc", "cloud"])
def test_an_issue_is_shown_with_all_that_belongs_to_it(cloud: bool) -> None:
    found = read(
        issue(
            comment=all_of("comments", comment(7, body="a\r\nb", jsdPublic=True)),
            worklog=all_of("worklogs", worklog(8, comment="pumped"), worklog(9)),
            attachment=[attachment("10")],
        ),
        cloud=cloud,
    )
    about = About(key="ABC-1", author="Anna", at=UTC)
    assert (found.key, found.in_scope) == ("ABC-1", True)
    assert found.item.ref == Ref(Kind.ISSUE, "10001", "10001")
    assert (found.item.stamp, found.item.origin, found.item.about) == (STAMP, None, about)
    assert found.item.fields == {"summary": "Leaks", "type": "Bug", "status": "To Do"}
    assert {one.ref.local: (one.ref.kind, one.fields) for one in found.children} == {
        "7": (Kind.COMMENT, {"body": "a\nb"}),
        "8": (Kind.WORKLOG, {"started": UTC, "seconds": "3600", "body": "pumped"}),
        "9": (Kind.WORKLOG, {"started": UTC, "seconds": "3600"}),
        "10": (Kind.ATTACHMENT, {"name": "../pump.mov", "size": "23123"}),
    }
    assert {(one.stamp, one.about) for one in found.children} == {(STAMP, about)}


def test_children_are_oldest_first_whatever_jira_says() -> None:
    found = read(
        issue(comment=all_of("comments", comment(10), comment(12, created=LATER), comment(9)), attachment=[attachment(11)])
    )
    assert [one.ref.local for one in found.children] == ["11", "9", "10", "12"]


def test_a_time_may_be_a_number() -> None:
    found = read(issue(attachment=[attachment(1, created=int(STAMP))]))
    assert found.children[0].stamp == STAMP


@pytest.mark.parametrize(
    "broken",
    [
        {"comment": {"comments": [comment(1)], "total": 2}},
        {"worklog": {"worklogs": [worklog(1)] * 20, "total": 21}},
        {"comment": {"total": 1}},
        {"comment": {"comments": ["?"]}},
        {"comment": all_of("comments", comment(1, created=None))},
        {"comment": all_of("comments", {"id": "1"})},
        {"worklog": all_of("worklogs", worklog(1, timeSpentSeconds=None))},
        {"worklog": all_of("worklogs", worklog(1, started="soon"))},
        {"attachment": [attachment(1, filename="")]},
        {"attachment": ["?"]},
        {"created": "soon"},
        {"issuelinks": [{"outwardIssue": {"id": "7"}}]},
        {"issuelinks": ["?"]},
    ],
    ids=lambda one: str(one)[:60],
)
def test_trap11_what_is_not_complete_or_has_no_known_form_is_never_shorter(broken: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="ABC-1") as caught:
        read(issue(**broken))
    assert caught.value.hint


def test_trap11_an_issue_without_its_comments_is_not_one_that_has_none() -> None:
    json = issue()
    del json["fields"]["comment"]
    with pytest.raises(Unavailable):
        read(json)


def test_an_issue_without_author_is_read() -> None:
    found = read(issue(creator="anna") | {"fields": issue()["fields"] | {"creator": None}})
    assert found.item.about.author == ""


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cloud", [False, True], ids=["dc", "cloud"])
def test_what_an_import_made_bears_its_origin(cloud: bool) -> None:
    said = [{"key": "filesync", "value": mark(Kind.COMMENT)}, {"key": "other", "value": 1}]
    found = read(
        issue(
            creator="filesync",
            properties={"filesync": mark(Kind.ISSUE), "filesync.parts": {"attachment/10": gid(Kind.ATTACHMENT)}},
            comment=all_of("comments", comment(7, "filesync", properties=said), comment(8, "filesync")),
            attachment=[attachment(10, "filesync"), attachment(11, "filesync")],
        ),
        cloud=cloud,
    )
    assert found.item.origin == gid(Kind.ISSUE)
    origins = {one.ref.local: one.origin for one in found.children}
    assert origins == {"7": gid(Kind.COMMENT), "8": None, "10": gid(Kind.ATTACHMENT), "11": None}


def test_marks_on_what_somebody_else_made_or_that_a_clone_took_along_are_not_believed() -> None:
    said = [{"key": "filesync", "value": mark(Kind.COMMENT)}]
    found = read(
        issue(
            creator="filesync",
            created=LATER,  # two hours after the time that the mark names
            properties={"filesync": mark(Kind.ISSUE), "filesync.parts": {"attachment/10": gid(Kind.ATTACHMENT)}},
            comment=all_of("comments", comment(7, properties=said)),
            attachment=[attachment(10)],
        )
    )
    assert [one.origin for one in (found.item, *found.children)] == [None, None, None]


@pytest.mark.parametrize("cloud", [False, True], ids=["dc", "cloud"])
def test_a_worklogs_mark_is_its_own_in_cloud_and_its_issues_in_data_center(cloud: bool) -> None:
    own = [{"key": "filesync", "value": mark(Kind.WORKLOG, "_Anna:_")}] if cloud else []
    parts = {} if cloud else {"filesync.parts": {"worklog/8": {"origin": gid(Kind.WORKLOG), "head": "_Anna:_"}}}
    logged = all_of("worklogs", worklog(8, "filesync", comment="_Anna:_\npumped", properties=own))
    (found,) = read(issue(worklog=logged, properties=parts), cloud=cloud).children
    assert (found.origin, found.fields["body"]) == (gid(Kind.WORKLOG), "pumped")


def test_a_header_is_taken_off_only_where_our_mark_says_that_it_is_one() -> None:
    ours = [{"key": "filesync", "value": mark(Kind.COMMENT, "_Anna:_")}]
    text = "_Anna:_\nhello"
    entries = [
        comment(1, "filesync", body=text, properties=ours),
        comment(2, "filesync", body=text),
        comment(3, body=text, properties=ours),
    ]
    found = read(issue(comment=all_of("comments", *entries)))
    assert [one.fields["body"] for one in found.children] == ["hello", text, text]


# ── what few may see ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "seen_by"),
    [
        ({"visibility": {"type": "role", "value": "Developers"}}, "role:Developers"),
        ({"visibility": {"type": "group", "value": "staff", "identifier": "7"}}, "group:staff"),
        ({"visibility": {"type": "group", "value": None, "identifier": "7"}}, "group:7"),
        ({"visibility": {"strange": 1}}, "role:"),
        ({"jsdPublic": False}, "service-desk:internal"),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}, "service-desk:internal"),
        ({"visibility": {}, "jsdPublic": True}, None),
        ({"visibility": None}, None),
    ],
)
def test_trap32_who_may_see_a_comment_is_shown(more: dict[str, Any], seen_by: str | None) -> None:
    (said,) = read(issue(comment=all_of("comments", comment(1, **more)))).children
    assert said.fields.get("visibility") == seen_by
    assert said.fields["body"] == "said"


def test_trap32_who_may_see_a_worklog_is_shown() -> None:
    restricted = worklog(1, visibility={"type": "role", "value": "Developers"})
    (found,) = read(issue(worklog=all_of("worklogs", restricted))).children
    assert found.fields["visibility"] == "role:Developers"


def test_trap32_an_issues_security_level_is_a_field() -> None:
    assert read(issue(security={"id": "10", "name": "Staff"})).item.fields["security"] == "Staff"
