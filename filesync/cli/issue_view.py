"""Issues of the embedded tracker, as people and scripts get to see them. Text from a partner is escaped."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from filesync.bundle.verdict import shown
from filesync.errors import size_text
from filesync.model.values import Value, split_name
from filesync.trackers.embedded import VISIBILITY, Definition, Page, Shown

_COLUMNS: Final = ("key", "type", "status", "priority", "assignee", "summary")
_CELL: Final = 200  # characters of a value in a line
_TEXT: Final = 100_000  # characters of a whole text; more than a tracker keeps


def grouped(definition: Definition, fields: Mapping[str, Value]) -> dict[str, Any]:
    """Flat fields as people think of them, in the project's order: the elements of a set in one list."""
    sets: dict[str, list[str]] = {}
    for flat in sorted(fields):
        name, element = split_name(flat)
        if element is not None:
            sets.setdefault(name, []).append(element)
    return {name: fields.get(name, sets.get(name)) for name in definition.fields if name in fields or name in sets}


def document(definition: Definition, issue: Shown) -> dict[str, Any]:
    """An issue for `--json`."""
    said = {"id": issue.id, "key": issue.key, "fields": grouped(definition, issue.fields)}
    return {**said, "author": issue.about.author, "at": issue.about.at, **_marks(issue)}


def page_document(definition: Definition, page: Page) -> dict[str, Any]:
    """An issue with all that belongs to it, and its history, for `--json`."""
    comments = [
        {
            "id": comment.id,
            "author": comment.about.author,
            "at": comment.about.at,
            **comment.fields,
            **_marks(comment),
        }
        for comment in page.comments
    ]
    attachments = [
        {"id": one.id, "author": one.about.author, "at": one.about.at, **one.fields, **_marks(one)} for one in page.attachments
    ]
    worklogs = [
        {"id": one.id, "author": one.about.author, "at": one.about.at, **one.fields, **_marks(one)} for one in page.worklogs
    ]
    below = {"comments": comments, "attachments": attachments, "worklogs": worklogs, "history": page.history}
    return {**document(definition, page.issue), "links": page.links, **below}


def print_list(definition: Definition, issues: Sequence[Shown]) -> None:
    """A table on a terminal; elsewhere a line for each issue, its cells apart by tabs."""
    rows = [_row(definition, issue) for issue in issues]
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name != "summary", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def print_page(definition: Definition, page: Page) -> None:
    """An issue to read: fields, texts, links, attachments, comments, worklogs, history."""
    for line in _page_lines(definition, page):
        click.echo(line)


def _page_lines(definition: Definition, page: Page) -> Iterator[str]:
    fields = grouped(definition, page.issue.fields)
    yield click.style(f"{page.issue.key}  {shown(fields.pop('summary'), limit=_CELL)}", bold=True)
    yield _made(page.issue)
    texts = {name: fields.pop(name) for name in list(fields) if isinstance(fields[name], str) and "\n" in fields[name]}
    for name, value in fields.items():
        yield f"  {name:<20}{_cell(value)}"
    for name, text in texts.items():
        yield ""
        yield click.style(name, bold=True)
        yield from _lines(text)
    if page.links:
        yield ""
        yield click.style("links", bold=True)
    yield from (f"  {shown(one.words)} {one.key}" for one in page.links)
    if page.attachments:
        yield ""
        yield click.style("attachments", bold=True)
    for one in page.attachments:
        size = size_text(int(str(one.fields["size"])))
        yield f"  {one.id:>4}  {shown(str(one.fields['name']), limit=_CELL)}  {size}  {_made(one)}"
    for comment in page.comments:
        yield ""
        yield click.style(f"comment {comment.id}", bold=True) + f"  {_made(comment)}"
        yield from _lines(str(comment.fields["body"]))
    for one in page.worklogs:
        yield ""
        spent = f"{_time(int(str(one.fields['seconds'])))} from {one.fields['started']}"
        yield click.style(f"worklog {one.id}  {spent}", bold=True) + f"  {_made(one)}"
        yield from _lines(str(one.fields["body"])) if "body" in one.fields else ()
    yield ""
    yield click.style("history", bold=True)
    for step in page.history:
        what = f"{step.kind} {step.local} {step.field}" if step.local != page.issue.id or step.kind != "issue" else step.field
        change = "" if step.field in {"created", "deleted"} else f": {_cell(step.old)} → {_cell(step.new)}"
        yield f"  {step.at}  {shown(step.who)}  {shown(what)}{change}"


def _row(definition: Definition, issue: Shown) -> list[str]:
    held = {"key": issue.key, **grouped(definition, issue.fields)}
    row = [_cell(held.get(name)) for name in _COLUMNS]
    if issue.deleted_by:
        row[-1] += f"  [deleted by {shown(issue.deleted_by)}]"
    if issue.left_by:
        row[-1] += f"  [not sent any more by {shown(issue.left_by)}]"
    return row


def _made(item: Shown) -> str:
    said = f"by {shown(item.about.author)} at {shown(item.about.at)}"
    where = ", from the partner" if item.imported else ""
    gone = f", deleted by {shown(item.deleted_by)}" if item.deleted_by else ""
    gone += f", not sent any more by {shown(item.left_by)}" if item.left_by else ""
    few = f", visible to {shown(str(item.fields[VISIBILITY]))} alone" if VISIBILITY in item.fields else ""
    return said + where + few + gone


def _time(seconds: int) -> str:
    """1h30m."""
    parts = {"h": seconds // 3600, "m": seconds // 60 % 60, "s": seconds % 60}
    return "".join(f"{number}{unit}" for unit, number in parts.items() if number)


def _marks(item: Shown) -> dict[str, Any]:
    return {"imported": item.imported, "deleted_by": item.deleted_by or None, "left_by": item.left_by or None}


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case True:
            return "yes"
        case list():
            return shown(", ".join(value), limit=_CELL)
        case _:
            return shown(str(value), limit=_CELL)


def _lines(text: str) -> Iterator[str]:
    yield from (f"  {shown(line, limit=_TEXT)}" for line in text.split("\n"))
