"""docs/rules.md: every example is read by filesync as it stands, and every message shown is the one it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.model.ids import Kind
from filesync.rules.contract import Contract, DeletePolicy, Flow, flow, wins
from filesync.rules.load import load_mapping, make_rules
from filesync.rules.mapping import Rules
from tests.rules.build import ACME, GLOBEX, contract, issue, nobody

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [(language, text) for language, text in FENCE.findall(PAGE.read_text()) if language]
RIGHT = {text.splitlines()[0].removeprefix("# "): text for _, text in EXAMPLES if text.startswith("# ") and "wrong" not in text}
WRONG = [(EXAMPLES[at][1], EXAMPLES[at + 1][1]) for at in range(len(EXAMPLES)) if ", wrong" in EXAMPLES[at][1].splitlines()[0]]


def mapped(folder: Path, text: str) -> Rules:
    (folder / "mapping.yaml").write_text(text)
    return make_rules(agreed(folder), load_mapping(folder / "mapping.yaml"))


def agreed(folder: Path) -> Contract:
    return contract(folder, RIGHT["contract.yaml"])


def test_the_page_has_no_example_that_is_not_read() -> None:
    assert set(RIGHT) == {"contract.yaml", "mapping.yaml"}
    assert len(WRONG) == 3
    assert len(EXAMPLES) == len(RIGHT) + 2 * len(WRONG)


def test_the_contract_is_as_the_page_says(tmp_path: Path) -> None:
    read = agreed(tmp_path)
    least = contract(tmp_path, "version: 1\ntypes: [Bug]\nfields: {}\n")
    assert (least.winner, least.deletes, least.users, least.comments) == (read.winner, read.deletes, read.users, read.comments)
    assert "status" in read.fields
    assert "status" not in least.fields
    assert wins(read, "summary", us=ACME, them=GLOBEX)
    assert wins(read, "priority", us=GLOBEX, them=ACME)
    assert flow(read, "cost", "acme") is Flow.WE_SEND_GUARD
    assert flow(read, "severity", "acme") is Flow.WE_TAKE_DRIFT


def test_the_mapping_is_as_the_page_says(tmp_path: Path) -> None:
    rules = mapped(tmp_path, RIGHT["mapping.yaml"])
    assert [rules.outward(issue({"type": word}), nobody).fields for word in ("Fehler", "Defekt", "Task")] == [
        {"type": "Bug"},
        {"type": "Bug"},
        {"type": "Task"},
    ]
    taken = rules.inward(Kind.ISSUE, {"type": "Bug", "priority": "Low", "labels:x": True, "assignee": "whoever"}, nobody)
    assert taken.fields == {"type": "Fehler", "Wichtigkeit": "Low", "labels:x": True, "assignee": "import"}
    assert rules.deletes[Kind.ISSUE] is DeletePolicy.IGNORE


@pytest.mark.parametrize("number", range(3))
def test_messages_on_the_page_are_those_that_are_given(tmp_path: Path, number: int) -> None:
    text, said = WRONG[number]
    with pytest.raises(ConfigError) as caught:
        mapped(tmp_path, text)
    assert "".join(f"{problem}\n" for problem in caught.value.problems) == said
