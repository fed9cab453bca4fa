"""Whose signature counts for a bundle: ours while it is made, the partner's when it came.

Keys count by the bundle's place in its stream, never by a time: clocks of two sites need not agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from filesync.agent.partners.key_files import others
from filesync.agent.site import Site
from filesync.bundle.header import BundleKind, Header
from filesync.errors import KeyProblem
from filesync.keys.signers import AllowedSigner, read_signers
from filesync.keys.sshsig import CommandSigner, FileSigner, PublicKey, Signer
from filesync.ledger import streams
from filesync.ledger.stream_keys import StreamKey, key_at, stream_keys
from filesync.ledger.streams import Exchange
from filesync.model.ids import Mark, make_mark

_FIRST: Final = make_mark(0, 0, 0)


def place_of(header: Header) -> Mark | None:
    """Where a bundle stands among the others of its stream, to know which key signs it.

    A report has no number: it stands before the next bundle of the site that reports. A chunk stands nowhere.
    """
    if header.kind.sequenced:
        return make_mark(header.generation.n, header.seq, 0)
    if header.kind is BundleKind.REPORT and header.report is not None:
        own = header.report.own
        return make_mark(own.generation.n, own.seq + 1, 0) if own is not None else _FIRST
    return None


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner's keys on one exchange, in the order in which they sign."""

    name: str
    keys: tuple[StreamKey, ...]

    def signs(self, header: Header) -> list[str]:
        """The keys that may have signed this. One that was revoked signs nothing that has no number of its own."""
        place = place_of(header)
        if place is None:
            return [one.key for one in self.keys if one.revoked is None]
        found = key_at(self.keys, max(place, self.keys[0].since))
        return [found.key] if found is not None and (header.kind.sequenced or found.revoked is None) else []


def outdated(partner: Partner, x: Exchange, header: Header) -> bool:
    """Whether a report says less of the partner's stream than is applied here, and another key signs there by now.

    The bundles since told more, so it came late; or whoever kept the key before made it, and can say nothing of what is.
    """
    place, now = place_of(header), make_mark(x.in_generation.n, x.in_seq + 1, 0)
    return (
        place is not None
        and place < now
        and partner.signs(header) != [one.key for one in partner.keys if one.since <= now][-1:]
    )


def partner_of(conn: sa.Connection, x: Exchange) -> Partner:
    """The partner of an exchange, with all its keys."""
    return Partner(x.partner_name, stream_keys(conn, x.id, ours=False) or (StreamKey(since=_FIRST, key=x.partner_key),))


def partner_keys(site: Site, x: Exchange, header: Header) -> list[PublicKey]:
    """The keys that may sign this for the partner. Raises ConfigError."""
    with site.ledger.begin() as conn:
        partner = partner_of(conn, streams.exchange_of(conn, x.id))
    counting = partner.signs(header)
    # both: a partner of the same name has a key of its own, and taking the line out of the file is enough to distrust one
    signers = read_signers(site.config.keys.allowed_signers)
    return [one.key for one in signers if one.principal == partner.name and one.key.text() in counting]


def believed(signers: Sequence[AllowedSigner], partners: Sequence[Partner], header: Header) -> list[AllowedSigner]:
    """Of the allowed signers those that may have signed this: partners by the keys of their exchanges, others by the file."""
    names = {one.name for one in partners}
    bound = {(one.name, key) for one in partners for key in one.signs(header)}
    return [one for one in signers if one.principal not in names or (one.principal, one.key.text()) in bound]


def signer_of(site: Site, x: Exchange, header: Header) -> Signer:
    """Whoever signs this for us: what was numbered before a rotation is signed with the key before it. Raises KeyProblem."""
    with site.ledger.begin() as conn:
        keys = stream_keys(conn, x.id, ours=True)
    place = place_of(header)
    wanted = key_at(keys, place) if place is not None and keys else None
    now = site.signer()
    if wanted is None or now.public.text() == wanted.key:
        return now
    signing = site.config.keys.signing
    if signing is None:
        return CommandSigner(site.config.keys.command, public=PublicKey.parse(wanted.key))
    for path in others(signing):
        if (other := FileSigner(path)).public.text() == wanted.key:
            return other
    raise KeyProblem(
        f"bundle {header.seq} for {x.partner_name} must be signed with {PublicKey.parse(wanted.key).fingerprint()}, which is "
        f"not among our keys; the one there is {now.public.fingerprint()}",
        hint="Put that key back beside the other, from a backup: its number was given out before the key was changed.",
    )
