"""X11: a file of the archive is given to the carrier."""

from __future__ import annotations

from pathlib import Path

from filesync.agent.outgoing.departures import OutboxName
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.exchange.outbox import publish
from filesync.ledger.streams import Exchange


def offer(site: Site, x: Exchange, file: str, record: Record) -> Path:
    """Put it into the outbox, under another name where other bytes have its own; that is told. Raises as `publish`."""
    published = publish(site.config.folders.archive / file, site.outbox(x), file)
    if published.renamed:
        record.add(OutboxName(file=file, instead=published.path.name))
    return published.path
