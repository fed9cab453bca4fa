"""The tables, once. Migrations in ledger/migrations lead here; a test holds the two together.

Times are integer microseconds since 1970 (UTC). Marks, gids and digests are text, as in filesync.model.ids.
"""

from filesync.ledger.tables.items import (
    called,
    conflict,
    doubt,
    entity,
    event,
    outside,
    partner_key,
    proposal,
    queue,
    revisit,
    shortfall,
    tie,
    unfiled,
    unnamed,
)
from filesync.ledger.tables.shared import GENERATION, MANY, SEQ, X, metadata
from filesync.ledger.tables.streams import (
    blob_in,
    blob_out,
    bundle_in,
    bundle_out,
    chunk_in,
    chunk_out,
    exchange,
    refusal,
    seen_file,
    site,
    stream_key,
)

__all__ = [
    "GENERATION",
    "MANY",
    "SEQ",
    "X",
    "blob_in",
    "blob_out",
    "bundle_in",
    "bundle_out",
    "called",
    "chunk_in",
    "chunk_out",
    "conflict",
    "doubt",
    "entity",
    "event",
    "exchange",
    "metadata",
    "outside",
    "partner_key",
    "proposal",
    "queue",
    "refusal",
    "revisit",
    "seen_file",
    "shortfall",
    "site",
    "stream_key",
    "tie",
    "unfiled",
    "unnamed",
]
