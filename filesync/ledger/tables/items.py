"""What is exchanged: entities, what waits and what is in doubt, and what people are shown of it."""

from __future__ import annotations

import sqlalchemy as sa

from filesync.ledger.tables.shared import metadata

# The paired entities and tombstones, with the shadows of their fields (JSON of model.shadow.Shadows).
entity = sa.Table(
    "entity",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), nullable=False),
    sa.Column("gid", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("parent", sa.Text),  # gid of the issue it belongs to
    sa.Column("local", sa.Text),  # its id in our tracker; none for an entity we never had
    sa.Column("state", sa.Text, nullable=False),  # live · dead · apart
    sa.Column("fields", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("exchange", "gid"),
)
sa.Index("entity_gid", entity.c.gid)  # of any exchange: came it from another partner of ours?
sa.Index("entity_local", entity.c.exchange, entity.c.kind, entity.c.local)
sa.Index("entity_parent", entity.c.exchange, entity.c.parent)

# Changes taken in and not yet decided: waiting for something, refused, or behind one of the same entity that is.
queue = sa.Table(
    "queue",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("gid", sa.Text, nullable=False),
    sa.Column("change", sa.LargeBinary, nullable=False),  # what is left of it, as its line
    sa.Column("state", sa.Text, nullable=False),  # waits · stuck · behind
    sa.Column("waits_for", sa.Text, nullable=False, default=""),  # a gid; "blob": the bytes beside its line; "unread" …
    sa.Column("blob", sa.Text, nullable=False, default=""),  # SHA-256 of the bytes beside its line, blanks between them
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("not_before", sa.BigInteger, nullable=False, default=0),  # when it is tried again, where that is known
)
sa.Index("queue_gid", queue.c.exchange, queue.c.gid)

# Written before every call to the tracker, removed with the row that records its result. field "" = the entity itself.
doubt = sa.Table(
    "doubt",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),  # digest of the wire value about to be written
    sa.Column("since", sa.BigInteger, nullable=False),  # when it was first written down
    sqlite_with_rowid=False,
)

# Issues the next export looks at, whatever the tracker's feed says.
revisit = sa.Table(
    "revisit",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("issue", sa.Text, primary_key=True),
    sa.Column("once", sa.Text, primary_key=True),  # only once this local issue is paired; "": at the next export
)

