"""Values of ours that cannot be told, and of these the edits that the pen forbids: nobody answers them, so people are shown."""

from __future__ import annotations

import msgspec

from filesync.agent.events import Met
from filesync.agent.met import UNSAID
from filesync.agent.naming import wordless
from filesync.agent.outgoing.departures import NotTold
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.ledger.journal import Conflict
from filesync.model.diff import TYPE
from filesync.model.ids import NEVER, Kind
from filesync.model.issue import Item
from filesync.model.moments import micros
from filesync.model.shadow import Entity
from filesync.rules.contract import is_us
from filesync.rules.mapping import Outward


def not_told(item: Item, outward: Outward, *, new: bool) -> list[NotTold]:
    """What stays here of an item. `new`: it was never told, so that of an issue without a type nothing is."""
    found = [NotTold(key=item.about.key, field=one.field, why=one.why) for one in outward.dropped]
    bars = [msgspec.structs.replace(one, whole=True) for one in found if new and one.field == TYPE]
    return bars or found


class Unsaid:
    """Finds the edits in what one exchange's export reads."""

    def __init__(self, site: Site, paired: Paired, record: Record) -> None:
        self._site, self._paired, self._record = site, paired, record

    def note(self, met: list[Conflict], item: Item, outward: Outward, row: Entity | None) -> None:
        """Add the fields of an issue that the partner alone may edit as it stands, and that were set here to what has no word.

        Each under the mark of what the two last said of the field: it is the same edit as long as nobody says more. What they
        never said anything of was not edited: the issue was made so.
        """
        us, them, rules = self._paired.us, self._paired.them, self._paired.rules
        if row is None or outward.withheld or not rules.penned:
            return
        for name in sorted({one.field for one in outward.dropped} & outward.untold & rules.penned):
            shadow, by = row.shadow(name), self._paired.course(Kind.ISSUE, name).by_value
            mark = max(shadow.told, shadow.took)
            if by is None or mark == NEVER or is_us(by.site(outward.fields.get(by.field)), us=us, them=them):
                continue
            one = Conflict(
                at=micros(self._site.clock()),
                mark=mark,
                gid=row.gid,
                key=item.about.key,
                field=name,
                ours=wordless(rules, item, name),
                theirs="",
                winner=them.name,
                rule=UNSAID,
            )
            met.append(one)
            self._record.add(Met(mark=mark, key=one.key, field=name, winner=one.winner, rule=one.rule))
