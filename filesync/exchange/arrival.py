"""What a bundle's header says of its place, for the judgement: apart from it, for who only looks at a site reads no header."""

from __future__ import annotations

from filesync.bundle.header import Header, unknown_features
from filesync.bundle.header import Place as SaidGeneration
from filesync.exchange.judge import Arrival, Place
from filesync.model.ids import BundleId, Generation


def arrival(header: Header, bundle_id: BundleId) -> Arrival:
    """That of a bundle whose signature was verified, or is before anything comes of it."""
    follows = header.follows
    return Arrival(
        from_site=header.from_.site,
        to_site=header.to.site,
        stream=header.stream,
        generation=_generation(header.generation),
        seq=header.seq,
        prev=header.prev,
        bundle_id=bundle_id,
        kind=header.kind,
        follows=None if follows is None else Place(_generation(follows.generation), follows.seq, follows.id),
        contract=header.contract,
        signed=True,
        format_known=not unknown_features(header),
    )


def _generation(said: SaidGeneration) -> Generation:
    return Generation(said.n, said.id)
