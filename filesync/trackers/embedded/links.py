"""Links between issues, inside one transaction: rows of their own, shown as fields of the issue at the outward end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, or_, select

from filesync.model.links import LINK, link_name, link_parts
from filesync.model.values import Flat, Value, split_name
from filesync.trackers.embedded import tables
from filesync.trackers.embedded.check import quoted, suggestion
from filesync.trackers.embedded.entry import number
from filesync.trackers.embedded.project import Definition

# read for every issue there is: built once
_ALL: Final = select(tables.link).order_by("id")
_OUT: Final = _ALL.where(tables.link.c.issue == bindparam("id"))


def is_link(flat: str) -> bool:
    """Whether a flat field is a link, or would be one."""
    return split_name(flat)[0] == LINK


def links_of(connection: Connection, issue: int | None = None) -> dict[int, dict[str, Value]]:
    """The links of an issue, or (None) of all, as flat fields, by the issue at the outward end."""
    found: dict[int, dict[str, Value]] = {}
    for row in connection.execute(_ALL) if issue is None else connection.execute(_OUT, {"id": issue}):
        found.setdefault(row.issue, {})[link_name(row.type, str(row.other))] = True
    return found


def links_to(connection: Connection, issue: int) -> list[tuple[str, int]]:
    """Type and outward end of each link whose inward end is this issue."""
    return [(row.type, row.issue) for row in connection.execute(_ALL.where(tables.link.c.other == issue))]


def wrong_links(connection: Connection, definition: Definition, issue: str, fields: Flat) -> dict[str, str]:
    """Which of these links cannot be written, with words. Taking away one that was never there is no fault."""
    refused: dict[str, str] = {}
    for flat, value in fields.items():
        parts = link_parts(flat)
        if parts is None or (value is not None and value is not True):
            refused[flat] = "a link is there or not, under the name link:TYPE:ISSUE"
        elif value is True and (why := _wrong(connection, definition, issue, parts)):
            refused[flat] = why
    return refused


def _wrong(connection: Connection, definition: Definition, issue: str, parts: tuple[str, str]) -> str:
    link_type, other = parts
    if link_type not in definition.links:
        return f"there is no type of link {quoted(link_type)}{suggestion(link_type, tuple(definition.links))}"
    if other == issue:
        return "an issue is not linked with itself"
    there = connection.execute(select(tables.issue.c.id).where(tables.issue.c.id == number(other))).first()
    return "" if there else f"there is no issue {quoted(other)}"


def write_links(connection: Connection, issue: int, fields: Mapping[str, Value | None]) -> None:
    """Make or take away these links, which are not so already."""
    for flat, value in fields.items():
        parts = link_parts(flat)
        assert parts is not None  # wrong_links was asked
        row = {"issue": issue, "type": parts[0], "other": number(parts[1])}
        if value is True:
            connection.execute(insert(tables.link).values(**row))
        else:
            matching = (tables.link.c[name] == one for name, one in row.items())
            connection.execute(delete(tables.link).where(*matching))


def drop_links(connection: Connection, issue: int) -> None:
    """Take away every link of an issue that is deleted, at whichever end it stands."""
    connection.execute(delete(tables.link).where(or_(tables.link.c.issue == issue, tables.link.c.other == issue)))
