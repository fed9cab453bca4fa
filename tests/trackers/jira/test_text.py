"""Wiki text: limits, and the line above a comment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.issue import About
from filesync.model.values import FieldKind, normal
from filesync.trackers.jira.settings import JiraSettings
from filesync.trackers.jira.translate.text import body_of, fit, header, length, under, unknown_place

HEADER = JiraSettings(url="").header
ANNA = About(key="ABC-7", author="Anna Li", at="2026-11-20T08:00:59.999Z")
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def test_a_header_says_who_and_when() -> None:
    assert header(HEADER, ANNA) == "_Anna Li, 2026-11-20 08:00 UTC:_"
    assert header("{key}: {author}", ANNA) == "ABC\\-7: Anna Li"


def test_what_says_when_is_no_markup_either() -> None:
    assert header("{date}", About(author="Anna", at="[~admin] {x}")) == "\\[\\~admin\\] \\{x\\}"


@pytest.mark.parametrize("about", [About(), About(author="Anna"), About(at=ANNA.at)])
def test_nobody_knows_is_no_header(about: About) -> None:
    assert header(HEADER, about) == ""


def test_an_empty_template_is_no_header() -> None:
    assert header("", ANNA) == ""


@pytest.mark.parametrize("template", ["", "{author}", "{color:#777}{key}{color}: {date}", "{{author}} wrote", "a } b {"])
def test_a_template_that_can_be_filled_in(template: str) -> None:
    assert unknown_place(template) == ""


def test_a_place_that_nobody_fills_is_told_with_what_was_meant() -> None:
    said = "is not filled in; there are {author}, {date}, {key}"
    assert unknown_place("_{autor}:_") == f'"{{autor}}" {said}; did you mean "author"?'
    assert unknown_place("{}") == f'"{{}}" {said}'


@given(author=any_text.filter(bool))
def test_a_foreign_name_is_shown_and_no_markup(author: str) -> None:
    line = header("{author}", About(author=author, at=ANNA.at))
    assert line.isprintable() or line == ""
    bare = line.replace("\\\\", "")
    assert all(bare[place - 1] == "\\" for place, letter in enumerate(bare) if letter in "{}[]!*_|~^")


def test_a_name_that_is_a_place_is_not_filled_in_again() -> None:
    assert header("{author}", About(key="ABC-7", author="{key}", at=ANNA.at)) == r"\{key\}"


@given(body=any_text, head=st.sampled_from(["", "_Anna:_", "a b"]))
def test_what_went_under_a_header_comes_back(body: str, head: str) -> None:
    plain = normal(FieldKind.TEXT, body)
    assert body_of(head, under(head, plain), cloud=False) == plain
    assert body_of(head, under(head, plain).replace("\n", "\r\n"), cloud=False) == plain


def test_jira_may_cut_off_the_blank_below_a_header() -> None:
    assert body_of("_Anna:_", "_Anna:_", cloud=False) == ""


@pytest.mark.parametrize("shown", ["hello", "_Anna, edited:_\nhello", "_Anna:_hello", "x\n_Anna:_\nhello"])
def test_a_header_that_somebody_changed_is_part_of_the_text(shown: str) -> None:
    assert body_of("_Anna:_", shown, cloud=False) == shown


@pytest.mark.parametrize(("text", "count"), [("", 0), ("abc", 3), ("e\u0301", 2), ("🛠", 2), ("𝔘x", 3)])
def test_length_is_counted_as_jira_counts(text: str, count: int) -> None:
    assert length(text) == count == len(text.encode("utf-16-le")) // 2


def test_what_has_one_line_and_is_too_long_is_refused_and_never_cut() -> None:
    assert fit("x" * 198 + "🛠", limit=200) == "x" * 198 + "🛠"
    with pytest.raises(ValueError, match="201 characters are more than the 200"):
        fit("x" * 199 + "🛠", limit=200)
