"""Telling once more what was told: after a mapping was changed, or where the two sides are known to differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice
from typing import Final

from msgspec.structs import replace

from filesync.agent.contract.switch import at_work
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import ToldAgain
from filesync.agent.progress import Doing
from filesync.agent.site import Site
from filesync.errors import NotHere, PairingError
from filesync.ledger import by_hand, shadows
from filesync.ledger.shadows import LAST
from filesync.ledger.streams import Direction
from filesync.model.by_hand import Hand
from filesync.model.ids import Kind
from filesync.model.links import LINK
from filesync.model.shadow import UNAGREED, Entity, Shadow
from filesync.model.values import FieldKind, split_name
from filesync.settings import did_you_mean, quoted

_CHUNK: Final = 500  # issues


def resync(site: Site, name: str, *, query: str, fields: Collection[str], status: bool) -> int:
    """Have the next export tell fields of issues once more, whatever is agreed on them, after it has told all edits.

    `query`: which issues, in the tracker's own language, of those in scope that the partner knows; "": all. `fields`: the
    contract's names; none: all but the status, which `status` adds. Asking again for what is not told yet changes nothing.
    Returns how many issues it is. Raises NotHere (no such field), Unavailable, Rejected (the query), PairingError.
    """
    paired = at_work(site, name)
    if paired.exchange.direction is Direction.RECEIVE:
        raise PairingError(f"exchange {name!r} only receives", hint="Ask the partner to run filesync resync.")
    wanted = _wanted(paired, fields, status=status)
    record = site.record(name)
    found = 0
    said = _by_hand(site, paired)
    started = [] if query else [local for local, hand in said.items() if hand is Hand.STARTED]
    # of one that is stopped nothing is told: counted as our edits, its fields would win over what waits for it
    left_out = {*started, *(local for local, hand in said.items() if hand is Hand.STOPPED)}
    selected = chain(started, (one for one in site.tracker.select(query) if one not in left_out))
    while page := list(islice(selected, _CHUNK)):
        with site.ledger.begin() as conn:
            rows = shadows.issues(conn, paired.exchange.id, page)
            shadows.save(conn, paired.exchange.id, [_unagreed(paired, row, wanted) for row in rows])
            shadows.add_revisits(conn, paired.exchange.id, [(row.local, LAST) for row in rows if row.local is not None])
        found += len(rows)
        site.progress(Doing.LOOKING, found, None)
    record.add(ToldAgain(partner=paired.them.name, issues=found, fields=sorted(wanted) if fields else [], status=status))
    with site.ledger.begin() as conn:
        record.write(conn)
    record.done()
    return found


def _by_hand(site: Site, paired: Paired) -> dict[str, Hand]:
    """What a person said of issues, by their local ids."""
    with site.ledger.begin() as conn:
        said = by_hand.said(conn, paired.exchange.id).values()
    return {one.local: one.hand for one in said}


def _wanted(paired: Paired, fields: Collection[str], *, status: bool) -> frozenset[str]:
    known = {*paired.rules.contract.fields, LINK}
    strange = [
        f"the contract has no field {quoted(one)}{did_you_mean(one, known)}" for one in sorted(fields) if one not in known
    ]
    if strange:
        raise NotHere("; ".join(strange), hint="Nothing was changed.")
    named = frozenset(fields or known - {FieldKind.STATUS})
    return named | {FieldKind.STATUS.value} if status else named


def _unagreed(paired: Paired, row: Entity, wanted: Collection[str]) -> Entity:
    """The row without what was agreed on these fields, those that we tell."""
    return row.with_shadows(dict(_shadows(paired, row, wanted)))


def _shadows(paired: Paired, row: Entity, wanted: Collection[str]) -> Iterator[tuple[str, Shadow]]:
    for name, shadow in row.fields.items():
        if split_name(name)[0] in wanted and paired.tells(Kind.ISSUE, name, new=False):
            yield name, replace(shadow, here=UNAGREED)
