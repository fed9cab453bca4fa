"""What Jira or an app keeps itself: told as values of ordinary fields, and written by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from filesync.agent.rehearsal.overlay import Overlay
from filesync.agent.rehearsal.tracker import ReadOnly
from filesync.agent.rehearsal.written import Written
from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.trackers.base import Draft, Write
from tests.support.jira.records import Field, FieldType
from tests.support.jira.site import CLOUD, DC10, Flavour, JiraSite
from tests.support.two_sites import FaultyTracker, World, two_sites
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened, jira
from tests.trackers.jira.test_with_a_partner import JiraClock, Scene

SCORE = "customfield_19001"
NAMED = {"created": "created", "resolutiondate": "resolved", "creator": "made_by", SCORE: "Score"}
CONTRACT = """
version: 1
types: [Bug, Task]
fields:
  summary: {kind: text}
  description: {kind: text}
  original_created: {kind: datetime, from: globex}
  score: {kind: number, from: globex}
"""
BOTH_WAYS = CONTRACT.replace(", from: globex", "")
ACME = "fields: {occurred_at: original_created, cost_estimate: score}\n"
GLOBEX = "fields: {created: original_created, Score: score}\n"
OUT = "fields: {created: {field: original_created, way: out}, Score: {field: score, way: out}}\n"
EARLY = "2001-02-03T04:05:06.000Z"


def calculates(site: JiraSite) -> None:
    """An app is there that keeps a number on every issue."""
    schema: dict[str, Any] = {"type": "number", "custom": "com.example.scores:score", "customId": 19001}
    site.store.fields[SCORE] = Field(SCORE, "Score", FieldType.NUMBER, schema, on_screens=False)


@contextmanager
def scene(flavour: Flavour, folder: Path, contract: str = CONTRACT, mapping: str = GLOBEX) -> Iterator[Scene]:
    with (
        two_sites(contract=contract, mappings=(ACME, mapping)) as world,
        JiraSite(flavour, clock=JiraClock(world.clock)) as site,
    ):
        calculates(site)
        found = Scene(world, site, site.person("j.becker"), Opened(site, folder))
        faulty = world.globex.site.tracker
        assert isinstance(faulty, FaultyTracker)
        faulty.real.close()
        faulty.real = found.opened.open(clock=world.clock, sweep=1, census=1, fields=NAMED)
        try:
            yield found
        finally:
            found.opened.close()


def at_acme(world: World, summary: str, *names: str) -> list[Any]:
    (fields,) = [one.fields for one in world.acme.issues() if one.fields["summary"] == summary]
    return [fields.get(name) for name in names]


@pytest.mark.parametrize(("contract", "mapping"), [(CONTRACT, GLOBEX), (BOTH_WAYS, OUT)], ids=["from", "way-out"])
def test_the_day_of_the_original_is_a_date_at_the_partner_and_a_calculated_number_is_told_when_it_changes(
    contract: str, mapping: str, tmp_path: Path
) -> None:
    with scene(CLOUD, tmp_path, contract, mapping) as there:
        local = there.person.create({"type": "Bug", "summary": "Valve leaks"})
        issue = there.site.store.issues[local]
        there.site.store.put(issue, {SCORE: 12})
        there.to_acme()
        shown = there.world.globex.site.tracker.get(local)
        assert shown is not None
        made = shown.item.about.at
        assert at_acme(there.world, "Valve leaks", "occurred_at", "cost_estimate") == [made, "12"]
        updated = issue.updated
        there.site.store.put(issue, {SCORE: 13.5})
        there.to_acme()
        assert (at_acme(there.world, "Valve leaks", "cost_estimate"), issue.updated) == (["13.5"], updated)
        there.world.acme.desk.create("Bug", "Pump stalls", {"occurred_at": EARLY})
        there.world.acme.desk.create("Bug", "Seal leaks")
        there.both_ways()
        own = [at_acme(there.world, summary, "occurred_at")[0] for summary in ("Pump stalls", "Seal leaks")]
        if mapping == OUT:
            assert own == [EARLY, None], "what the partner has stays until ours changes, and a day does not"
        else:
            assert all(one > made for one in own), "globex tells when its own was made"
            there.both_ways()
            there.world.assert_in_step()
        assert there.world.globex.stuck() == []
        assert there.world.round() == 0


def test_what_comes_for_what_nobody_writes_is_refused_by_name_and_all_else_is_written(tmp_path: Path) -> None:
    with scene(DC10, tmp_path, BOTH_WAYS) as there:
        world = there.world
        key = world.acme.desk.create(
            "Bug", "Pump stalls", {"occurred_at": EARLY, "cost_estimate": "1", "description": "It hums."}
        )
        world.send(world.acme)
        (issue,) = there.site.store.issues.values()
        assert (issue.values["summary"], issue.values["description"]) == ("Pump stalls", "It hums.")
        (stuck,) = world.globex.stuck()
        assert "original_created: Jira or an app keeps it itself: nobody writes it" in stuck.reason
        assert "score: Jira or an app keeps it itself: nobody writes it" in stuck.reason
        world.acme.desk.create("Task", "goes on")
        world.acme.desk.edit(key, {"description": "It howls."})
        for _ in range(3):
            world.round()
        assert world.round() == 0, "no to and fro"
        assert [one.values["summary"] for one in there.site.store.issues.values()] == ["Pump stalls", "goes on"]
        for one in world.globex.stuck():
            world.globex.skip(one.mark)  # what stands here stays, and goes back
        there.to_acme()
        there.both_ways()
        assert issue.values["description"] == "It howls."
        assert SCORE not in issue.values
        assert at_acme(world, "Pump stalls", "cost_estimate") == [None]
        world.assert_in_step()


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda flavour: flavour.name)
def test_what_jira_keeps_is_shown_where_the_settings_name_it_and_an_issue_is_made_without_it(
    flavour: Flavour, tmp_path: Path
) -> None:
    with jira(flavour, tmp_path) as opened:
        calculates(opened.site)
        tracker = opened.open(fields=NAMED)
        specs = {one.name: one for one in tracker.describe().fields}
        assert [name for name, one in specs.items() if one.read_only] == ["made_by", "created", "resolved", "Score"]
        assert not {"created", "Created", "Score"} & {one.name for one in opened.open().describe().fields}
        assert opened.open().describe().left_out["created"].endswith("tracker.settings.fields names it")
        draft = Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, "created": EARLY, "Score": "1"}, about=About())
        born = tracker.create(gid(Kind.ISSUE, 1), draft)
        assert born.item.fields["created"] == born.item.about.at != EARLY
        assert "Score" not in born.item.fields
        assert "resolved" not in born.item.fields
        issue = opened.site.store.issues[born.item.ref.local]
        opened.site.store.put(issue, {"resolutiondate": issue.created})
        done = tracker.get(born.item.ref.local)
        assert done is not None
        assert done.item.fields["resolved"] == born.item.about.at


def test_a_preview_refuses_it_as_jira_would(tmp_path: Path) -> None:
    with jira(CLOUD, tmp_path) as opened, Written(tmp_path / "written") as written:
        local = opened.site.person("j.becker").create(BASIC)
        with closing(ReadOnly(opened.open(fields={"created": "created"}), Overlay(tmp_path / "overlay"), written)) as preview:
            with pytest.raises(Rejected) as refused:
                preview.apply(issue_ref(local), Write({"created": EARLY, "summary": "x"}), MARK)
            assert list(refused.value.fields) == ["created"]
            shown = preview.get(local)
            assert shown is not None
            assert shown.item.fields["summary"] == BASIC["summary"], "none of what is refused would be written"
            assert preview.apply(issue_ref(local), Write({"summary": "x"}), MARK) == {"summary": "x"}
