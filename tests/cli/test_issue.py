"""`filesync issue`: the embedded tracker from the command line."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from filesync.cli.assignments import assigned
from filesync.cli.main import run
from filesync.config import new_config
from filesync.errors import ExitCode
from filesync.model.ids import Kind, SiteId, make_gid, make_mark
from filesync.model.issue import About
from filesync.model.values import Flat
from filesync.trackers.base import Draft, MarkDeleted
from filesync.trackers.embedded import read_definition
from filesync.trackers.registry import make_tracker, open_tracker

SITE = SiteId("11111111-2222-4333-8444-555555555555")
SETTINGS = {"path": "state/tracker.db"}
CREATE = ["create", "--type", "Bug", "--summary", "Pump stalls at 40 bar"]

Issue = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "filesync.yaml").write_text(new_config(site=SITE, name="acme", tracker="embedded", project="ABC"))
    make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path)
    return tmp_path


@pytest.fixture
def issue(folder: Path, capsys: pytest.CaptureFixture[str]) -> Issue:
    """Calls `filesync issue …` and answers what it printed; `status` is the exit status that it must have."""

    def call(*words: str, status: ExitCode = ExitCode.DONE) -> str:
        ended = run(["-c", str(folder / "filesync.yaml"), "issue", *words])
        said = capsys.readouterr()
        assert ended == status, said.err
        assert (said.err == "") == (status is ExitCode.DONE)
        return said.out + said.err

    return call


def test_issues_are_linked_shown_at_both_ends_and_unlinked(issue: Issue) -> None:
    one, other = issue(*CREATE).strip(), issue(*CREATE).strip()
    assert issue("link", one, "blocks", other) == ""
    assert "links\n  blocks ABC-2\n" in issue("show", one)
    assert "links\n  is blocked by ABC-1\n" in issue("show", other)
    assert f"blocks {other}: - → yes" in issue("show", one)
    assert json.loads(issue("show", other, "--json"))["links"] == [{"words": "is blocked by", "key": one, "outward": False}]
    assert "there are: blocks, duplicates, relates" in issue("link", one, "hinders", other, status=ExitCode.REJECTED)
    assert "not linked with itself" in issue("link", one, "blocks", one, status=ExitCode.REJECTED)
    assert "has no link" in issue("link", other, "blocks", one, "--delete", status=ExitCode.REJECTED)
    said = json.loads(issue("link", one, "blocks", other, "--delete", "--json"))
    assert said == {"key": one, "type": "blocks", "other": other, "deleted": True}
    assert "links" not in issue("show", one)


def test_work_is_logged_shown_changed_and_deleted(issue: Issue) -> None:
    key = issue(*CREATE).strip()
    started = ("--started", "2026-11-20T09:00:00+01:00")
    assert issue("worklog", key, "--time", "1h30m", *started, "--text", "seal changed") == f"worklog 1 on {key}\n"
    assert "worklog 1  1h30m from 2026-11-20T08:00:00.000Z" in issue("show", key)
    assert "  seal changed\n" in issue("show", key)
    assert issue("worklog", key, "--edit", "1", "--time", "90s", "--text", "") == ""
    (worklog,) = json.loads(issue("show", key, "--json"))["worklogs"]
    assert (worklog["seconds"], worklog["started"], "body" in worklog) == ("90", "2026-11-20T08:00:00.000Z", False)
    assert "worklog 1  1m30s from" in issue("show", key)
    assert json.loads(issue("worklog", key, "--delete", "1", "--json")) == {"key": key, "worklog": "1", "deleted": True}
    assert json.loads(issue("show", key, "--json"))["worklogs"] == []
    assert "has no worklog" in issue("worklog", key, "--delete", "1", status=ExitCode.REJECTED)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--text", "x"],
        ["--time", "a while"],
        ["--time", ""],
        ["--edit", "1"],
        ["--edit", "1", "--delete", "1"],
        ["--delete", "1", "--time", "1h"],
    ],
    ids=" ".join,
)
def test_what_is_not_said_about_work_is_asked_for(issue: Issue, words: list[str]) -> None:
    key = issue(*CREATE).strip()
    issue("worklog", key, *words, status=ExitCode.USAGE)


def test_a_file_is_attached_shown_fetched_and_deleted(issue: Issue, tmp_path: Path) -> None:
    key = issue(*CREATE).strip()
    (tmp_path / "pump.log").write_bytes(b"\x00\xff")
    (tmp_path / "b.txt").write_text("b")
    assert issue("attach", key, str(tmp_path / "pump.log"), str(tmp_path / "b.txt")) == (
        f"attachment 1 of {key}: pump.log\nattachment 2 of {key}: b.txt\n"
    )
    assert "pump.log  2 B  by" in issue("show", key)
    told = json.loads(issue("show", key, "--json"))["attachments"]
    assert [(one["id"], one["name"], one["size"]) for one in told] == [("1", "pump.log", "2"), ("2", "b.txt", "1")]
    target = tmp_path / "back"
    issue("attachment", "get", key, "1", "--to", str(target))
    assert target.read_bytes() == b"\x00\xff"
    assert "File exists" in issue("attachment", "get", key, "1", "--to", str(target), status=ExitCode.DISK)
    issue("attachment", "delete", key, "1")
    assert "has no attachment" in issue("attachment", "get", key, "1", "--to", str(tmp_path / "x"), status=ExitCode.REJECTED)
    named = issue("attach", key, str(target), "--name", "../\x1b[2J", "--json")
    assert json.loads(named)[0]["name"] == "../\x1b[2J"
    assert issue("attach", key, str(tmp_path / "none"), status=ExitCode.DISK)
    assert len(json.loads(issue("show", key, "--json"))["attachments"]) == 2


def test_a_name_that_is_no_text_is_shown_by_its_numbers(issue: Issue, tmp_path: Path) -> None:
    key = issue(*CREATE).strip()
    raw = tmp_path / b"pump\xff.log".decode("utf-8", "surrogateescape")
    raw.write_bytes(b"x")
    assert json.loads(issue("attach", key, str(raw), "--json"))[0]["name"] == "pump\\xff.log"


def fields(issue: Issue, key: str) -> Any:
    return json.loads(issue("show", key, "--json"))["fields"]


def partner_sends(folder: Path, summary: str, body: str) -> None:
    """An issue and a comment come in from a partner, who then deletes its own."""
    now = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    with closing(open_tracker("embedded", project="ABC", settings=SETTINGS, folder=folder, clock=lambda: now)) as tracker:
        about = About(author="mallory\x1b[31m", at="2026-11-20T08:00:00.000Z")
        draft = Draft(kind=Kind.ISSUE, issue=None, fields={"type": "Bug", "summary": summary, "description": body}, about=about)
        ref = tracker.create(make_gid(SITE, Kind.ISSUE, "1", "1"), draft).item.ref
        said = Draft(kind=Kind.COMMENT, issue=ref.local, fields={"body": body}, about=about)
        tracker.create(make_gid(SITE, Kind.COMMENT, "1", "1"), said)
        tracker.apply(ref, MarkDeleted("globex"), make_mark(1, 1, 1))


def test_an_issue_goes_through_its_life(issue: Issue) -> None:
    assert issue(*CREATE, "--description", "two\nlines", "--field", "priority=High", "--as", "j.becker") == "ABC-1\n"
    assert issue("edit", "ABC-1", "--field", "priority=Low", "--field", "labels=valve,urgent") == ""
    assert issue("transition", "ABC-1", "Start") == ""
    assert issue("transition", "ABC-1", "In Review") == ""
    assert issue("comment", "ABC-1", "Seen at 40 bar", "--as", "h.tanaka") == "comment 1 on ABC-1\n"
    assert issue("comment", "ABC-1", "Seen at 41 bar", "--edit", "1") == ""
    shown = issue("show", "ABC-1")
    for words in (
        "ABC-1  Pump stalls at 40 bar",
        "In Review",
        "labels              urgent, valve",
        "  two\n  lines",
        "Seen at 41 bar",
    ):
        assert words in shown
    assert "j.becker  created" in shown
    assert "priority: High → Low" in shown
    assert "comment 1 body: Seen at 40 bar → Seen at 41 bar" in shown
    assert issue("comment", "ABC-1", "--delete", "1") == ""
    assert "Seen at 41 bar" not in issue("show", "ABC-1").partition("history")[0]
    assert issue("delete", "ABC-1") == ""
    assert 'there is no issue "ABC-1"' in issue("show", "ABC-1", status=ExitCode.REJECTED)


def test_every_verb_answers_in_json(issue: Issue) -> None:
    made = json.loads(issue(*CREATE, "--field", "location=Pump/Bearing", "--field", "set_points=1.50,2", "--json"))
    assert made["key"] == "ABC-1"
    assert made["fields"]["location"] == ["Pump", "Bearing"]
    assert made["fields"]["set_points"] == ["1.5", "2"]
    assert made["deleted_by"] is None
    assert json.loads(issue("edit", "ABC-1", "--field", "priority=Low", "--json"))["fields"]["priority"] == "Low"
    assert json.loads(issue("transition", "ABC-1", "In Progress", "--json"))["fields"]["status"] == "In Progress"
    assert json.loads(issue("comment", "ABC-1", "x", "--json")) == {"key": "ABC-1", "comment": "1", "deleted": False}
    page = json.loads(issue("show", "ABC-1", "--json"))
    assert [comment["body"] for comment in page["comments"]] == ["x"]
    assert {step["field"] for step in page["history"]} == {"created", "priority", "status"}
    assert [one["key"] for one in json.loads(issue("list", "--json"))] == ["ABC-1"]
    assert json.loads(issue("comment", "ABC-1", "--delete", "1", "--json"))["deleted"] is True
    assert json.loads(issue("delete", "ABC-1", "--json")) == {"key": "ABC-1", "deleted": True}
    assert json.loads(issue("list", "--json")) == []


def test_a_file_of_issues_is_loaded_whole_or_not_at_all(issue: Issue, tmp_path: Path) -> None:
    file = tmp_path / "issues.yaml"
    bug = "- {n: 1, type: Bug, by: j.becker, at: '2026-01-05T10:00:00Z', fields: {summary: Pump runs hot}, comments: "
    comment = "[{by: w.chen, at: '2026-01-06T10:00:00Z', text: 轴承过热}]}\n"
    file.write_text(bug + comment + bug.replace("Bug", "Bog") + comment)
    assert 'did you mean "Bug"' in issue("load", str(file), status=ExitCode.REJECTED)
    assert issue("list") == ""
    file.write_text(bug + comment)
    assert issue("load", str(file)) == "1 issue and 1 comment made\n"
    assert "by w.chen at 2026-01-06T10:00:00.000Z\n  轴承过热" in issue("show", "ABC-1")
    made = {"issues": 1, "comments": 1, "attachments": 0, "worklogs": 0, "links": 0}
    assert json.loads(issue("load", str(file), "--json")) == made


def test_a_file_that_tells_no_issues_is_named(issue: Issue, tmp_path: Path) -> None:
    assert "issues.yaml: " in issue("load", str(tmp_path / "issues.yaml"), status=ExitCode.CONFIG)


def test_a_list_is_lines_of_cells_and_can_be_narrowed(issue: Issue) -> None:
    issue(*CREATE, "--field", "labels=valve", "--field", "location=Pump/Bearing")
    issue("create", "--type", "Task", "--summary", "Order seals", "--field", "assignee=w.chen")
    assert issue("list").splitlines() == [
        "ABC-1\tBug\tTo Do\t-\t-\tPump stalls at 40 bar",
        "ABC-2\tTask\tTo Do\t-\tw.chen\tOrder seals",
    ]
    for narrow in ("labels=valve", "location=Pump/Bearing", "type=Bug"):
        assert issue("list", "--field", narrow).startswith("ABC-1\t"), narrow
    assert issue("list", "--field", "labels=valve", "--field", "type=Task") == ""
    assert 'no field "lables"; did you mean "labels"?' in issue("list", "--field", "lables=valve", status=ExitCode.REJECTED)


def test_a_terminal_gets_a_table(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(*CREATE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    head, row = click.unstyle(issue("list")).splitlines()
    assert head.split() == ["key", "type", "status", "priority", "assignee", "summary"]
    assert row.split()[:4] == ["ABC-1", "Bug", "To", "Do"]


def test_a_child_is_made_under_a_key_and_shows_it(issue: Issue) -> None:
    issue(*CREATE)
    assert issue("create", "--type", "Sub-task", "--summary", "Measure", "--parent", "abc-1") == "ABC-2\n"
    assert fields(issue, "ABC-2")["parent"] == "ABC-1"
    assert "ABC-2 would lose their parent" in issue("delete", "ABC-1", status=ExitCode.REJECTED)


def test_a_refusal_names_every_field_with_what_is_allowed(issue: Issue) -> None:
    said = issue(
        *CREATE, "--field", "priority=Hihg", "--field", "asignee=w.chen", "--field", "due_date=soon", status=ExitCode.REJECTED
    )
    assert 'priority: there is no option "Hihg"; did you mean "High"?' in said
    assert 'asignee: there is no field "asignee"; did you mean "assignee"?' in said
    assert "due_date: not a date (YYYY-MM-DD)" in said
    assert issue("list") == ""


def test_an_unknown_user_is_refused(issue: Issue) -> None:
    assert 'did you mean "j.becker"?' in issue(*CREATE, "--as", "jbecker", status=ExitCode.REJECTED)


def test_a_leap_in_the_workflow_is_refused_with_the_way_to_go(issue: Issue) -> None:
    issue(*CREATE)
    assert "no transition from To Do to Done: go by In Progress" in issue(
        "transition", "ABC-1", "Done", status=ExitCode.REJECTED
    )


@pytest.mark.parametrize("key", ["ABC-99", "XYZ-1", "1", "ABC-", "ABC-1 OR 1=1", "\x1b[31m"])
def test_an_issue_that_is_not_there_is_told(issue: Issue, key: str) -> None:
    issue(*CREATE)
    assert "there is no issue" in issue("show", key, status=ExitCode.REJECTED)


def test_a_comment_of_another_issue_is_not_touched(issue: Issue) -> None:
    issue(*CREATE)
    issue(*CREATE)
    issue("comment", "ABC-1", "stays")
    for words in (("--delete", "1"), ("changed", "--edit", "1"), ("--delete", "x")):
        assert "ABC-2 has no comment" in issue("comment", "ABC-2", *words, status=ExitCode.REJECTED)
    assert json.loads(issue("show", "ABC-1", "--json"))["comments"][0]["body"] == "stays"


@pytest.mark.parametrize(
    "words",
    [
        ["comment", "ABC-1"],
        ["comment", "ABC-1", "x", "--delete", "1"],
        ["comment", "ABC-1", "x", "--delete", "1", "--edit", "1"],
        ["edit", "ABC-1"],
        ["edit", "ABC-1", "--field", "priority"],
        ["list", "--field", "priority"],
        ["create", "--type", "Bug"],
    ],
)
def test_half_a_command_is_a_usage_error(issue: Issue, words: list[str]) -> None:
    issue(*CREATE)
    issue(*words, status=ExitCode.USAGE)


def test_a_partners_text_reaches_no_terminal_unescaped(folder: Path, issue: Issue) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\r[bold]x[/bold]\x9b"
    partner_sends(folder, hostile.replace("\r", ""), f"first\n{hostile}")
    for words in (("list",), ("show", "ABC-1")):
        said = issue(*words)
        assert all(letter.isprintable() or letter in "\n\t" for letter in said)
        assert "\\x1b[2J" in said
        assert "[bold]x[/bold]" in said
        assert "deleted by globex" in said
    assert json.loads(issue("show", "ABC-1", "--json"))["fields"]["summary"] == hostile.replace("\r", "")


@pytest.mark.parametrize(
    ("words", "flat"),
    [
        (["summary=a=b"], {"summary": "a=b"}),
        (["summary="], {"summary": None}),
        (["labels=c,d"], {"labels:a": None, "labels:b": None, "labels:c": True, "labels:d": True}),
        (["labels=b"], {"labels:a": None, "labels:b": True}),
        (["labels="], {"labels:a": None, "labels:b": None}),
        (["labels+=c,d", "labels-=a"], {"labels:c": True, "labels:d": True, "labels:a": None}),
        (["labels+=c", "labels=d"], {"labels:a": None, "labels:b": None, "labels:c": None, "labels:d": True}),
        ([r"serial_numbers=A\,1, B"], {"serial_numbers:A,1": True, "serial_numbers:B": True}),
        (["location=Pump/Bearing"], {"location": ["Pump", "Bearing"]}),
        (["location=Pump"], {"location": ["Pump"]}),
        (["location="], {"location": None}),
        (["nope=x"], {"nope": "x"}),
    ],
)
def test_assignments_say_what_people_mean(words: list[str], flat: Flat) -> None:
    assert assigned(read_definition(), {"labels:a": True, "labels:b": True, "summary": "x"}, words) == flat


@pytest.mark.parametrize("word", ["", "summary", "=x", "+=x", "labels++=x", "labels+-=x"])
def test_what_is_no_assignment_is_a_usage_error(word: str) -> None:
    with pytest.raises(click.UsageError):
        assigned(read_definition(), {}, [word])


def test_an_issue_has_a_summary_from_the_beginning(issue: Issue) -> None:
    for nothing in ("", "   "):
        said = issue("create", "--type", "Bug", "--summary", nothing, status=ExitCode.REJECTED)
        assert "summary: is required" in said
    assert issue("list") == ""


def test_the_status_is_no_field_to_edit(issue: Issue) -> None:
    issue(*CREATE)
    assert "filesync issue transition" in issue("edit", "ABC-1", "--field", "status=Done", status=ExitCode.USAGE)


def test_a_file_that_holds_no_issues_is_said_to(issue: Issue, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in issue("load", str(tmp_path / "isues.yaml"), status=ExitCode.CONFIG)
    (tmp_path / "other.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not a file of issues" in issue("load", str(tmp_path / "other.yaml"), status=ExitCode.CONFIG)
