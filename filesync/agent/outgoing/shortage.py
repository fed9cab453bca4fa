"""What of an item of ours does not reach the partner, or not as it stands here. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from filesync.agent.paired import Paired
from filesync.ledger.shortfalls import Shortfall
from filesync.model.diff import TYPE
from filesync.model.ids import Kind
from filesync.model.issue import Item
from filesync.model.shortfall import Cause, bare
from filesync.model.values import flat_name
from filesync.rules.mapping import Outward, Rules


class Shortage:
    """What falls short under the rules of one exchange."""

    def __init__(self, paired: Paired) -> None:
        self._sieve = paired.rules.sieves.out
        self._merged = dict(_merged(paired.rules))

    def note(self, short: dict[str, list[Shortfall]], item: Item, outward: Outward) -> None:
        """Add what there is to say of an item, as our rules tell it, to that of its issue. Of most there is nothing."""
        kind, ref = item.ref.kind, item.ref
        lost = outward.dropped or outward.withheld or outward.failed
        if not (lost or (self._merged if kind is Kind.ISSUE else kind is Kind.ATTACHMENT)):
            return
        part = "" if kind is Kind.ISSUE else f"{kind} {ref.local}"
        found = {
            (field, cause): Shortfall(item=ref.issue, part=part, field=bare(kind, field), cause=cause, called=item.about.key)
            for field, cause in self._causes(item, outward)
        }
        short.setdefault(ref.issue, []).extend(found.values())

    def _causes(self, item: Item, outward: Outward) -> Iterator[tuple[str, Cause]]:
        if outward.withheld:
            yield "", Cause.WITHHELD
        elif item.ref.kind is Kind.ATTACHMENT:
            if self._sieve.stops(str(item.fields["name"]), int(str(item.fields["size"]))):
                yield "", Cause.KEPT
        elif any(one.field == TYPE for one in outward.dropped):
            yield TYPE, Cause.NO_WORD  # it is not exchanged at all
        else:
            yield from ((one.field, Cause.NO_WORD) for one in outward.dropped)
            yield from ((name, Cause.FAILED) for name in outward.failed)
            if item.ref.kind is Kind.ISSUE:
                yield from ((name, Cause.MERGED) for name, told in self._merged.items() if _tells(outward, name, told))


def _tells(outward: Outward, name: str, words: frozenset[str]) -> bool:
    value = outward.fields.get(name)
    return value in words if isinstance(value, str) else any(flat_name(name, word) in outward.fields for word in words)


def _merged(rules: Rules) -> Iterator[tuple[str, frozenset[str]]]:
    """Fields, and those of the contract's words for which several of ours stand."""
    for name in rules.contract.fields:
        rule = rules.rule(name)
        words = (
            frozenset(word for word in rule.words.listed.values() if len(rule.words.back(word)) > 1) if rule else frozenset()
        )
        if words:
            yield name, words
