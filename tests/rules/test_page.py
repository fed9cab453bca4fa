"""docs/rules.md: every example is typed at a site that `filesync init` made, and every message shown is the one it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from filesync.cli.main import run
from filesync.errors import ConfigError, ExitCode
from filesync.model.ids import ASK, FIRST, Kind
from filesync.model.values import Value
from filesync.rules.contract import Contract, DeletePolicy, Flow, flow, winner_of, wins
from filesync.rules.leaving import Leaving
from filesync.rules.load import load_mapping, load_rules, make_rules
from filesync.rules.mapping import Rules
from filesync.rules.partner import Pace
from filesync.rules.winner import ByValue
from tests.rules.build import ACME, GLOBEX, comment, contract, issue, nobody
from tests.support.two_sites import World, two_sites

_HELD = "contract.yaml, by whom an issue is held"
_ASKED = "contract.yaml, in which the severity is agreed on by people"
PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# commands are the matter of tests/cli
EXAMPLES = [(language, text) for language, text in FENCE.findall(PAGE.read_text()) if language not in {"", "console"}]
RIGHT = {text.splitlines()[0].removeprefix("# "): text for _, text in EXAMPLES if text.startswith("# ") and "wrong" not in text}
WRONG = [(EXAMPLES[at][1], EXAMPLES[at + 1][1]) for at in range(len(EXAMPLES)) if ", wrong" in EXAMPLES[at][1].splitlines()[0]]


def mapped(folder: Path, text: str) -> Rules:
    (folder / "mapping.yaml").write_text(text)
    return make_rules(agreed(folder), load_mapping(folder / "mapping.yaml"), site="acme")


def agreed(folder: Path) -> Contract:
    return contract(folder, RIGHT["contract.yaml"])


@contextmanager
def as_on_the_page() -> Iterator[World]:
    mapping = RIGHT["mapping.yaml"]
    with two_sites(contract=RIGHT["contract.yaml"], mappings=(mapping, mapping)) as world:
        yield world


def test_the_page_has_no_example_that_is_not_read() -> None:
    assert set(RIGHT) == {
        "contract.yaml",
        _HELD,
        _ASKED,
        "mapping.yaml",
        "mapping.yaml, of one site's own",
        "mapping.yaml, that shows the partner's keys",
    }
    assert len(WRONG) == 3
    assert len(EXAMPLES) == len(RIGHT) + 2 * len(WRONG)


def test_the_contract_is_as_the_page_says(tmp_path: Path) -> None:
    read = agreed(tmp_path)
    least = contract(tmp_path, "version: 1\ntypes: [Defect]\nfields: {}\n")
    assert (least.winner, least.deletes, least.users) == (read.winner, read.deletes, read.users)
    assert least.below == read.below
    assert "status" in read.fields
    assert "status" not in least.fields
    assert wins(read, "title", us=ACME, them=GLOBEX)
    assert wins(read, "urgency", us=GLOBEX, them=ACME)
    assert flow(read, "cost_estimate", "acme") is Flow.WE_SEND_GUARD
    assert flow(read, "severity", "acme") is Flow.WE_TAKE_DRIFT


def test_by_whom_an_issue_is_held_is_as_the_page_says(tmp_path: Path) -> None:
    read = contract(tmp_path, RIGHT[_HELD])
    held = winner_of(read, "title")
    assert isinstance(held, ByValue)
    assert [held.site(owner) for owner in ("supplier", "shared", "customer", None)] == ["acme", "acme", "globex", "acme"]
    assert winner_of(read, "type") == winner_of(read, "link:blocks:other") == held
    assert (winner_of(read, "owner"), winner_of(read, "body"), winner_of(read, "due")) == ("acme", "acme", "globex")


def test_what_people_agree_on_is_as_the_page_says(tmp_path: Path) -> None:
    read = contract(tmp_path, RIGHT[_ASKED])
    assert (winner_of(read, "severity"), winner_of(read, "title")) == (ASK, FIRST)


def test_the_mapping_is_as_the_page_says(tmp_path: Path) -> None:
    rules = mapped(tmp_path, RIGHT["mapping.yaml"])
    assert [rules.outward(issue({"type": word}), nobody).fields for word in ("Bug", "Story", "Task")] == [
        {"type": "Defect"},
        {"type": "Defect"},
        {"type": "Task"},
    ]
    taken = rules.inward(Kind.ISSUE, {"type": "Defect", "urgency": "Medium", "labels:x": True, "assignee": "whoever"}, nobody)
    assert taken.fields == {"type": "Bug", "priority": "Medium", "labels:x": True, "assignee": "t.weber"}
    assert rules.deletes[Kind.ISSUE].policy is DeletePolicy.IGNORE
    assert rules.leaving == Leaving(tells=True, marks=True)
    few = rules.outward(comment({"body": "x", "visibility": "internal"}), nobody)
    assert (few.fields, few.withheld) == ({"body": "x", "visible_to": "partners"}, False)
    assert rules.inward(Kind.COMMENT, few.fields, nobody).fields == {"body": "x", "visibility": "internal"}
    assert rules.outward(comment({"body": "x", "visibility": "management"}), nobody).withheld
    assert [bool(rules.sieves.out.stops(*one)) for one in (("a.png", 50 << 20), ("a.png", (50 << 20) + 1), ("A.EXE", 1))] == [
        False,
        True,
        True,
    ]
    assert [bool(rules.sieves.into.stops(name, 1)) for name in ("pump.PNG", "pump.txt", "valve.txt")] == [False, False, True]


def test_what_issues_show_of_the_partners_is_as_the_page_says(tmp_path: Path) -> None:
    partner = mapped(tmp_path, RIGHT["mapping.yaml, that shows the partner's keys"]).partner
    assert partner is not None
    display = partner.display(partner="acme", key="LINE-4", pace=Pace.IN_STEP)
    assert display.fields == {"Partner key": "LINE-4"}
    assert display.facts == {"partner": "acme", "key": "LINE-4", "state": "in step"}
    assert display.link == "https://jira.acme.example/browse/LINE-4"


def test_a_fresh_site_takes_the_examples_and_works_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    with as_on_the_page() as world:
        fields: dict[str, Value] = {
            "priority": "Highest",
            "location": ["Pump", "Shaft seal"],
            "assignee": "j.becker",
            "labels:urgent": True,
        }
        world.acme.desk.create("Story", "Pump runs hot", fields)
        world.send(world.acme)
        (found,) = world.globex.shown().values()
        assert found["fields"] == {
            "type": "Defect",
            "title": "Pump runs hot",
            "urgency": "High",
            "location": ["Pump", "Seal"],
            "assignee": "joerg.becker",
            "labels:urgent": True,
            "status": "Open",
        }
        world.settle()
        world.assert_in_step()
        config = world.acme.config.path
        world.acme.site.close()
        assert run(["-c", str(config), "check"]) == ExitCode.DONE
        assert "BAD" not in capsys.readouterr().out
        world.acme.reopen()


def test_what_one_site_decides_alone_is_as_the_page_says() -> None:
    own = RIGHT["mapping.yaml, of one site's own"]
    with two_sites(
        contract=RIGHT["contract.yaml"], mappings=(own, "types: {Bug: Defect}\nfields: {summary: title, priority: urgency}\n")
    ) as world:
        acme, globex = world.sides
        fields: dict[str, Value] = {"priority": "Lowest", "labels:x": True, "location": ["Pump"], "reporter": "w.chen"}
        key = acme.desk.create("Task", "ours", {**fields, "environment": "lab", "reviewers:w.chen": True})
        bug = acme.desk.create("Bug", "a bug", {"environment": "lab", "components:Firmware": True})
        world.send(acme)
        assert globex.desk.show(key).issue.fields.get("environment") is None
        assert globex.desk.show(bug).issue.fields["environment"] == "lab"
        assert globex.desk.show(key).issue.fields["customer_reference"] == f"w.chen ({key})"
        there = globex.desk.show(key).issue.fields
        assert {name: there.get(name) for name in ("priority", "labels:x", "location", "assignee")} == {
            "priority": "Medium",
            "labels:x": None,
            "location": ["Pump"],
            "assignee": "w.chen",
        }
        globex.desk.edit(key, {"priority": "High", "labels:y": True, "location": ["Pump", "Bearing"], "assignee": "j.becker"})
        world.settle()
        globex.desk.edit(key, {"priority": "Medium"})
        world.settle()
        here = acme.desk.show(key).issue.fields
        assert globex.desk.show(key).issue.fields["cost_estimate"] == "100"
        globex.desk.create("Task", "theirs")
        world.settle()
        theirs = next(one.fields for one in acme.issues() if one.fields["summary"] == "theirs")
        assert (theirs["customer_reference"], theirs["components:Firmware"]) == ("acme's", True)
        assert {name: here[name] for name in ("priority", "labels:x", "labels:y", "location", "reporter")} == {
            "priority": "Low",
            "labels:x": True,
            "labels:y": True,
            "location": ["Pump"],
            "reporter": "w.chen",
        }


@pytest.mark.parametrize("number", range(3))
def test_messages_on_the_page_are_those_that_are_given(tmp_path: Path, number: int) -> None:
    text, said = WRONG[number]
    (tmp_path / "contract.yaml").write_text(RIGHT["contract.yaml"])
    (tmp_path / "mapping.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_rules(tmp_path / "contract.yaml", tmp_path / "mapping.yaml", site="acme")
    assert "".join(f"{problem}\n" for problem in caught.value.problems) == said


@pytest.mark.parametrize("number", range(3))
def test_a_site_with_a_wrong_example_says_so_at_its_check(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = WRONG[number]
    with as_on_the_page() as world:
        (world.acme.folder / "mapping.yaml").write_text(text)
        assert run(["-c", str(world.acme.config.path), "check"]) == ExitCode.CONFIG
        out = capsys.readouterr().out
        assert all(line in out for line in said.splitlines())
