"""What the partner says of the contract, at its place in the stream."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from filesync import __version__
from filesync.agent.contract import propose
from filesync.agent.contract.switch import apply, complete, gave_way, say, theirs_waits, turn_of
from filesync.agent.events import Warned
from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.finish import finish
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import ContractDeclined, ContractProposed, ContractWithdrawn, NotAccepted
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.agreement import Agreement, Says
from filesync.bundle.verdict import shown
from filesync.config import ContractChanges
from filesync.errors import ConfigError
from filesync.ledger import proposals, streams
from filesync.ledger.proposals import OPEN, SWITCHING, WITHDRAWN, Proposal
from filesync.ledger.streams import Direction, State, Taken

_WHY = 200  # characters of the partner's words


def hear(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record, *, agent: str) -> bool:
    """Take it as said. `agent`: what made the bundle. Returns whether another contract is in force. Raises as `complete`."""
    match said.says:
        case Says.PROPOSED:
            _proposed(site, paired, taken, said, record, agent=agent)
            return False
        case Says.WITHDRAWN:
            _withdrawn(site, paired, taken, said, record)
            return False
        case Says.ACCEPTED | Says.DECLINED:
            return _answered(site, paired, taken, said, record)


def accepts(site: Site, paired: Paired, record: Record) -> bool:
    """Accept what the partner proposed, where that is done without asking and it can be read. Returns whether it was.

    What does not fit here waits for somebody, and every import says why, until it is mended. Raises as `complete`.
    """
    if site.config.contract_changes is ContractChanges.ASK:
        return False
    with site.ledger.begin() as conn:
        stands = streams.exchange_of(conn, paired.exchange.id).state is State.PAIRED  # not stopped by what came after it
        one = asks(conn, paired) if stands else None
    if one is None or one.unreadable:
        return False
    try:
        propose.accept(site, paired.exchange.name, record=record)
    except ConfigError as error:
        record.add(
            NotAccepted(partner=paired.them.name, version=one.version, problems=[*map(str, error.problems)], hint=error.hint)
        )
        return False
    return True


def asks(conn: sa.Connection, paired: Paired) -> ContractProposed | None:
    """What the partner proposed, where it waits for somebody here."""
    one = proposals.of(conn, paired.exchange.id)
    if one is None or one.ours or one.state != OPEN:
        return None
    if one.read_by != __version__:  # what one version cannot read, another one may
        one = propose.read(one)
        proposals.put(conn, paired.exchange.id, one)
    return theirs_waits(paired, one)


def _answered(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record) -> bool:
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        ours = proposals.of(conn, x.id)
        known = ours is not None and ours.ours and ours.digest == said.digest
        if ours is None or not known:
            apply(conn, site, x, taken.seq)
            record.add(Warned(what=f"{x.partner_name} answers a contract that is not proposed here; nothing comes of it"))
        elif said.says is Says.ACCEPTED:
            one = propose.ready(site, paired, ours)
            if differs := _told_otherwise(site, ours, one):
                record.add(Warned(what=_otherwise(x.partner_name, differs)))
            if ours.state == WITHDRAWN:
                record.add(ContractWithdrawn(partner=x.partner_name, version=ours.version, ours=True, late=True))
            origins = msgspec.json.encode(said.origins).decode()
            proposals.put(conn, x.id, replace(one, state=SWITCHING, seq=taken.seq, origins=origins))
        else:
            apply(conn, site, x, taken.seq)
            proposals.drop(conn, x.id)
            why = shown(said.message, limit=_WHY)
            if ours.state == WITHDRAWN:
                record.add(ContractWithdrawn(partner=x.partner_name, version=ours.version, ours=True))
            else:
                record.add(ContractDeclined(partner=x.partner_name, version=ours.version, ours=True, why=why))
        record.write(conn)
    record.done()
    site.step("C1")
    complete(site, paired.exchange.name, record)
    return known and said.says is Says.ACCEPTED


def _told_otherwise(site: Site, before: Proposal, now: Proposal) -> list[str]:
    """Fields of which the proposal said something else than is so with our mapping of today."""
    if before.mapping == now.mapping and before.mapping_before == now.mapping_before and before.before == now.before:
        return []
    told, are = turn_of(site, before).origins, turn_of(site, now).origins
    return sorted(name for name in told.keys() | are.keys() if told.get(name) != are.get(name))


def _otherwise(partner: str, fields: list[str]) -> str:
    return (
        f"our mapping was changed since the contract was proposed: {partner} takes {', '.join(fields)} for other fields than "
        f"they are here now. Ask it to tell them again: filesync resync --fields {','.join(fields)}"
    )


def _withdrawn(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record) -> None:
    """One that nobody decided on is over, and the partner hears so; else it has had, or will have, our answer."""
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        theirs = proposals.of(conn, x.id)
        apply(conn, site, x, taken.seq)
        over = theirs is not None and not theirs.ours and theirs.state == OPEN and theirs.digest == said.digest
        late = not over and paired.rules.contract.digest == said.digest
        if over or late:
            why = shown(said.message, limit=_WHY)
            withdrawn = ContractWithdrawn(partner=x.partner_name, version=said.version, ours=False, late=late, why=why)
            record.add(withdrawn)
        if over and theirs is not None:
            _say_no(conn, site, paired, said, message="withdrawn")
            proposals.drop(conn, x.id)
            gave_way(theirs, x.partner_name, record)
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    record.done()
    site.step("C1")
    if over and x.direction is not Direction.RECEIVE:
        clear_spool(site.spool(x))
        finish(site, x, record)


def _say_no(conn: sa.Connection, site: Site, paired: Paired, to: Agreement, *, message: str) -> None:
    x = streams.exchange_of(conn, paired.exchange.id)
    if x.direction is not Direction.RECEIVE:
        say(conn, site, x, Agreement(n=1, says=Says.DECLINED, version=to.version, digest=to.digest, message=message))


def _proposed(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record, *, agent: str) -> None:
    """It waits until somebody decides, what cannot be read, too; nothing that was made under it is applied until then."""
    theirs = propose.proposed(site, paired, said, agent=agent)
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        apply(conn, site, x, taken.seq)
        before = proposals.of(conn, x.id)
        # where both proposed at once, that of the site whose name sorts first goes on, at both
        stays = before is not None and before.ours and (paired.us.name, paired.us.id) < (paired.them.name, paired.them.id)
        if stays:
            record.add(ContractDeclined(partner=x.partner_name, version=theirs.version, ours=False, why="ours came first"))
        else:
            if before is not None and before.ours and before.state == OPEN:
                theirs = replace(theirs, instead_of=before.version)
            if x.direction is Direction.RECEIVE and before is not None and before.origins is not None:
                theirs = replace(theirs, origins=_since(before.origins, said.origins))
            proposals.put(conn, x.id, replace(theirs, seq=taken.seq))
        record.write(conn)
    record.done()
    site.step("C1")


def _since(before: str, now: Mapping[str, str]) -> str:
    """The origins of a proposal in the contract in force here, where the sender was under another one that nobody accepted."""
    first = msgspec.json.decode(before, type=dict[str, str])
    return msgspec.json.encode({name: first.get(origin, "") for name, origin in now.items()}).decode()
