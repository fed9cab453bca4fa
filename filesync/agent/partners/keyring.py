"""Which keys this site has, and which of its partners' it believes."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from filesync.agent.partners.trust import partner_of
from filesync.config import Config
from filesync.keys.age import recipient_of
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.streams import Exchange
from filesync.model.ids import parse_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a site on one exchange. A partner that changed its key has one of these for each."""

    site: str
    exchange: str  # empty for our own
    fingerprint: str  # of the key that signs
    recipient: str  # of the key that opens; empty where it is not known, or another took its place
    since: int  # the first bundle that it signs; 0: it signs from the first on
    until: int  # the last one; 0: it signs still
    revoked: int  # from this bundle on nothing signed with it is taken; 0: it is not revoked
    waits: bool  # what goes there is to be encrypted, and for whom is not known: exports wait for its pairing file
    believed: bool  # it stands in our allowed signers, under the site's name


def keyring(conn: sa.Connection, config: Config) -> list[Keys]:
    """Our own keys, then those of the partner of each exchange, oldest first. Raises KeyProblem, ConfigError."""
    signers = read_signers(config.keys.allowed_signers)
    allowed = {(one.principal, one.key.text()) for one in signers}
    own = [
        Keys(
            site=config.name,
            exchange="",
            fingerprint=one.key.fingerprint(),
            recipient=recipient_of(config.keys.age),
            since=0,
            until=0,
            revoked=0,
            waits=False,
            believed=True,
        )
        for one in signers[:1]
        if one.principal == config.name
    ]
    return own + [one for x in streams.exchanges(conn) if x.partner_key for one in _partners(conn, x, allowed)]


def _partners(conn: sa.Connection, x: Exchange, allowed: Container[tuple[str, str]]) -> Iterator[Keys]:
    keys = partner_of(conn, x).keys
    for one, following in zip(keys, (*keys[1:], None), strict=True):
        yield Keys(
            site=x.partner_name,
            exchange=x.name,
            fingerprint=PublicKey.parse(one.key).fingerprint(),
            recipient=x.partner_recipient if following is None else "",
            since=parse_mark(one.since)[1],
            until=parse_mark(following.since)[1] - 1 if following is not None else 0,
            revoked=parse_mark(one.revoked)[1] if one.revoked is not None else 0,
            waits=following is None and x.lacks_recipient,
            believed=(x.partner_name, one.key) in allowed,
        )
