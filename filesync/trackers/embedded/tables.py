"""The embedded tracker's own database. Issues and what belongs to them are rows of one shape; ids are never used again."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, func

from filesync.model.ids import Kind

SCHEMA_VERSION: Final = "1"

metadata = MetaData()

# schema_version · key ("ABC") · definition (JSON of project.Definition)
setting = Table("setting", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


def _item_columns() -> list[Column[Any]]:
    return [
        Column("id", Integer, primary_key=True),
        Column("stamp", Text, nullable=False),  # creation, epoch milliseconds
        Column("origin", Text, unique=True),  # the gid an import created it for
        Column("fields", Text, nullable=False),  # JSON of the flat fields
        Column("author", Text, nullable=False),
        Column("at", Text, nullable=False),  # creation, values.utc_text
        Column("told", Text),  # JSON of About: what an import said of the original
        Column("deleted_by", Text),  # the partner that deleted its own
        Column("left_by", Text),  # partners that do not send their own any more, commas between them
    ]


# the id is also the number in the key: ABC-17
issue = Table("issue", metadata, *_item_columns(), sqlite_autoincrement=True)
Index("issue_parent", func.json_extract(issue.c.fields, "$.parent"))


def _below(kind: Kind) -> Table:
    belongs_to = Column("issue", Integer, nullable=False, index=True)
    return Table(str(kind), metadata, *_item_columns(), belongs_to, sqlite_autoincrement=True)


# the bytes of an attachment are a file beside the database (content.py)
below = {kind: _below(kind) for kind in (Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG)}

# a link of an issue, its outward end, to another one; nothing is ever told about a link but that it is there
link = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("other", Integer, nullable=False, index=True),
    UniqueConstraint("issue", "type", "other"),
)

# what `create` answered for an origin: outlives the item, so that one an import made and people deleted is not made again
birth = Table(
    "birth",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("issue", Integer, nullable=False),
    Column("local", Integer, nullable=False),
    Column("stamp", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("about", Text, nullable=False),
)

# every change of every field; `old` and `new` are JSON of a value; `mark` names the change an import carried out
history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("local", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("mark", Text),
    sqlite_autoincrement=True,
)

# one row for each edit, creation or deletion of an issue or of what belongs to it
feed = Table(
    "feed",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("issue", Integer, nullable=False),
    Column("stamp", Text, nullable=False),  # epoch milliseconds; tells apart two rows of one seq after a restore
    sqlite_autoincrement=True,
)

checkpoint = Table("checkpoint", metadata, Column("name", Text, primary_key=True), Column("text", Text, nullable=False))
