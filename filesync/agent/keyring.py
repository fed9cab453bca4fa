"""Which keys this site has, and which of its partners' it believes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from filesync.config import Config
from filesync.keys.age import recipient_of
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a site. Partners' keys hold from the first bundle of their stream on."""

    site: str
    exchange: str  # empty for our own
    fingerprint: str  # of the key that signs
    recipient: str  # of the key that opens; empty where it is not known
    believed: bool  # it stands in our allowed signers, under the site's name


def keyring(conn: sa.Connection, config: Config) -> list[Keys]:
    """Our own keys, then those of the partner of each exchange. Raises KeyProblem, ConfigError."""
    signers = read_signers(config.keys.allowed_signers)
    allowed = {(one.principal, one.key.text()) for one in signers}
    own = [
        Keys(
            site=config.name,
            exchange="",
            fingerprint=one.key.fingerprint(),
            recipient=recipient_of(config.keys.age),
            believed=True,
        )
        for one in signers[:1]
        if one.principal == config.name
    ]
    return own + [
        Keys(
            site=x.partner_name,
            exchange=x.name,
            fingerprint=PublicKey.parse(x.partner_key).fingerprint(),
            recipient=x.partner_recipient,
            believed=(x.partner_name, x.partner_key) in allowed,
        )
        for x in streams.exchanges(conn)
        if x.partner_key
    ]
