"""docs/features.md and the tests: no row is missing, nothing is said to be there that no test shows."""

from __future__ import annotations

import pytest

from tests.support.pages import named, rows, there

YES, PARTLY, NOT_YET, DECLINED = "yes", "partly", "not yet", "declined"


@pytest.fixture(scope="module")
def page() -> dict[int, list[str]]:
    return rows("features.md")


def test_no_feature_is_missing_and_each_has_an_answer(page: dict[int, list[str]]) -> None:
    assert list(page) == list(range(1, 120))
    assert {number: cells for number, cells in page.items() if len(cells) != 5} == {}
    assert {answer for _, answer, *_ in page.values()} == {YES, PARTLY, NOT_YET, DECLINED}
    assert [number for number, (feature, _, what, *_) in page.items() if not (feature and what)] == []


def test_every_test_that_the_page_of_features_names_exists(page: dict[int, list[str]]) -> None:
    assert {name for *_, shown_by in page.values() for name in named(shown_by)} - there() == set()


def test_what_is_there_is_documented_and_shown(page: dict[int, list[str]]) -> None:
    has = {number: cells for number, cells in page.items() if cells[1] in {YES, PARTLY}}
    assert [number for number, (*_, where, _) in has.items() if "](" not in where] == []
    assert [number for number, (*_, shown_by) in has.items() if not named(shown_by)] == []
