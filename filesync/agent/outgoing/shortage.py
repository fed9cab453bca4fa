"""What of an item of ours does not reach the partner, or not as it stands here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from filesync.agent.paired import Paired
from filesync.ledger.shortfalls import Shortfall
from filesync.model.diff import TYPE
from filesync.model.ids import Kind
from filesync.model.issue import Item
from filesync.model.shortfall import Cause, bare
from filesync.model.values import FieldKind, Value, flat_name
from filesync.rules.mapping import Outward, Rules
from filesync.rules.standing import FieldRule
from filesync.trackers.base import Description


class Shortage:
    """What falls short under the rules of one exchange."""

    def __init__(self, paired: Paired, describe: Callable[[], Description]) -> None:
        """`describe` is asked once, and only where an issue has a word for which several of ours may stand."""
        self._rules, self._describe = paired.rules, describe
        self._sieve = paired.rules.sieves.out
        self._merged: Mapping[str, frozenset[str]] = dict(_merged(paired.rules, None))
        self._sure = False  # whether the tracker has them
        self._spared = {name: rule for name, rule in _rules(paired.rules) if rule.spare is not None}

    def note(self, short: dict[str, list[Shortfall]], item: Item, outward: Outward) -> None:
        """Add what there is to say of an item, as our rules tell it, to that of its issue. Of most there is nothing.

        Raises Unavailable.
        """
        kind, ref = item.ref.kind, item.ref
        lost = outward.dropped or outward.withheld or outward.failed
        if not (lost or ((self._merged or self._spared) if kind is Kind.ISSUE else kind is Kind.ATTACHMENT)):
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
                yield from ((name, Cause.MERGED) for name in self._among_several(outward))
                yield from ((name, Cause.STAND_IN) for name, rule in self._spared.items() if _spares(item, outward, rule))

    def _among_several(self, outward: Outward) -> list[str]:
        """Fields of which the partner cannot know which of our words it was."""
        found = [name for name, words in self._merged.items() if _tells(outward, name, words)]
        if not found or self._sure:
            return found
        self._merged, self._sure = dict(_merged(self._rules, self._describe())), True
        return self._among_several(outward)


def _tells(outward: Outward, name: str, words: frozenset[str]) -> bool:
    if name in outward.silent:
        return False  # nothing is told of it
    value = _word(outward.fields.get(name))
    return value in words if value else any(flat_name(name, word) in outward.fields for word in words)


def _spares(item: Item, outward: Outward, rule: FieldRule) -> bool:
    """Whether the default is told for the value, which has no word."""
    ours = _word(item.fields.get(rule.local))
    name = rule.field.spec.name
    told = name in outward.fields and name not in outward.silent
    return told and bool(ours) and rule.allowed is not None and rule.words.out(ours) not in rule.allowed


def _word(value: Value | None) -> str:
    """A value as its option is written; "" where it is none."""
    return "/".join(value) if isinstance(value, list) else value if isinstance(value, str) else ""


def _merged(rules: Rules, there: Description | None) -> Iterator[tuple[str, frozenset[str]]]:
    """Fields, and those of the contract's words for which several of ours stand, as far as `there` has them. None: it may."""
    for name, rule in _rules(rules):
        known = None if there is None else _known(rule, there)
        words = frozenset(word for word in rule.words.listed.values() if _several(rule, word, known))
        if words:
            yield name, words


def _several(rule: FieldRule, word: str, known: Collection[str] | None) -> bool:
    ours = rule.words.back(word)
    return len([one for one in ours if known is None or one in rule.words.listed or one in known]) > 1


def _known(rule: FieldRule, there: Description) -> Collection[str]:
    match rule.field.spec.kind:
        case FieldKind.TYPE:
            return there.types
        case FieldKind.STATUS:
            return there.statuses
        case FieldKind.USER:
            return there.users
        case _:
            return next((spec.options for spec in there.fields if spec.name == rule.local), ())


def _rules(rules: Rules) -> Iterator[tuple[str, FieldRule]]:
    for name in rules.contract.fields:
        rule = rules.rule(name)
        if rule is not None:
            yield name, rule
