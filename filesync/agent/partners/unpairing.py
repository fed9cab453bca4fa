"""How an exchange ends: what that takes away, what stays, and that what the partner still sends is no riddle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from filesync.agent.mailing.remembered import rows_go
from filesync.agent.partners.agreements import ExchangeEnded
from filesync.agent.partners.trust import partner_of
from filesync.agent.site import Site
from filesync.errors import disk_problem
from filesync.keys.signers import AllowedSigner, take_out
from filesync.keys.sshsig import PublicKey
from filesync.ledger import endings, journal, streams
from filesync.ledger.streams import Exchange
from filesync.model.moments import micros
from filesync.model.shadow import Life


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What an end takes away. Nothing of it is in doubt: it is counted before, and again while it is done."""

    unacknowledged: int  # bundles that were made, and of which the partner has not said that it applied them
    outbox: tuple[Path, ...]  # files that the carrier has not fetched
    held: int  # the partner's bundles that are here and not applied
    undecided: int  # changes of the partner's that wait or are stuck
    live: int  # issues and comments that are the same here and there
    over: int  # of which it is known that they were deleted, or kept apart
    key_out: bool  # no other exchange believes the partner's key


def ending(site: Site, x: Exchange) -> Ending:
    """What ending this exchange would take away. Nothing is changed. Raises DiskProblem."""
    with site.ledger.begin() as conn:
        return _ending(conn, site, x)


def unpair(site: Site, x: Exchange) -> Ending:
    """End it. The archive, the store and the journal keep what they have; `prune` knows when that is old.

    The outbox is cleared before the ledger forgets: a run that is cut off leaves an exchange that can be ended again.
    Raises DiskProblem, ConfigError.
    """
    record = site.record(x.name)
    with site.ledger.begin() as conn:
        found = _ending(conn, site, x)
    for path in found.outbox:
        try:
            path.unlink(missing_ok=True)  # the carrier may have taken it just now
        except OSError as error:
            raise disk_problem(error, path, doing="remove") from error
    site.step("outbox cleared")
    with site.ledger.begin() as conn:
        gone = _signers(conn, x)
        endings.end(conn, x, at=micros(site.clock()))
        rows_go(conn)
        record.add(ExchangeEnded(name=x.name, partner=x.partner_name or "nobody", undelivered=found.unacknowledged))
        record.write(conn)
        # inside: a key that is believed without an exchange is harmless, and the next attempt takes it out
        if gone:
            take_out(site.config.keys.allowed_signers, gone)
    record.done()
    return found


def _ending(conn: sa.Connection, site: Site, x: Exchange) -> Ending:
    lives = endings.count_entities(conn, x)
    return Ending(
        unacknowledged=x.out_seq - x.acked_seq,
        outbox=_waiting(site.outbox(x), x),
        held=len(streams.held(conn, x.id)),
        undecided=sum(journal.count_queued(conn, x.id).values()),
        live=lives.get(Life.LIVE, 0),
        over=sum(lives.values()) - lives.get(Life.LIVE, 0),
        key_out=bool(_signers(conn, x)),
    )


def _waiting(folder: Path, x: Exchange) -> tuple[Path, ...]:
    """Our files for this partner that nobody fetched."""
    try:
        return tuple(sorted(folder.glob(f"fs1_{x.out_stream[:8]}_*")))
    except OSError as error:
        raise disk_problem(error, folder, doing="read") from error


def _signers(conn: sa.Connection, x: Exchange) -> list[AllowedSigner]:
    """Those that are believed for the sake of this exchange alone."""
    if not x.partner_key:
        return []
    partners = [(one.id == x.id, partner_of(conn, one)) for one in streams.exchanges(conn) if one.partner_key]
    others = {(partner.name, one.key) for ended, partner in partners if not ended for one in partner.keys}
    here = {one.key for ended, partner in partners if ended for one in partner.keys}
    return [AllowedSigner(x.partner_name, PublicKey.parse(key)) for key in sorted(here) if (x.partner_name, key) not in others]
