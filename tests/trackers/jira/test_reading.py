"""Issues read whole, in few requests, as they are and not as an index remembers them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import Unavailable
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue, Item
from filesync.model.values import utc_text
from filesync.trackers.jira.read.told import New
from filesync.trackers.jira.translate.markers import Marker, marker_json
from tests.support.jira.flavours import CLOUD, DC9, DC10, FLAVOURS, Flavour
from tests.trackers.bench import gid
from tests.trackers.jira.feed_bench import Jira, make


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def jira(request: pytest.FixtureRequest, tmp_path: Path) -> Jira:
    assert isinstance(request.param, Flavour)
    return make(request.param, tmp_path)


def mark(jira: Jira, kind: Kind, n: int) -> dict[str, Any]:
    """What an import of ours gives an item, in the call that makes it."""
    marker = Marker(origin=gid(kind, n), at=utc_text(jira.clock()))
    return {"properties": [{"key": "filesync", "value": marker_json(marker)}]}


def ours(jira: Jira, local: str, n: int) -> str:
    return jira.comment(local, f"of the partner {n}", by="filesync", **mark(jira, Kind.COMMENT, n))


def read(jira: Jira, local: str) -> Issue:
    found = jira.reading.get(local)
    assert found is not None
    return found


def origins(issue: Issue) -> list[Gid | None]:
    return [child.origin for child in issue.children]


def below(issue: Issue, kind: Kind) -> list[Item]:
    return [child for child in issue.children if child.ref.kind is kind]


# ── whole ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_trap11_what_an_issue_holds_is_whole_however_much_jira_cuts_it_short(
    jira: Jira, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filesync.trackers.jira.read.lists._PAGE", 3)
    jira.faults.embedded_comments = 2
    local, other = jira.create(), jira.create()
    said = [jira.comment(local, f"{n}") for n in range(8)]
    logged = [jira.threads().log_work(jira.kept(local), {"timeSpentSeconds": 60 * n}, {}).id for n in range(1, 26)]
    for issue in (read(jira, local), dict(jira.reading.get_all([other, local]))[local]):
        assert issue is not None
        assert [one.ref.local for one in below(issue, Kind.COMMENT)] == said
        assert [one.ref.local for one in below(issue, Kind.WORKLOG)] == logged


def test_trap36_a_comment_that_goes_away_between_two_pages_takes_no_other_with_it(
    jira: Jira, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filesync.trackers.jira.read.lists._PAGE", 3)
    jira.faults.embedded_comments = 2
    local = jira.create()
    said = [jira.comment(local, f"{n}") for n in range(8)]
    pages = iter(range(100))

    def somebody_deletes(path: str) -> None:
        if path.endswith("/comment") and next(pages) == 1:
            jira.threads("admin").delete_comment(jira.kept(local), jira.kept(local).comments[0])

    jira.http.before = somebody_deletes
    assert [one.ref.local for one in read(jira, local).children] == said[1:]


def test_trap36_an_issue_that_changes_while_its_lists_are_read_is_read_again(jira: Jira) -> None:
    jira.faults.embedded_comments = 0
    local = jira.create("before")
    jira.comment(local)
    asked = iter(range(100))

    def somebody_edits(path: str) -> None:
        if path.endswith("/comment") and next(asked) == 0:
            jira.edit(local, summary="after")

    jira.http.before = somebody_edits
    assert read(jira, local).item.fields["summary"] == "after"


def test_trap37_an_issue_that_never_stands_still_is_told_and_not_cut_short(jira: Jira, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filesync.trackers.jira.read.lists._PAGE", 1)
    jira.faults.embedded_comments = 0
    local = jira.create()
    jira.comment(local)

    def somebody_writes(path: str) -> None:
        if path.endswith("/comment"):
            jira.comment(local)

    jira.http.before = somebody_writes
    with pytest.raises(Unavailable, match="changes faster"):
        jira.reading.get(local)


def test_an_issue_that_is_deleted_while_it_is_read_is_gone(jira: Jira) -> None:
    jira.faults.embedded_comments = 0
    local = jira.create()
    jira.comment(local)

    def somebody_deletes(path: str) -> None:
        if path.endswith("/comment") and local in jira.store.issues:
            jira.delete(local)

    jira.http.before = somebody_deletes
    assert jira.reading.get(local) is None


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_an_import_made_bears_its_origin_and_what_people_made_none(jira: Jira) -> None:
    given = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "theirs"}
    local = jira.work("filesync").create({"fields": given, **mark(jira, Kind.ISSUE, 1)}).id
    jira.comment(local, "a person's")
    ours(jira, local, 2)
    jira.comment(local, "of our account, and no import's", by="filesync")
    jira.comment(local, "a person's, with our mark copied", **mark(jira, Kind.COMMENT, 2))
    issue = read(jira, local)
    assert issue.item.origin == gid(Kind.ISSUE, 1)
    assert origins(issue) == [None, gid(Kind.COMMENT, 2), None, None]


def test_marks_are_read_of_long_lists_too(jira: Jira, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filesync.trackers.jira.read.lists._PAGE", 3)
    jira.faults.embedded_comments = 2
    local = jira.create()
    for n in range(7):
        ours(jira, local, n)
    assert origins(read(jira, local)) == [gid(Kind.COMMENT, n) for n in range(7)]


def test_worklogs_of_cloud_bear_marks_too(tmp_path: Path) -> None:
    jira = make(CLOUD, tmp_path)
    local = jira.create()
    body = {"timeSpentSeconds": 60, **mark(jira, Kind.WORKLOG, 1)}
    jira.threads("filesync").log_work(jira.kept(local), body, {})
    jira.threads().log_work(jira.kept(local), {"timeSpentSeconds": 120}, {})
    assert origins(read(jira, local)) == [gid(Kind.WORKLOG, 1), None]


def test_a_jira_that_tells_no_properties_in_its_lists_is_asked_for_each(jira: Jira) -> None:
    local = jira.create()
    ours(jira, local, 1)
    jira.comment(local, "of our account, and no import's", by="filesync")

    def bare(answer: Any) -> Any:
        for one in (*(answer or {}).get("comments", ()), *(answer or {}).get("values", ())):
            one.pop("properties", None)
        return answer

    get, ask = jira.http.get, jira.http.ask
    jira.http.get = lambda path, **more: bare(get(path, **more))  # type: ignore[method-assign]
    jira.http.ask = lambda path, **more: bare(ask(path, **more))  # type: ignore[method-assign]
    assert origins(read(jira, local)) == [gid(Kind.COMMENT, 1), None]


def test_our_comment_that_goes_away_while_marks_are_read_is_never_shown_as_a_persons(jira: Jira) -> None:
    local = jira.create()
    ours(jira, local, 1)
    ours(jira, local, 2)

    def somebody_deletes(path: str) -> None:
        if path.endswith(("/comment", "comment/list")) and len(jira.kept(local).comments) == 2:
            jira.threads("admin").delete_comment(jira.kept(local), jira.kept(local).comments[0])

    jira.http.before = somebody_deletes
    assert origins(read(jira, local)) == [gid(Kind.COMMENT, 2)]


def test_a_comment_for_the_agents_of_a_service_desk_says_so(tmp_path: Path) -> None:
    jira = make(DC10, tmp_path)  # in Cloud the comment itself says so
    local = jira.create()
    jira.comment(local, "to the customer")
    jira.comment(local, "among us", properties=[{"key": "sd.public.comment", "value": {"internal": True}}])
    jira.catalogue = replace(jira.catalogue, desk=True)
    jira.reading = jira.new_reading()
    assert [child.fields.get("visibility") for child in read(jira, local).children] == [None, "service-desk:internal"]


def test_marks_cost_one_request_for_all_in_cloud_and_one_for_an_issue_in_data_center(jira: Jira) -> None:
    made = [jira.create() for _ in range(10)]
    for n, local in enumerate(made):
        ours(jira, local, 2 * n)
        ours(jira, local, 2 * n + 1)
    costs = jira.costs(lambda: list(jira.reading.get_all(made)))
    assert sum(costs.values()) == (2 if jira.search.cloud else 20)


# ── where it is read ────────────────────────────────────────────────────────────────────────────────────────────


def test_many_new_issues_are_read_by_search_and_known_ones_from_the_database(tmp_path: Path) -> None:
    jira = make(DC9, tmp_path)
    made = [jira.create(str(n)) for n in range(30)]
    jira.reading.told.new.update({local: New(None, scoped=False) for local in made[:20]})
    costs = jira.costs(lambda: list(jira.reading.get_all(made)))
    assert costs == {"POST rest/api/N/search": 1, "GET rest/api/N/issue/N": 10}


@pytest.mark.parametrize("hold", ["index", "creator", "attachment"])
def test_a_new_issue_is_read_from_the_database_where_search_does_not_tell_enough(tmp_path: Path, hold: str) -> None:
    jira = make(DC10, tmp_path)
    local = jira.create("before", by="filesync" if hold == "creator" else "m.silva")
    content = tmp_path / "content"
    content.write_bytes(b"bytes")
    if hold == "attachment":
        jira.threads("filesync").attach(jira.kept(local), "a.txt", content)
    jira.faults.index_held = True
    if hold == "index":
        jira.edit(local, summary="after")
    jira.reading.told.new[local] = New(jira.kept(local).updated, scoped=False)
    (found,) = jira.reading.get_all([local])
    assert jira.http.requests["GET rest/api/N/issue/N"] == 1
    assert found[1] is not None
    assert found[1].item.fields["summary"] == ("after" if hold == "index" else "before")


def test_what_another_thread_was_told_is_not_believed_here(tmp_path: Path) -> None:
    from threading import Thread

    jira = make(DC9, tmp_path)
    local = jira.create()
    teller = Thread(target=lambda: jira.reading.told.new.update({local: New(None, scoped=False)}))
    teller.start()
    teller.join()
    assert jira.costs(lambda: list(jira.reading.get_all([local]))) == {"GET rest/api/N/issue/N": 1}


@pytest.mark.parametrize("local", ["", "0", "-1", "999999", "9" * 40, "x", "../1", "ABC-1", "1?x=1", "１", " 1"])
def test_an_id_that_names_nothing_is_none(jira: Jira, local: str) -> None:
    there = jira.create()
    assert jira.reading.get(local) is None
    assert {one: issue is None for one, issue in jira.reading.get_all([local, there])} == {local: True, there: False}


def test_an_issue_that_jira_hides_by_name_is_not_gone(jira: Jira) -> None:
    local = jira.create()
    jira.faults.refuse(403, times=5, path=f"issue/{local}|bulkfetch")
    with pytest.raises(Unavailable):
        jira.reading.get(local)


def test_the_epics_of_many_issues_are_named_in_one_request(tmp_path: Path) -> None:
    jira = make(DC10, tmp_path)
    field = jira.catalogue.epic_link
    name = {jira.catalogue.epic_name: "an epic"} if jira.catalogue.epic_name else {}
    epics = [jira.create("epic", issuetype={"name": "Epic"}, **name) for _ in range(6)]
    made = [jira.create(**{field: jira.kept(epic).key}) for epic in epics]
    jira.reading.told.new.update({local: New(None, scoped=False) for local in made})
    costs = jira.costs(lambda: jira.copy.update({one: issue for one, issue in jira.reading.get_all(made) if issue}))
    assert [jira.copy[local].item.fields["parent"] for local in made] == epics
    assert sum(costs.values()) == 2


def test_the_same_issue_asked_for_twice_is_read_once(jira: Jira) -> None:
    local = jira.create()
    assert [one for one, _ in jira.reading.get_all([local, local])] == [local]
    assert dict(jira.reading.read_all([local, "999999"])).keys() == {local, "999999"}
