"""docs/merge.md names every rule that is taken out, and only tests that there are."""

import re
from pathlib import Path

from tests.merge.test_rules_matter import RULES

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "merge.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    there = {name for file in HERE.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named <= there, named - there


def test_every_rule_of_the_page_is_taken_out_somewhere() -> None:
    assert set(re.findall(r"^- \*\*(R\d+)\*\*", PAGE, re.MULTILINE)) == {out.rule for out in RULES}


def test_each_rule_names_a_scenario_that_misses_it() -> None:
    lines = {
        found[0]: found[1] for found in re.findall(r"^- \*\*(R\d+)\*\*(.*?)(?=^- |^\*\*|^##)", PAGE, re.MULTILINE | re.DOTALL)
    }
    for out in RULES:
        assert any(
            scenario.__name__ in lines[out.rule] for other in RULES if other.rule == out.rule for scenario in other.fails
        ), out.rule
