"""New keys of ours, and how partners hear of them: a numbered bundle of kind `keys`, signed with the key before.

What was numbered before is signed with the key before, whenever it is built; every step can be the last one of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.finish import finish
from filesync.agent.outgoing.number import freeze, next_heading
from filesync.agent.partners import key_files
from filesync.agent.partners.agreements import KeyRotated
from filesync.agent.site import Site
from filesync.bundle.changes import compress
from filesync.bundle.header import BundleKind
from filesync.bundle.introduction import Introduction, encode_introduction
from filesync.bundle.write import changes_file, pack
from filesync.errors import FilesyncError, StorageFailure
from filesync.keys import age
from filesync.keys.sshsig import PublicKey
from filesync.ledger import streams
from filesync.ledger.stream_keys import begin_key, key_at, stream_keys
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.ids import Mark, make_mark, parse_mark

_TURNING = "age key"  # the site's fact: the recipient before, while partners are not told of the one after


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What came of it. `by_hand`: exchanges on which nothing can be said, so a person does.

    `later`: exchanges whose bundle goes out with a later export, each with why.
    """

    fingerprint: str
    recipient: str
    since: dict[str, int]  # by exchange, the first number that the new key signs
    by_hand: tuple[str, ...]
    later: dict[str, str]


def rotate_signing(site: Site, *, public: Path | None = None, stolen: bool = False) -> Rotated:
    """Sign with a new key from the next number of every stream on. Raises KeyProblem, ConfigError, DiskProblem.

    `public`: the file with its public half, where a command signs. `stolen`: no bundle says so, for whoever has the key
    before could sign one as well; partners revoke it by hand.
    """
    new = key_files.next_key(site.config, public)
    site.step("R1")
    if new != site.signer().public:  # else an attempt was cut off after this
        _turn(site, new, stolen=stolen)
    site.step("R2")
    with site.ledger.begin() as conn:
        keys = {x.name: stream_keys(conn, x.id, ours=True) for x in _sending(conn)}
    since = {name: parse_mark(of[-1].since)[1] for name, of in keys.items() if of}
    later = _settled(site)
    return Rotated(
        fingerprint=new.fingerprint(),
        recipient="",
        since=since,
        by_hand=tuple(since) if stolen else _offered(site),
        later=later,
    )


def _turn(site: Site, new: PublicKey, *, stolen: bool) -> None:
    """One transaction: the new key's numbers, and the bundles that introduce it, unless it may not be said that way."""
    before, record = site.signer().public, site.record("-")
    with site.ledger.begin() as conn:
        for x in _sending(conn):
            if not stream_keys(conn, x.id, ours=True):
                begin_key(conn, x.id, ours=True, since=_place(x, 1), key=before.text())
            told = 0 if stolen else _number(conn, site, x, Introduction(n=1, key=new.text()))
            first = (told or x.out_seq) + 1
            begin_key(conn, x.id, ours=True, since=_place(x, first), key=new.text())
            fingerprint = new.fingerprint()
            record.add(KeyRotated(partner=x.partner_name, seq=told, since=first, fingerprint=fingerprint, recipient=""))
        streams.set_site_fact(conn, key_files.SIGNING, new.text())
        if site.config.keys.signing is None:
            streams.set_site_fact(conn, key_files.TURNED, new.text())
        record.write(conn)
    record.done()


def rotate_age(site: Site) -> Rotated:
    """Open with a new key what comes from now on; what was encrypted for the one before is opened with that.

    Raises KeyProblem, ConfigError, DiskProblem.
    """
    path = site.config.keys.age
    with site.ledger.begin() as conn:
        before = streams.site_fact(conn, _TURNING)
        if before is None:  # else an attempt was cut off
            before = age.recipient_of(path)
            streams.set_site_fact(conn, _TURNING, before)
    site.step("R1")
    if age.recipient_of(path) == before:
        age.turn_identity(path)
    site.step("R2")
    recipient, record = age.recipient_of(path), site.record("-")
    with site.ledger.begin() as conn:
        for x in _sending(conn):
            signs = key_at(stream_keys(conn, x.id, ours=True), _place(x, x.out_seq + 1))
            key = signs.key if signs is not None else site.signer().public.text()
            told = _number(conn, site, x, Introduction(n=1, key=key, recipient=recipient))
            record.add(KeyRotated(partner=x.partner_name, seq=told, since=told + 1, fingerprint="", recipient=recipient))
        streams.drop_site_fact(conn, _TURNING)
        record.write(conn)
        mute = [x.name for x in streams.exchanges(conn) if x.direction is Direction.RECEIVE]
    record.done()
    later = _settled(site)
    return Rotated(fingerprint="", recipient=recipient, since={}, by_hand=(*mute, *_offered(site)), later=later)


def _sending(conn: sa.Connection) -> list[Exchange]:
    """Those on which a bundle can say it; one that stands still says it when it goes on."""
    return [x for x in streams.exchanges(conn) if x.state is not State.OFFERED and x.direction is not Direction.RECEIVE]


def _offered(site: Site) -> tuple[str, ...]:
    """Exchanges whose partner may have our pairing file of before, and has not sent its own."""
    with site.ledger.begin() as conn:
        return tuple(x.name for x in streams.exchanges(conn) if x.state is State.OFFERED)


def _place(x: Exchange, seq: int) -> Mark:
    return make_mark(x.out_generation.n, seq, 0)


def _number(conn: sa.Connection, site: Site, x: Exchange, says: Introduction) -> int:
    """Give the bundle that says it the next number, and freeze it. Returns the number."""
    now = site.clock()
    packed = compress([encode_introduction(says)], level=site.config.limits.level)
    header = next_heading(conn, site, x, BundleKind.KEYS, now=now, contract="", counts={"key": 1})
    freeze(conn, x, pack(header, [changes_file(packed)]), packed, changes=1, now=now)
    return header.seq


def _settled(site: Site) -> dict[str, str]:
    """Key files in their places, and every bundle that says it in its outbox, as far as that goes now."""
    with site.ledger.begin() as conn:
        key_files.settle(conn, site.config)
        there = _sending(conn)
    site.step("R3")
    later = {}
    for x in there:
        clear_spool(site.spool(x))
        record = site.record(x.name)
        try:
            if x.state is State.PAIRED:
                finish(site, x, record)
            else:
                later[x.name] = f"it is {x.state}"
        except StorageFailure:
            raise
        except FilesyncError as error:
            later[x.name] = str(error)
    with site.ledger.begin() as conn:
        key_files.settle(conn, site.config)
    return later
