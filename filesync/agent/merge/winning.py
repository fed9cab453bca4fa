"""Who wins the fields of one issue as it stands: always the same side, or whom the value of another field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from filesync.agent.merge.plan import Meeting
from filesync.agent.merge.view import Shown
from filesync.agent.paired import Paired
from filesync.model.change import Change, Create, Set, Told
from filesync.model.shadow import Shadow
from filesync.model.values import EMPTY, Value, split_name
from filesync.rules.contract import is_us


class Winning:
    """What one arriving change meets. `held`: the issue's fields, those of the change as they are once decided."""

    def __init__(self, paired: Paired, shown: Shown, change: Change, *, new: bool) -> None:
        """`new`: it is the change, or what is left of it, by which the issue was made here."""
        self._paired = paired
        self._shown = shown
        self._anew = isinstance(change, Create)
        self._edit = not new and isinstance(change, Set)
        self._last = frozenset(change.held) if isinstance(change, Set) else frozenset()
        self.held: dict[str, Value | None] = dict(shown.fields)

    def ordered(self, told: Mapping[str, Told]) -> Iterable[tuple[str, Told]]:
        """The fields of a change, those first whose value says who wins others."""
        deciders = self._paired.rules.deciders
        return sorted(told.items(), key=lambda one: split_name(one[0])[0] not in deciders) if deciders else told.items()

    def meeting(self, name: str, told: Told, shadow: Shadow) -> Meeting:
        """One of its fields, and what it meets here."""
        us, them = self._paired.us, self._paired.them
        course = self._paired.course(self._shown.item.ref.kind, name)
        by, fixed, hidden = course.by_value, course.wins, self._shown.hides(name)
        wins = fixed if by is None else is_us(by.site(self.held.get(by.field)), us=us, them=them)
        # whoever hands the pen over, or takes it, in one edit with others has it for these
        held = by is not None and by.pen and wins and is_us(by.site(self._shown.fields.get(by.field)), us=us, them=them)
        return Meeting(
            name=name,
            now=told.now,
            have=self._shown.fields.get(name),
            base=told.base,
            # a value that cannot be compared is not an edit that could be told
            shadow=msgspec.structs.replace(shadow, here=EMPTY) if hidden and not course.asks else shadow,
            wins=wins,
            flow=course.flow,
            judge=None if by is None else fixed,
            # the last word is that of the site of `else`: where that is ours, nobody else has it, whatever a bundle says
            pen=held and self._edit and (fixed or split_name(name)[0] not in self._last),
            asks=course.asks,
            hidden=hidden,
            anew=self._anew,
        )
