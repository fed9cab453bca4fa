"""A bundle of kind `keys`: which key of the partner's signs from the next bundle on, and which one opens."""

from __future__ import annotations

from filesync.agent.partners.agreements import KeyIntroduced
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.introduction import Introduction
from filesync.bundle.write import NAMESPACE
from filesync.keys import age
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.stream_keys import begin_key, stream_keys
from filesync.ledger.streams import Exchange, Taken
from filesync.model.ids import make_mark
from filesync.model.moments import micros


def learn(site: Site, x: Exchange, taken: Taken, said: Introduction, record: Record) -> None:
    """Believe it from the next bundle on; the bundle is applied with that. Raises KeyProblem, ConfigError, DiskProblem.

    The line before stays among the allowed signers: what its key signed until now is good.
    """
    key = PublicKey.parse(said.key)
    recipient = age.parse_recipient(said.recipient) if said.recipient is not None else None
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, x.id)
        other = key.text() != x.partner_key
        if other:
            if not stream_keys(conn, x.id, ours=False):
                begin_key(conn, x.id, ours=False, since=make_mark(0, 0, 0), key=x.partner_key)
            begin_key(conn, x.id, ours=False, since=make_mark(taken.generation, taken.seq + 1, 0), key=key.text())
        now = micros(site.clock())
        streams.update_taken(conn, x.id, taken, state="applied", decided=b"", changes=1, applied=now)
        streams.update_exchange(
            conn,
            x.id,
            in_seq=taken.seq,
            in_id=taken.id,
            partner_key=key.text(),
        )
        if recipient is not None and recipient != x.partner_recipient:
            since = make_mark(taken.generation, taken.seq, 0)  # so that it goes when this bundle is revoked
            streams.update_exchange(conn, x.id, partner_recipient=recipient, recipient_since=since)
        record.add(
            KeyIntroduced(
                partner=x.partner_name,
                seq=taken.seq,
                fingerprint=key.fingerprint() if other else "",
                recipient=recipient or "",
            )
        )
        record.write(conn)
        # inside: a key that is believed without the bundle is harmless, the bundle without its key is not
        add_signer(site.config.keys.allowed_signers, AllowedSigner(x.partner_name, key, (NAMESPACE,)))
    record.done()
    site.step("I13")
