"""docs/faults.md and the tests: no row is missing, no test is named that is not there, what is not shown says why."""

from __future__ import annotations

import re

from tests.support.pages import named, rows, there

ON_THE_PAGE = {*range(1, 63), *range(81, 98), *range(110, 123)}  # order, bytes, machine, hostile content, a tracker
PAGE = "faults.md"


def test_no_row_is_missing() -> None:
    assert set(rows(PAGE)) == ON_THE_PAGE


def test_every_test_that_the_page_names_exists() -> None:
    assert {name for *_, shown_by in rows(PAGE).values() for name in named(shown_by)} - there() == set()


def test_the_name_of_each_test_carries_the_number_of_a_row() -> None:
    assert [name for *_, shown_by in rows(PAGE).values() for name in named(shown_by) if not re.match(r"test_f\d", name)] == []


def test_a_row_without_a_test_says_why() -> None:
    words = ("Not there yet", "No program can see that")
    unsaid = [
        number for number, (*_, sees, shown_by) in rows(PAGE).items() if not named(shown_by) and not sees.startswith(words)
    ]
    assert unsaid == []
