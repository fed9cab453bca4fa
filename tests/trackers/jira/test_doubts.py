"""What is done in doubt: of a write, of what a lost call made, of words with a secret in them, of pages without an end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import Rejected, Unavailable, Unreadable
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Value
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.read.history import read_changes
from filesync.trackers.jira.rest.access import hidden
from filesync.trackers.jira.rest.http import Http, Unknown
from tests.support.jira.site import CLOUD, DC10
from tests.support.jira_sides import JiraSide, two_trackers
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira import scene
from tests.trackers.jira.conftest import TOKEN
from tests.trackers.jira.stub import NOT_US, US, Reply, Seen, Stub, said

Make = Callable[..., Http]
ABOUT = About(key="XYZ-7", author="Anna", at="2026-11-20T08:00:00.000Z")
NAMED = said([], X_AUSERNAME="filesync")


# ── who we are ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_trap18_a_write_that_went_well_is_not_done_again_while_nobody_says_who_we_are(jira: Make, stub: Stub) -> None:
    http = jira()
    stub.play(NAMED)
    http.get("rest/api/2/field")
    stub.us = said({}, status=503)
    stub.play(said({"id": "10001"}, status=201))
    with pytest.raises(Unknown, match="did not say whether it did POST rest/api/2/issue"):
        http.send("POST", "rest/api/2/issue", body={})
    assert stub.asked.count("POST /rest/api/2/issue") == 1


def test_trap18_a_write_that_went_well_is_not_done_again_by_a_secret_exchanged_meanwhile(
    jira: Make, stub: Stub, token_file: Path
) -> None:
    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/myself"):
            return US if seen.headers["authorization"] == "Bearer another" else NOT_US
        return NAMED if seen.method == "GET" else said({"id": "10001"}, status=201)

    http = jira()
    stub.answer = answer
    http.get("rest/api/2/field")
    token_file.write_text("another")
    with pytest.raises(Unknown):
        http.send("POST", "rest/api/2/issue", body={})
    assert stub.asked.count("POST /rest/api/2/issue") == 1


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("before", [74, 294])
def test_a_secret_in_an_answer_is_hidden_before_its_words_are_cut(jira: Make, stub: Stub, before: int) -> None:
    stub.play(Reply(body=b"x" * before + TOKEN.encode(), headers={"Content-Type": "text/plain"}))
    with pytest.raises(Unavailable, match="with no JSON") as caught:
        jira().get("rest/api/2/field")
    assert TOKEN[:3] not in str(caught.value)


def test_a_secret_is_hidden_as_a_form_and_json_spell_it() -> None:
    secret = 'a b/"c+\\'
    assert hidden(f"client_secret={'a+b%2F%22c%2B%5C'}&x", secret) == "client_secret=***&x"
    assert hidden('{"password": "a b/\\"c+\\\\"}', secret) == '{"password": "***"}'


# ── what a lost call made ───────────────────────────────────────────────────────────────────────────────────────────


def draft(fields: Mapping[str, Value]) -> Draft:
    return Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, **fields}, about=ABOUT)


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda one: one.name)
def test_trap18_a_version_that_a_lost_call_made_is_there(flavour: Any, tmp_path: Path) -> None:
    with scene.jira(flavour, tmp_path) as opened:
        tracker = opened.open(create_missing=["versions", "components"])
        opened.site.faults.lose_answer(method="POST", path="/(version|component)$", times=2)
        fields: dict[str, Value] = {"fix_versions:7.0": True, "components:Pump": True}
        assert fields.items() <= tracker.create(gid(Kind.ISSUE, 1), draft(fields)).item.fields.items()
        store = opened.site.store.project("ABC")
        assert store is not None
        assert [one.name for one in store.versions.values()].count("7.0") == 1


def test_a_version_that_jira_does_not_take_is_told(tmp_path: Path) -> None:
    with scene.jira(DC10, tmp_path) as opened:
        tracker = opened.open(create_missing=["versions", "components"])
        opened.site.faults.refuse(400, path="/version$", body='{"errors": {"name": "No such name here."}}', times=2)
        fields: dict[str, Value] = {
            "fix_versions:7.0": True,
            "Target Version": "7.1",
            "components:Pump": True,
            "priority": "None such",
        }
        with pytest.raises(Rejected, match="No such name here") as caught:
            tracker.create(gid(Kind.ISSUE, 1), draft(fields))
        assert caught.value.fields.keys() == {"fix_versions:7.0", "Target Version", "priority"}, "without these it can be made"


def test_an_issue_is_made_without_the_version_that_cannot_be_made() -> None:
    with two_trackers((DC10, CLOUD), settings="create_missing: [versions]") as world:
        acme, globex = world.sides
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        project = acme.jira.store.project("ABC")
        assert project is not None
        version = dataclasses.replace(next(iter(project.versions.values())), id="99001", name="7.0")
        project.versions[version.id] = version
        globex.jira.faults.refuse(403, path="/version$", body='{"errorMessages": ["You may not."]}', times=9)
        globex.jira.faults.refuse(400, method="POST", path="/issue$", body='{"errors": {"duedate": "Not on a Sunday."}}')
        acme.desk.create("Bug", "one", {"fix_versions:7.0": True, "due_date": "2026-11-29"})
        world.send(acme)
        assert [one.fields["summary"] for one in globex.issues()] == ["one"]
        (stuck,) = globex.stuck()
        assert 'fix_versions:7.0: "7.0" is not here, and cannot be made: ' in stuck.reason
        assert "due_date" not in stuck.reason, "which Jira refused at first only"


# ── threads, and answers of no known form ───────────────────────────────────────────────────────────────────────────


class Crowded(dict[str, str]):
    """Where other threads make room at once."""

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.clear()


def test_a_key_that_others_made_room_for_is_no_issue_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene.jira(DC10, tmp_path) as opened:
        local = opened.site.person("j.becker").create(BASIC)
        project = opened.open()._project
        monkeypatch.setattr(project, "_keys", Crowded())
        assert project.key_of(local) == opened.site.store.issues[local].key


def test_a_history_whose_pages_repeat_themselves_comes_to_an_end() -> None:
    class Same:
        asked = 0

        def get(self, *_: object, **__: object) -> object:
            self.asked += 1
            assert self.asked < 10
            return {"values": [{"id": "7", "items": [{"fieldId": "summary", "fromString": "a", "toString": "b"}]}]}

    same: Any = Same()
    assert [change.new_text for change in read_changes(same, "10001", cloud=True)] == ["b"]


def test_trap37_an_issue_that_jira_does_not_show_is_left_out_unless_it_is_one_of_many(tmp_path: Path) -> None:
    with scene.jira(DC10, tmp_path) as opened:
        tracker, faults = opened.open(), opened.site.faults
        made = [opened.site.person("j.becker").create(BASIC) for _ in range(3)]
        words = '{"errorMessages": ["You do not have the permission to see the specified issue."], "errors": {}}'
        faults.refuse(403, times=2, path=f"/issue/{made[1]}[?]", body=words)
        assert {local for local, issue in tracker.get_all(made) if issue is not None} == {made[0], made[2]}
        with pytest.raises(Unreadable, match=f"does not show the issue {made[1]} to our account"):
            tracker.get(made[1])
        faults.refuse(403, times=3, path="/issue/[0-9]+[?]", body=words)
        with pytest.raises(Unavailable, match="does not show the issue"):
            list(tracker.get_all(made))


def test_a_comment_of_no_known_form_is_told_and_not_edited(tmp_path: Path) -> None:
    with scene.jira(DC10, tmp_path) as opened:
        tracker = opened.open()
        local = opened.site.person("j.becker").create(BASIC)
        note = Draft(kind=Kind.COMMENT, issue=local, fields={"body": "hello"}, about=ABOUT)
        ref = tracker.create(gid(Kind.COMMENT, 1), note).item.ref
        odd = '{"id": "1", "author": {"name": "filesync"}, "body": "hello", "created": null}'
        opened.site.faults.refuse(200, method="GET", path="/comment/[0-9]+$", body=odd)
        with pytest.raises(Unavailable, match="something else where comment"):
            tracker.apply(ref, Write({"body": "bye"}), MARK)
        assert opened.site.store.issues[local].comments[0].body.endswith("hello")
        assert tracker.apply(ref, Write({"body": "bye"}), MARK) == {"body": "bye"}
        assert tracker.apply(issue_ref(local), Write({}), MARK) == {}
