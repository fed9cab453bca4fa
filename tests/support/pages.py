"""Pages of docs/ with numbered rows, and the tests that they name."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"\| \d+ \|")
_NAMED = re.compile(r"`(test_\w+)`")
_DEFINED = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)


def rows(page: str) -> dict[int, list[str]]:
    """The cells behind the number of each row of docs/`page`, by number."""
    lines = [line for line in (ROOT / "docs" / page).read_text("utf-8").splitlines() if _ROW.match(line)]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    numbers = [int(number) for number, *_ in cells]
    assert sorted(set(numbers)) == numbers, "a row stands twice, or out of order"
    return {int(number): rest for number, *rest in cells}


def named(cell: str) -> set[str]:
    """The tests that a cell names."""
    return set(_NAMED.findall(cell))


def there() -> set[str]:
    """Every test there is."""
    return {name for path in (ROOT / "tests").rglob("*.py") for name in _DEFINED.findall(path.read_text("utf-8"))}
