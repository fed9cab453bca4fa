"""What the partner says of the contract, at its place in the stream."""

from __future__ import annotations

from msgspec.structs import replace

from filesync.agent.contract import propose
from filesync.agent.contract.switch import apply, complete
from filesync.agent.events import Warned
from filesync.agent.partners.agreements import ContractDeclined, ContractProposed
from filesync.agent.record import Record
from filesync.agent.site import Paired, Site
from filesync.bundle.agreement import Agreement, Says
from filesync.bundle.verdict import Code, bad, shown
from filesync.config import ContractChanges
from filesync.errors import ConfigError
from filesync.ledger import proposals, streams
from filesync.ledger.proposals import SWITCHING
from filesync.ledger.streams import Taken

_WHY = 200  # characters of the partner's words


def hear(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record) -> bool:
    """Take it as said. Returns False where the stream waits for a person. Raises BadBundle, and as `complete`."""
    if said.says is Says.PROPOSED:
        return _proposed(site, paired, taken, said, record)
    name = paired.exchange.name
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        ours = proposals.of(conn, x.id)
        if ours is None or not ours.ours or ours.digest != said.digest:
            apply(conn, site, x, taken.seq)
            record.add(Warned(what=f"{x.partner_name} answers a contract that is not proposed here; nothing comes of it"))
        elif said.says is Says.ACCEPTED:
            proposals.put(conn, x.id, replace(propose.ready(site, paired, ours), state=SWITCHING, seq=taken.seq))
        else:
            apply(conn, site, x, taken.seq)
            proposals.drop(conn, x.id)
            why = shown(said.message, limit=_WHY)
            record.add(ContractDeclined(partner=x.partner_name, version=ours.version, ours=True, why=why))
        record.write(conn)
    record.done()
    site.step("C1")
    complete(site, name, record)
    return True


def _proposed(site: Site, paired: Paired, taken: Taken, said: Agreement, record: Record) -> bool:
    """It waits for a person; where contracts are accepted without asking, it is accepted."""
    name = paired.exchange.name
    try:
        propose.check(said, proposer=paired.them.name)
    except ConfigError as error:
        raise bad(Code.BAD_SCHEMA, "the contract", str(error), hint=error.hint) from error
    theirs = propose.proposed(site, paired, said, seq=taken.seq)
    asks = site.config.contract_changes is ContractChanges.ASK
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        before = proposals.of(conn, x.id)
        # where both proposed at once, that of the site whose name sorts first goes on, at both
        stays = before is not None and before.ours and (paired.us.name, paired.us.id) < (paired.them.name, paired.them.id)
        if stays:
            apply(conn, site, x, taken.seq)
            record.add(ContractDeclined(partner=x.partner_name, version=theirs.version, ours=False, why="ours came first"))
        elif before is None or before.ours:
            proposals.put(conn, x.id, theirs)
        if asks and not stays:
            record.add(ContractProposed(partner=x.partner_name, version=theirs.version, ours=False))
        record.write(conn)
    record.done()
    if not asks and not stays:
        propose.accept(site, name, record=record)
    return stays or not asks
