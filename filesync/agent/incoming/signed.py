"""I7: whether the partner signed what arrived, with the key that counts at its place in the stream."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from filesync.agent.events import ranges
from filesync.agent.incoming.arrivals import KeyNotKnown
from filesync.agent.incoming.missing import resend_command
from filesync.agent.partners.trust import Partner, partner_keys, partner_of, place_of
from filesync.agent.site import Site
from filesync.agent.staged import OtherSigner, check_signature
from filesync.bundle.read import Head
from filesync.bundle.verdict import BadBundle, shown
from filesync.bundle.write import NAMESPACE
from filesync.exchange.judge import Verdict
from filesync.keys import sshsig
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.streams import Exchange
from filesync.model.ids import make_mark, parse_mark

_IN_PLACE: Final = frozenset(
    {Verdict.APPLY, Verdict.HOLD_GAP, Verdict.HOLD_FIRST, Verdict.HOLD_CONTRACT, Verdict.REPORT, Verdict.CHUNK}
)


class Unintroduced(Exception):
    """Signed with a key that nobody named yet, by what may be the partner: it waits, unread, where it is."""

    def __init__(self, head: Head, key: PublicKey, partner: Partner, refusal: BadBundle) -> None:
        super().__init__(key.fingerprint())
        self.refusal = refusal  # what it is where it has waited too long
        self.head = head
        self.key = key
        self.partner = partner


def check_signer(site: Site, x: Exchange, head: Head, verdict: Verdict) -> None:
    """Raises BadBundle; Unintroduced where a bundle before it, or a person, may still name its key."""
    try:
        check_signature(head, partner_keys(site, x, head.header), signer=x.partner_name)
    except OtherSigner as refusal:
        key = sshsig.verify(head.tagmanifest, head.signature, namespace=NAMESPACE)
        with site.ledger.begin() as conn:
            partner, x = partner_of(conn, streams.exchange_of(conn, x.id)), streams.exchange_of(conn, x.id)
        place = place_of(head.header)
        known = key.text() in {one.key for one in partner.keys}  # what a key signs that was replaced or revoked is refused
        if known or verdict not in _IN_PLACE or head.header.generation.id != x.in_generation.id:
            raise
        ahead = place is None or place > make_mark(x.in_generation.n, x.in_seq + 1, 0)  # a chunk may come before anything
        if ahead or partner.keys[-1].revoked is not None:
            raise Unintroduced(head, key, partner, refusal) from None
        raise


def waits(x: Exchange, error: Unintroduced, held: Collection[int], *, us: str, file: str) -> KeyNotKnown:
    """Why it waits, and what brings the key."""
    header, revoked = error.head.header, error.partner.keys[-1].revoked
    before = [seq for seq in range(x.in_seq + 1, header.seq) if seq not in held]
    return KeyNotKnown(
        file=shown(file),
        partner=x.partner_name,
        what=f"bundle {header.seq}" if header.kind.sequenced else f"a {header.kind}",
        fingerprint=error.key.fingerprint(),
        missing=ranges(before),
        command=resend_command(us, before) if before else "",
        revoked=parse_mark(revoked)[1] if revoked is not None else 0,
    )
