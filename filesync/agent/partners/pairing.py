"""Pairing: our file for the partner, and binding theirs.

A key that is bound decides whom we believe. So on an exchange that something was taken from it is replaced only where a
person says so; before that a file accepted by mistake gives way to the right one, and its key goes out of the signers' file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filesync.agent.events import Warned
from filesync.agent.own_folders import check_own_folders, make_own_folders
from filesync.agent.site import Site
from filesync.bundle.write import NAMESPACE
from filesync.errors import PairingError
from filesync.keys import age
from filesync.keys.pairing import PairedGeneration, Pairing, six_words
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.stream_keys import begin_key, drop_keys_from, forget_keys, last_revocation, stream_keys
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.ids import Generation, StreamId

_ID: Final = 16  # bytes of a stream id and of a generation id


@dataclass(frozen=True, slots=True)
class Bound:
    """What came of accepting a file. `instead`: what differs from the file before ("key", "name", …).

    `key_out`: the key before is not believed any more.
    """

    words: str
    instead: tuple[str, ...]
    key_out: bool


def offer(site: Site, name: str) -> Pairing:
    """Our pairing file for an exchange, which is made with our outgoing stream where it is new. Raises KeyProblem."""
    with site.ledger.begin() as conn:
        x = _exchange(site, conn, name)
    return _ours(site, x)


def accept(
    site: Site,
    theirs: Pairing,
    *,
    exchange: str,
    encrypt: bool,
    direction: Direction,
    outbox: Path | None,
    inbox: Path | None,
    replace_key: bool = False,
) -> Bound:
    """Bind the partner's file to an exchange, made where it is new.

    `replace_key`: a person says that another key, recipient or name than the bound one is right. Raises PairingError,
    ConfigError (folders that lie in one another or are not there), DiskProblem, KeyProblem.
    """
    _check(site, theirs, encrypt=encrypt, direction=direction)
    record = site.record(exchange)
    with site.ledger.begin() as conn:
        check_own_folders(conn, site.config, exchange=exchange, outbox=outbox, inbox=inbox)
        x = _exchange(site, conn, exchange)
        instead = _instead(conn, x, theirs, replace_key=replace_key)
        make_own_folders(site.config, outbox=outbox, inbox=inbox)
        words = six_words(_ours(site, x), theirs)
        streams.update_exchange(
            conn,
            x.id,
            state=State.PAIRED if x.state is State.OFFERED else x.state,
            direction=direction,
            encrypt=encrypt,
            outbox=str(outbox.absolute()) if outbox is not None else "",
            inbox=str(inbox.absolute()) if inbox is not None else "",
            partner_site=theirs.site,
            partner_name=theirs.name,
            partner_key=theirs.key,
            partner_recipient=theirs.recipient or "",
            recipient_since="",
            words=words,
            in_stream=theirs.stream,
            in_generation=theirs.generation.n if not x.in_seq else x.in_generation.n,
            in_generation_id=theirs.generation.id if not x.in_seq else x.in_generation.id,
        )
        streams.set_site_fact(conn, _since(x), site.clock().strftime("%Y-%m-%d"))
        if instead:
            what = f"{theirs.name}: another {' and '.join(instead)} than before was accepted on exchange {exchange!r}"
            key = f"Its key is now {PublicKey.parse(theirs.key).fingerprint()}"
            record.add(Warned(what=f"{what}. This file takes the place of the one before. {key}."))
        record.write(conn)
        # inside the transaction: a key that is trusted without an exchange is harmless, an exchange without its key is not
        signer = AllowedSigner(theirs.name, PublicKey.parse(theirs.key), (NAMESPACE,))
        old = None if _follows_a_revoked_one(conn, x, theirs.key) else _old_signer(conn, x)
        add_signer(site.config.keys.allowed_signers, signer, instead_of=old)
    record.done()
    return Bound(words, instead, key_out=old is not None)


def _since(x: Exchange) -> str:
    return f"paired {x.id}"


def _instead(conn: sa.Connection, x: Exchange, theirs: Pairing, *, replace_key: bool) -> tuple[str, ...]:
    """What the file would take the place of. Raises PairingError where it may not."""
    if not x.partner_site:
        return ()
    unused = not x.in_seq and not x.in_last_seen  # nothing of the partner's was ever taken
    other = (x.partner_site, x.in_stream) != (theirs.site, theirs.stream)
    if other and (x.out_seq or not unused):
        raise PairingError(
            f"exchange {x.name!r} is paired with {x.partner_name} ({x.partner_site}) already",
            hint="one exchange has one partner: choose another --exchange NAME for this file; where it takes the place of what "
            f"was agreed before, end that first: filesync unpair {x.name}",
        )
    pairs = {
        "stream": (x.in_stream, theirs.stream),
        "site": (x.partner_site, theirs.site),
        "name": (x.partner_name, theirs.name),
        "key": (x.partner_key, theirs.key),
        "recipient": (x.partner_recipient, theirs.recipient or ""),
    }
    instead = tuple(name for name, (before, after) in pairs.items() if before != after)
    if instead and not unused and not replace_key:
        since = streams.site_fact(conn, _since(x))
        raise PairingError(
            f"{x.partner_name}'s {' and '.join(instead)} in this file {'differ' if len(instead) > 1 else 'differs'} "
            f"from the one paired{f' on {since}' if since else ''}. Nothing was changed, and the exchange goes on as it was",
            hint=f"ask {x.partner_name} by phone whether it changed that. If it is right: the same command with --replace-key, "
            "and compare the six words again",
        )
    return instead


def _follows_a_revoked_one(conn: sa.Connection, x: Exchange, key: str) -> bool:
    """Whether the key takes over where the one before was revoked; else what was known of keys before it is forgotten."""
    keys = stream_keys(conn, x.id, ours=False)
    if not keys or key == x.partner_key:
        return bool(keys)
    if keys[-1].revoked is not None:
        since = last_revocation(keys)
        drop_keys_from(conn, x.id, since)
        begin_key(conn, x.id, ours=False, since=since, key=key)
        return True
    forget_keys(conn, x.id)
    return False


def _old_signer(conn: sa.Connection, x: Exchange) -> AllowedSigner | None:
    """The signer that the exchange was bound to, where no other exchange goes by it."""
    others = {(one.partner_name, one.partner_key) for one in streams.exchanges(conn) if one.id != x.id}
    now = streams.exchange_of(conn, x.id)
    kept = others | {(now.partner_name, now.partner_key)}
    if not x.partner_key or (x.partner_name, x.partner_key) in kept:
        return None
    return AllowedSigner(x.partner_name, PublicKey.parse(x.partner_key))


def _check(site: Site, theirs: Pairing, *, encrypt: bool, direction: Direction) -> None:
    if theirs.site == site.config.site:
        raise PairingError("this is our own pairing file", hint="accept the one that the partner sent")
    if theirs.name == site.config.name:
        raise PairingError(
            f"the partner calls itself {theirs.name}, as we do: who wins, and who signed, could not be told",
            hint="one of the two makes its site again under another name (filesync init DIR --name NAME) and sends a new file",
        )
    if PublicKey.parse(theirs.key) == site.signer().public:
        raise PairingError(
            f"the pairing file of {theirs.name} has our own key in it: who signed could not be told",
            hint=f"every site has a key of its own, made by `filesync init`: was {theirs.name} made by copying this site?",
        )
    if theirs.to is not None and theirs.to != site.config.site:
        raise PairingError(
            f"this pairing file of {theirs.name} is for another site, {theirs.to}; we are {site.config.site}",
            hint=f"ask {theirs.name} for the file it exported for you; one file belongs to one partner",
        )
    if encrypt and direction is not Direction.RECEIVE and not theirs.recipient:
        raise PairingError(
            f"{theirs.name} has no age recipient in its file, so nothing can be encrypted for it",
            hint="ask for one; or accept with --no-encrypt: bundles are then signed, but anyone on the way can read them",
        )


def _exchange(site: Site, conn: sa.Connection, name: str) -> Exchange:
    """The exchange of this name, made with our outgoing stream where it is new."""
    known = streams.exchange_named(conn, name)
    if known is not None:
        return known
    stream, generation = StreamId(site.random(_ID)), Generation(1, site.random(_ID))
    return streams.add_exchange(conn, name, stream=stream, generation=generation)


def _ours(site: Site, x: Exchange) -> Pairing:
    return Pairing(
        site=site.config.site,
        name=site.config.name,
        stream=x.out_stream,
        generation=PairedGeneration(x.out_generation.n, x.out_generation.id),
        key=site.signer().public.text(),
        recipient=age.recipient_of(site.config.keys.age),
        to=x.partner_site or None,
    )
