"""A partner's key that is in other hands: from a number on, which the partner names, nothing signed with it is taken."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from filesync.agent.contract.switch import gave_way, say
from filesync.agent.partners.agreements import KeyRevoked
from filesync.agent.site import Site
from filesync.bundle.agreement import Agreement, Says
from filesync.bundle.verdict import Code
from filesync.errors import PairingError
from filesync.exchange import files
from filesync.keys.sshsig import PublicKey
from filesync.ledger import journal, proposals, shadows, streams
from filesync.ledger.proposals import Proposal
from filesync.ledger.stream_keys import begin_key, drop_taken, revoke_keys, stream_keys
from filesync.ledger.streams import Direction, Exchange, Taken
from filesync.model.ids import make_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """What a revocation came to, by numbers."""

    fingerprint: str
    refused: tuple[int, ...]  # were held
    applied: tuple[int, ...]  # it came too late for these
    partly: tuple[int, ...]  # of the refused, those that an import had begun with: some of it may be applied
    undecided: int  # changes of what was applied that waited or were stuck, and are dropped
    recipient: str  # what one of these made us encrypt for, and is forgotten; empty: none did


def revoke(site: Site, x: Exchange, from_seq: int) -> Revoked:
    """Take nothing of this partner's from this number on until it has a new key here. What is held of that is refused.

    A recipient that came with it is forgotten: nothing is encrypted for anybody until the partner's pairing file is
    accepted. Raises PairingError, DiskProblem.
    """
    if not x.partner_key:
        raise PairingError(
            f"exchange {x.name!r} is not paired, so no key of a partner's is believed on it", hint="see: filesync keys list"
        )
    record, key = site.record(x.name), PublicKey.parse(x.partner_key)
    with site.ledger.begin() as conn:
        held = [one for one in streams.held(conn, x.id) if one.seq >= from_seq and one.generation == x.in_generation.n]
    for one in held:
        _keep(site, x, one)  # first: nothing is out of the store before it is in quarantine
    site.step("refused kept")
    with site.ledger.begin() as conn:
        if not stream_keys(conn, x.id, ours=False):
            begin_key(conn, x.id, ours=False, since=make_mark(0, 0, 0), key=x.partner_key)
        place = make_mark(x.in_generation.n, from_seq, 0)
        revoke_keys(conn, x.id, place=place)
        x = streams.exchange_of(conn, x.id)
        recipient = x.partner_recipient if x.recipient_since >= place else ""
        in_doubt = bool(shadows.doubts(conn, x.id))  # a run was cut off between asking the tracker and writing down its answer
        waiting = [mark for mark in journal.queued_marks(conn, x.id) if mark >= place]
        journal.drop_queued(conn, x.id, waiting)
        if recipient:
            streams.update_exchange(conn, x.id, partner_recipient="", recipient_since="")
        proposed = proposals.of(conn, x.id)
        if proposed is not None and not proposed.ours and proposed.state == proposals.OPEN and proposed.seq >= from_seq:
            _decline(conn, site, streams.exchange_of(conn, x.id), proposed)
            gave_way(proposed, x.partner_name, record)
        for one in held:
            drop_taken(conn, x.id, generation=one.generation, seq=one.seq)
        done = Revoked(
            fingerprint=key.fingerprint(),
            refused=tuple(one.seq for one in held),
            applied=tuple(range(from_seq, x.in_seq + 1)),
            partly=tuple(one.seq for one in held if any(one.decided) or (one.seq == x.in_seq + 1 and in_doubt)),
            undecided=len(waiting),
            recipient=recipient,
        )
        record.add(
            KeyRevoked(
                partner=x.partner_name,
                exchange=x.name,
                fingerprint=done.fingerprint,
                since=from_seq,
                refused=list(done.refused),
                applied=list(done.applied),
                partly=done.partly,
                undecided=done.undecided,
                recipient=done.recipient,
            )
        )
        record.write(conn)
    record.done()
    for one in held:
        files.drop(site.config.folders.store / one.file)
    return done


def _decline(conn: sa.Connection, site: Site, x: Exchange, proposed: Proposal) -> None:
    """Nobody may accept what the key's thief may have proposed. If it was the partner, it waits for an answer."""
    proposals.drop(conn, x.id)
    if x.direction is not Direction.RECEIVE:
        why = "the key that signed it is revoked"
        say(conn, site, x, Agreement(n=1, says=Says.DECLINED, version=proposed.version, digest=proposed.digest, message=why))


def _keep(site: Site, x: Exchange, one: Taken) -> None:
    """A copy in quarantine, as of a file that was refused when it came."""
    path = site.config.folders.store / one.file
    if not path.exists():
        return
    target = site.config.folders.quarantine / f"{files.hash_file(path).sha256[:16]}.bundle"
    why = f"{Code.BAD_SIGNATURE}: signed with a key of {x.partner_name}'s that was revoked while bundle {one.seq} was held"
    text = f"{one.arrived_as}\n{site.clock().isoformat(timespec='seconds')}\n{why}\n"
    files.write_whole(target.with_suffix(".txt"), [text.encode()])
    files.keep(path, target)