# Fields of which each side keeps its own until a person decides, as their shadows say.
open_conflict = sa.Table(
    "open_conflict",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),  # the partner's edit that stands against ours
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("ours", sa.Text, nullable=False),  # both for people
    sa.Column("theirs", sa.Text, nullable=False),
    sa.Column("told", sa.LargeBinary, nullable=False),  # theirs in the contract's words, as JSON
    sa.Column("base", sa.Text, nullable=False),  # what of ours its author had seen
    sa.Column("since", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Issues that left a scope, ours or the partner's (model/outside.py). All others have no row.
outside = sa.Table(
    "outside",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("seen", sa.Text, nullable=False, default="in"),  # ours, once, and not told: in · left · moved
    sa.Column("told", sa.Text, nullable=False, default="in"),  # ours, as the partner knows
    sa.Column("theirs", sa.Text, nullable=False, default="in"),
    sa.Column("marked", sa.Boolean, nullable=False, default=False),  # our issue tells people of the partner's
    sqlite_with_rowid=False,
)

# Issues that a person started or stopped, whatever the scope says (model/by_hand.py). All others have no row.
by_hand = sa.Table(
    "by_hand",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("local", sa.Text, nullable=False),  # our tracker's id
    sa.Column("hand", sa.Text, nullable=False),  # stopped · started · as scope
    sa.Column("called", sa.Text, nullable=False),  # our key when it was said
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("due", sa.Boolean, nullable=False),  # no export has looked at the issue since then
    sqlite_with_rowid=False,
)

# What issues that came from the partner are called, there and here: texts name them so.
partner_key = sa.Table(
    "partner_key",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("theirs", sa.Text, primary_key=True),
    sa.Column("ours", sa.Text, nullable=False),
)
sa.Index("partner_key_ours", partner_key.c.exchange, partner_key.c.ours)

# What the two sides call the same issue, where contract or mapping want it known (ledger/called.py).
called = sa.Table(
    "called",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("theirs", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("due", sa.Boolean, nullable=False),
    sa.Column("sent", sa.BigInteger, nullable=False),  # our bundle that last told something of it, until it is acknowledged
    sa.Column("held", sa.Boolean, nullable=False),  # it shows that something of the partner's is not decided
    sqlite_with_rowid=False,
)
sa.Index("called_due", called.c.exchange, called.c.gid, sqlite_where=sa.text("due or held or sent > 0"))

# Entities whose texts name an issue that was not here when they were written: they are written anew when it has come.
unnamed = sa.Table(
    "unnamed",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("theirs", sa.Text, primary_key=True),  # the partner's key of that issue
    sa.Column("gid", sa.Text, primary_key=True),
)

# Texts of new issues that show files, where our tracker finds a file when the text is written: once more when they are here.
unfiled = sa.Table(
    "unfiled",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("gid", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),  # of the change that told it
    sa.Column("text", sa.Text, nullable=False),  # as it was told
    sa.Column("files", sa.Text, nullable=False),  # names that have not come, one a line
    sa.Column("due", sa.Integer, nullable=False),  # 1: a file of its issue came since it was looked at
)

# Items of ours that stood here before the partner told its own of the same: they are known by the partner's gid.
tie = sa.Table(
    "tie",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("ours", sa.Text, primary_key=True),  # the gid that the item would have
    sa.Column("theirs", sa.Text, nullable=False),
)

# What is not at the other side as it is at this one, by item, field and cause (ledger/shortfalls.py). No values.
shortfall = sa.Table(
    "shortfall",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("sent", sa.Boolean, primary_key=True),  # of what we send; else of what we take
    sa.Column("item", sa.Text, primary_key=True),  # local id of our issue; gid of the partner's item
    sa.Column("part", sa.Text, primary_key=True),  # of what we send: kind and local id of what belongs to the issue
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("cause", sa.Text, primary_key=True),
    sa.Column("called", sa.Text, nullable=False),  # the key
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The change of an exchange's contract that is under way: made here, or come from the partner.
proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("ours", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # open · withdrawn · switching
    sa.Column("seq", sa.BigInteger, nullable=False),  # the partner's bundle that proposed it, or accepted ours; 0: none
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # contract.yaml
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("mapping", sa.Text),  # mapping.yaml to go with it; null: there is none
    sa.Column("before", sa.Text, nullable=False, default=""),  # contract.yaml that was in force
    sa.Column("mapping_before", sa.Text),
    sa.Column("place", sa.BigInteger, nullable=False, default=0),  # rows of `entity` up to this one stand under the new one
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("origins", sa.Text),  # JSON: which fields the partner had under which names before
    sa.Column("agent", sa.Text, nullable=False, default=""),  # what made the partner's
    # the version of the contract that we had proposed at the same time, and that gave way to the partner's; 0: none
    sa.Column("instead_of", sa.Integer, nullable=False, default=0),
    sa.Column("read_by", sa.Text, nullable=False, default=""),  # the filesync that read the partner's; "": none yet
    sa.Column("unreadable", sa.Text, nullable=False, default=""),  # why it could not
)

# Edits that met: both values are kept for people, apart from everything the merge works on.
conflict = sa.Table(
    "conflict",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("gid", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("ours", sa.Text, nullable=False),
    sa.Column("theirs", sa.Text, nullable=False),
    sa.Column("winner", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.UniqueConstraint("exchange", "mark", "gid", "field"),
)

# What happened, oldest first: `filesync log`.
event = sa.Table(
    "event",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("exchange", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("detail", sa.LargeBinary, nullable=False),
)
sa.Index("event_at", event.c.at)
