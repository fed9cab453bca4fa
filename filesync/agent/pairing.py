"""Pairing: our file for the partner, and binding theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filesync.agent.site import Site
from filesync.bundle.write import NAMESPACE
from filesync.errors import PairingError
from filesync.keys import age
from filesync.keys.pairing import PairedGeneration, Pairing, six_words
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.ids import Generation, StreamId

_ID: Final = 16  # bytes of a stream id and of a generation id


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
) -> str:
    """Bind the partner's file to an exchange, made where it is new. Returns the six words. Raises PairingError, KeyProblem."""
    _check(site, theirs, encrypt=encrypt, direction=direction)
    with site.ledger.begin() as conn:
        x = _exchange(site, conn, exchange)
        if x.partner_site and (x.partner_site, x.in_stream) != (theirs.site, theirs.stream):
            raise PairingError(
                f"exchange {exchange!r} is paired with {x.partner_name} ({x.partner_site}) already",
                hint="one exchange has one partner: choose another --exchange NAME for this file",
            )
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
            words=words,
            in_stream=theirs.stream,
            in_generation=theirs.generation.n if not x.in_seq else x.in_generation.n,
            in_generation_id=theirs.generation.id if not x.in_seq else x.in_generation.id,
        )
        # inside the transaction: a key that is trusted without an exchange is harmless, an exchange without its key is not
        signer = AllowedSigner(theirs.name, PublicKey.parse(theirs.key), (NAMESPACE,))
        add_signer(site.config.keys.allowed_signers, signer)
    return words


def _check(site: Site, theirs: Pairing, *, encrypt: bool, direction: Direction) -> None:
    if theirs.site == site.config.site:
        raise PairingError("this is our own pairing file", hint="accept the one that the partner sent")
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
