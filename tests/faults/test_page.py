"""docs/faults.md and the tests: no row is missing, no test is named that is not there, what is not shown says why."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ON_THE_PAGE = {*range(1, 63), *range(81, 98), *range(110, 123)}  # order, bytes, machine, hostile content, a tracker
_ROW = re.compile(r"\| \d+ \|")
_TEST = re.compile(r"`(test_\w+)`")
_DEFINED = re.compile(r"^def (test_f\d\w*)\(", re.MULTILINE)


def rows() -> dict[int, tuple[str, set[str]]]:
    """What a person sees, and the tests named, by number."""
    cells = [line.split("|") for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if _ROW.match(line)]
    numbered = [int(number) for _, number, *_ in cells]
    assert sorted(set(numbered)) == numbered, "a row stands twice, or out of order"
    return {int(number): (sees.strip(), set(_TEST.findall(shown_by))) for _, number, _, _, sees, shown_by, _ in cells}


def numbered_tests() -> set[str]:
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    return {name for path in files for name in _DEFINED.findall(path.read_text())}


def test_no_row_is_missing() -> None:
    assert set(rows()) == ON_THE_PAGE


def test_every_test_that_the_page_names_exists() -> None:
    assert {name for _, named in rows().values() for name in named} - numbered_tests() == set()


def test_a_row_without_a_test_says_why() -> None:
    words = ("Not there yet", "No program can see that")
    assert [number for number, (sees, named) in rows().items() if not named and not sees.startswith(words)] == []
