"""The sample issues: they fill a project of the default definition, and are as varied as real ones."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from filesync.errors import ConfigError, Rejected
from filesync.model.values import split_name
from filesync.trackers.embedded import Desk, Page
from filesync.trackers.embedded.fill import Filled, fill

SAMPLES = Path(__file__).parents[2] / "samples" / "acme-issues.yaml"


@pytest.fixture
def pages(desk: Desk) -> list[Page]:
    counts = fill(desk, SAMPLES)
    pages = [desk.show(issue.key) for issue in desk.list()]
    assert counts == Filled(
        issues=len(pages),
        comments=sum(len(page.comments) for page in pages),
        attachments=sum(len(page.attachments) for page in pages),
        worklogs=sum(len(page.worklogs) for page in pages),
        links=sum(link.outward for page in pages for link in page.links),
    )
    return pages


def test_every_field_type_status_and_user_is_used(desk: Desk, pages: list[Page]) -> None:
    assert len(pages) >= 200
    assert sum(len(page.comments) for page in pages) >= 300
    fields = {split_name(flat)[0] for page in pages for flat in page.issue.fields}
    assert fields == desk.definition.fields.keys()
    assert {page.issue.fields["type"] for page in pages} == desk.definition.types.keys()
    assert {page.issue.fields["status"] for page in pages} == set(desk.definition.statuses())
    assert {page.issue.fields.get("priority") for page in pages} == {*desk.definition.fields["priority"].allowed(), None}
    assert {page.issue.about.author for page in pages} == desk.definition.users.keys()
    assert {link.words for page in pages for link in page.links if link.outward} == desk.definition.links.keys()
    assert {"body" in worklog.fields for page in pages for worklog in page.worklogs} == {True, False}


def test_no_two_issues_and_no_two_comments_say_the_same(pages: list[Page]) -> None:
    summaries = Counter(page.issue.fields["summary"] for page in pages)
    said = Counter(comment.fields["body"] for page in pages for comment in page.comments)
    assert [text for text, times in (summaries + said).items() if times > 1] == []


def test_many_scripts_are_written(pages: list[Page]) -> None:
    text = "".join(
        str(item.fields.get("summary", item.fields.get("body"))) for page in pages for item in (page.issue, *page.comments)
    )
    scripts = {unicodedata.name(letter, "").split()[0] for letter in set(text) if letter.isalpha()}
    assert scripts >= {"LATIN", "CYRILLIC", "ARABIC", "CJK", "HIRAGANA", "KATAKANA"}
    assert any(ord(letter) > 0xFFFF for letter in text)


def test_history_is_by_its_authors_at_its_times(desk: Desk, pages: list[Page]) -> None:
    for page in pages:
        times = [step.at for step in page.history]
        assert times == sorted(times)
        assert times[0] == page.issue.about.at
        assert {step.who for step in page.history} <= desk.definition.users.keys()
    assert [page.issue.about.at for page in pages] == sorted(page.issue.about.at for page in pages)
    assert pages[-1].issue.about.at < dt.datetime(2026, 11, 1, tzinfo=dt.UTC).isoformat()


def test_a_file_with_something_the_project_does_not_take_fills_nothing(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "issues.yaml"
    one = "- {n: 1, type: Bug, by: j.becker, at: '2026-01-05T10:00:00Z', fields: {summary: fine}}\n"
    path.write_text(one + one.replace("n: 1", "n: 2").replace("Bug", "Bog"))
    with pytest.raises(Rejected, match='did you mean "Bug"'):
        fill(desk, path)
    assert desk.list() == ()


@pytest.mark.parametrize("text", ["- {n: 1}", "- [", "7", "- {n: 1, type: Bug, by: x, at: noon, fields: {}}"])
def test_what_is_no_such_file_is_told(desk: Desk, tmp_path: Path, text: str) -> None:
    path = tmp_path / "issues.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"issues\.yaml: "):
        fill(desk, path)
