"""Chunks that are not in the archive any more though they were never in the outbox: whose they are, for people."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby

from filesync.agent.asked.inspect import inspected
from filesync.agent.outgoing.departures import ChunksGone
from filesync.agent.site import Site
from filesync.errors import FilesyncError
from filesync.ledger import blobs, streams
from filesync.ledger.blobs import SentBlob, SentChunk
from filesync.ledger.streams import Exchange
from filesync.model.change import blobs_of


def gone(site: Site, x: Exchange, chunks: Iterable[SentChunk]) -> list[ChunksGone]:
    """What to tell of these, by what they are pieces of."""
    found = []
    for sha256, of in groupby(sorted(chunks, key=lambda one: one.blob), key=lambda one: one.blob):
        with site.ledger.begin() as conn:
            sent = blobs.sent(conn, x, sha256)
        assert sent is not None  # a bundle names it, or it would not be waited for
        files = sorted(one.file for one in of)
        key = _key(site, x, sent)
        found.append(ChunksGone(to=x.partner_name, key=key, seq=sent.first, bytes=sent.blob.size, files=files))
    return found


def _key(site: Site, x: Exchange, sent: SentBlob) -> str:
    """The issue that it belongs to, as the bundle says that named it; "" where that cannot be read."""
    with site.ledger.begin() as conn:
        bundle = streams.sent(conn, x.id, generation=x.out_generation.n, seq=sent.first)
    assert bundle is not None
    with suppress(FilesyncError), inspected(site.config.folders.archive / bundle.file, site.config) as found:
        for change in found.changes():
            if any(one.sha256 == sent.blob.sha256 for one in blobs_of(change)):
                return change.about.key
    return ""
