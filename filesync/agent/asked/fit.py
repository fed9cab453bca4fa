"""Whether contract, mapping and tracker fit: what would be refused when it comes in, and what would stay at home. Pure.

Asked before anything is exchanged, of what the tracker tells of its project alone. What it does not tell is said, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from filesync.errors import Problem
from filesync.model.ids import Kind
from filesync.model.links import LINK
from filesync.model.values import FieldKind, FieldSpec, split_name
from filesync.rules.contract import Flow, flow
from filesync.rules.ending import RESOLUTION
from filesync.rules.load import gaps
from filesync.rules.mapping import Rules
from filesync.rules.standing import FieldRule, Way
from filesync.rules.users import By
from filesync.settings import did_you_mean, quoted, spelt
from filesync.trackers.base import Description, Form, Inspected

_PUT: Final = "Put it on one in the tracker, or have a transition set it"
NOTHING_SEEN: Final = Inspected()
_SHOWN: Final = 10  # words in one line
_ANY_KEY: Final = "KEY-1"  # of the partner's: presets that show its key are given, too
_TAKEN_IN: Final = frozenset({Flow.BOTH, Flow.WE_TAKE_DRIFT, Flow.WE_TAKE_GUARD})
_TOLD: Final = frozenset({Flow.BOTH, Flow.WE_SEND_DRIFT, Flow.WE_SEND_GUARD, Flow.WE_TAKE_GUARD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What does not fit. `unknown` says what the tracker does not tell beforehand; "" where it tells all."""

    refused: tuple[Problem, ...]  # it would be refused when it comes in, until somebody mends it
    notes: tuple[Problem, ...]
    unknown: str


def fit(rules: Rules, have: Description, seen: Inspected = NOTHING_SEEN, *, us: str, receives: bool, sends: bool) -> Fit:
    """Hold rules against a tracker, at the site of this name that receives, sends, or does both.

    `seen`: what the tracker told of `wanted`.
    """
    ways = {name: flow(rules.contract, name, us) for name in rules.contract.fields}
    here = {name: rule for name in ways if (rule := rules.rule(name)) is not None}
    arrive = [
        name for name, way in ways.items() if receives and way in _TAKEN_IN and (name not in here or here[name].takes(new=True))
    ]
    leave = [name for name, rule in here.items() if sends and ways[name] in _TOLD and rule.way is not Way.IN]
    refused: list[Problem] = [*_mistyped(rules, have), *_unshown(rules, have), *_unlisted(rules, have)]
    notes: list[Problem] = []
    if receives:
        missing = gaps(
            rules, fields=have.fields, types=have.types, statuses=have.statuses, links=have.links, left_out=have.left_out
        )
        refused += [one for one in missing if one.where in arrive or one.where == LINK]
        refused += _kept(rules, have, {name: ways[name] for name in arrive}, us=us)
        refused += [*_needed(rules, have), *_people(rules, have), *_closing(rules, have)]
        notes += _unbrought(rules, have, ways)
        refused += [Problem("visibilities", f"{quoted(word)}: {why}") for word, why in seen.few.items()]
        notes += [one for one in _off_screen(rules, have, seen) if one.where in arrive]
    notes += _never_shown(rules, seen)
    if FieldKind.STATUS in arrive:
        never, not_everywhere = _statuses(rules, have)
        refused += never
        notes += not_everywhere
    if sends and rules.users.by is By.EMAIL and have.unaddressed:
        what = f"{have.unaddressed} of the users that the tracker lists show us no e-mail address: they go by their names"
        notes.append(Problem("users", what))
    notes += _otherwise_marked_up(rules, have)
    if sends:
        notes += [*_wordless(rules, have, leave), *_uncarried(rules, have)]
    tells_ways = all(one.unreached is not None for one in have.forms.values())
    asked = FieldKind.STATUS in arrive and not tells_ways
    return Fit(
        refused=tuple(dict.fromkeys(refused)),
        notes=tuple(dict.fromkeys(notes)),
        unknown="; ".join(
            [
                *(["which transitions lead to a status it tells only of single issues"] if asked else []),
                *(f"it does not tell {one}" for one in seen.unsure),
            ]
        ),
    )


def wanted(rules: Rules, have: Description) -> tuple[list[str], tuple[str, ...]]:
    """What `Tracker.inspect` is to be asked for where these rules receive."""
    return list(_forms(rules, have)), rules.few


def some(words: Sequence[str]) -> str:
    """Somebody's words in a line, not too many of them."""
    rest = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(map(quoted, words[:_SHOWN])) + rest


def _known(have: Description) -> dict[FieldKind, tuple[str, ...]]:
    """The words that stand for all fields of a kind; () where nobody knows them."""
    return {FieldKind.TYPE: have.types, FieldKind.STATUS: have.statuses, FieldKind.USER: have.users}


def _mistyped(rules: Rules, have: Description) -> Iterator[Problem]:
    """Words that the mapping names as ours and the tracker does not have, by wire field."""
    here = {spec.name: spec for spec in have.fields}
    for name in rules.contract.fields:
        rule = rules.rule(name)
        if rule is None:
            continue
        spec = here.get(rule.local)
        if spec is None:
            if (
                rule.local != name and rule.local not in have.left_out
            ):  # else it is the contract's word, or told with its reason
                yield Problem(name, f"the tracker has no field {quoted(rule.local)}{did_you_mean(rule.local, here)}")
            continue
        known = _known(have).get(spec.kind, spec.options)
        where = "users" if spec.kind is FieldKind.USER else name  # every field of users has the same words
        for ours in (*rule.words.listed, *([rule.stand_in] if rule.stand_in else ())):
            if known and ours not in known:
                yield Problem(where, f"the tracker has no {quoted(ours)}{did_you_mean(ours, known)}")
    yield from _ill_asked(rules, here)
    for ours in rules.links.words.listed:
        if have.links and ours not in have.links:
            yield Problem(LINK, f"the tracker has no {quoted(ours)}{did_you_mean(ours, have.links)}")


def _ill_asked(rules: Rules, here: Mapping[str, FieldSpec]) -> Iterator[Problem]:
    """Fields and words of presets, and fields that conditions and texts ask for, which the tracker does not have."""
    for name, asked in rules.asks.items():
        for ours in sorted(asked - here.keys()):
            yield Problem(name, f"its rule asks for {quoted(ours)}, which the tracker does not have{did_you_mean(ours, here)}")
    for flat, value in rules.preset((), key=_ANY_KEY).items():
        ours, element = split_name(flat)
        spec, word = here.get(ours), value if element is None else element
        if spec is None:
            yield Problem("presets", f"the tracker has no field {quoted(ours)}{did_you_mean(ours, here)}")
        elif spec.read_only:
            yield Problem("presets", f"nobody writes the tracker's {quoted(ours)}")
        elif isinstance(word, str) and spec.options and word not in spec.options:
            yield Problem("presets", f"the tracker's {quoted(ours)} has no {quoted(word)}{did_you_mean(word, spec.options)}")


def _forms(rules: Rules, have: Description) -> dict[str, Form]:
    """Our types of which issues come in, and what is known of each."""
    rule = rules.rule(FieldKind.TYPE)
    ours = chain.from_iterable(rule.words.back(word)[:1] for word in rules.contract.types) if rule is not None else ()
    return {name: have.forms[name] for name in ours if name in have.forms}


def _otherwise_marked_up(rules: Rules, have: Description) -> Iterator[Problem]:
    """That texts are written otherwise than our tracker shows them: nobody translates them."""
    markup = rules.contract.markup
    if markup is None or markup is have.markup:
        return
    what = f"texts travel in {markup} markup, and the tracker's is {have.markup}: what people write goes both ways as it is"
    yield Problem("markup", what)


def _kept(rules: Rules, have: Description, arrive: Mapping[str, Flow], *, us: str) -> Iterator[Problem]:
    """Fields that the tracker keeps itself, and that would have to be written for the partner."""
    own = {spec.name for spec in have.fields if spec.read_only}
    for name, way in arrive.items():
        rule = rules.rule(name)
        if rule is not None and rule.local in own:
            ours, theirs = spelt(rule.local), spelt(name)
            alone = f"let it go out alone, by `from: {us}` in the contract or `{ours}: {{field: {theirs}, way: out}}`"
            other = f"have another field of ours stand for it, by `OURS: {theirs}`"
            mend = alone if way is Flow.BOTH else other
            yield Problem(name, f"nobody writes the tracker's {quoted(rule.local)}: {mend} under `fields` of the mapping")


def _needed(rules: Rules, have: Description) -> Iterator[Problem]:
    """Fields without which the tracker makes no issue, and that nobody gives."""
    known = (rules.rule(name) for name in rules.contract.fields)
    given = {rule.local for rule in known if rule is not None and rule.takes(new=True)}
    given |= {split_name(flat)[0] for flat in rules.preset((), key=_ANY_KEY)}
    lacking: dict[str, list[str]] = {}
    for kind, form in _forms(rules, have).items():
        for name in form.needs:
            if name not in given:
                lacking.setdefault(name, []).append(kind)
    for name, kinds in lacking.items():
        yield Problem(
            name,
            f"the tracker makes no {' or '.join(kinds)} without it, and the contract has no field for it: take it up there, "
            "or have the tracker fill something in",
        )


def _unbrought(rules: Rules, have: Description, ways: Mapping[str, Flow]) -> Iterator[Problem]:
    """Fields without which the tracker makes no issue, and that the partner never tells: it may be meant to make none."""
    preset = {split_name(flat)[0] for flat in rules.preset((), key=_ANY_KEY)}
    needs = {name for form in _forms(rules, have).values() for name in form.needs} - preset
    for name, way in ways.items():
        rule = rules.rule(name)
        if way is Flow.WE_SEND_DRIFT and rule is not None and rule.local in needs:
            what = (
                "this site alone tells it, and the tracker makes no issue without it: one that the partner makes is stuck here"
            )
            yield Problem(name, what)


def _unshown(rules: Rules, have: Description) -> Iterator[Problem]:
    """What issues are to show of the partner's, and the tracker has no place for."""
    if rules.partner is None:
        return
    here = {spec.name: spec for spec in have.fields}
    for ours in rules.partner.fields:
        spec = here.get(ours)
        if spec is None:
            yield Problem("partner", f"the tracker has no field {quoted(ours)}{did_you_mean(ours, here)}")
        elif spec.read_only:
            yield Problem("partner", f"nobody writes the tracker's {quoted(ours)}")
        elif spec.kind is not FieldKind.TEXT or spec.many:
            yield Problem("partner", f"the tracker's {quoted(ours)} holds no text")
    if (rules.partner.link or rules.partner.facts) and not have.shows:
        yield Problem("partner", "the tracker has neither web links nor properties of its own: show the key in a field")


def _unlisted(rules: Rules, have: Description) -> Iterator[Problem]:
    """Versions of the project, where the tracker has no list of them."""
    if rules.travels(Kind.VERSION) and not have.lists:
        what = "the tracker keeps no list of versions: none is told from here, and what comes of them is left out"
        yield Problem("versions", what)


def _never_shown(rules: Rules, seen: Inspected) -> Iterator[Problem]:
    """Fields in which issues are to show something of the partner's, and that are not for editing."""
    for ours in rules.partner.fields if rules.partner is not None else ():
        if off := [kind for kind, edits in seen.edits.items() if ours not in edits]:
            what = f"{quoted(ours)} is on no screen on which {_which(off, seen.edits)} edited: these show nothing there"
            yield Problem("partner", f"{what}. Put it on one in the tracker")


def _closing(rules: Rules, have: Description) -> Iterator[Problem]:
    """A status that issues are closed with, and that the tracker does not have."""
    for status in {one.status for one in rules.deletes.values()} - {"", *have.statuses}:
        yield Problem("deletes", f"the tracker has no {quoted(status)}{did_you_mean(status, have.statuses)}")
    options = next((spec.options for spec in have.fields if spec.name == RESOLUTION), ())
    for word in {one.resolution for one in rules.deletes.values()} - {"", *options}:
        yield Problem("deletes", f"the tracker has no resolution {quoted(word)}{did_you_mean(word, options)}")


def _people(rules: Rules, have: Description) -> Iterator[Problem]:
    """Users whom the contract names and nobody here is."""
    agreed = rules.contract.users if rules.users.by is not By.EMAIL else None  # as in `_wordless`
    if agreed is None or not have.users or not any(one.spec.kind is FieldKind.USER for one in rules.contract.fields.values()):
        return
    absent = [word for word in agreed if not any(ours in have.users for ours in rules.users.back(word))]
    if absent:
        yield Problem("users", f"nobody in the tracker stands for {some(absent)}: say who does under `users` of the mapping")


def _statuses(rules: Rules, have: Description) -> tuple[list[Problem], list[Problem]]:
    """Statuses of the contract that no issue here comes to, and those that issues of some types do not."""
    rule, forms = rules.rule(FieldKind.STATUS), _forms(rules, have)
    never: list[Problem] = []
    some_do_not: dict[str, list[str]] = {}
    for word in rules.contract.statuses if rule is not None else ():
        ours = next(iter(rule.words.back(word)), "") if rule is not None else ""
        without = [kind for kind, form in forms.items() if ours not in form.statuses or ours in (form.unreached or ())]
        if ours not in have.statuses or not without:
            continue  # the first is a gap
        if len(without) == len(forms):
            what = f"no transitions lead an issue to {quoted(ours)}: add one in the tracker, or map it to another status"
            never.append(Problem(FieldKind.STATUS, what))
        else:
            for kind in without:
                some_do_not.setdefault(kind, []).append(ours)
    notes = [
        Problem(
            FieldKind.STATUS, f"{quoted(kind)} never comes to {some(words)}: where the partner's does, the status waits here"
        )
        for kind, words in some_do_not.items()
    ]
    return never, notes


def _off_screen(rules: Rules, have: Description, seen: Inspected) -> Iterator[Problem]:
    """Fields that cannot be given where an issue is made, or written once it is there."""
    forms = {kind: form.takes for kind, form in _forms(rules, have).items() if form.takes is not None}
    here = {spec.name for spec in have.fields if not spec.read_only}
    for name in rules.contract.fields:
        rule = rules.rule(name)
        if rule is None or rule.local not in here:
            continue
        off = [kind for kind, takes in forms.items() if rule.local not in takes]
        fixed = [kind for kind, edits in seen.edits.items() if rule.local not in edits]
        later = [kind for kind in off if kind not in fixed]
        if later:
            then = "it is written afterwards"
            if not seen.edits.keys() >= set(later):
                then += " where the screen for editing has it, else it waits"
            yield Problem(name, f"is on no screen on which {_which(later, forms)} made: {then}")
        if never := [kind for kind in off if kind in fixed]:
            yield Problem(name, f"is on no screen on which {_which(never, forms)} made or edited: it waits. {_PUT}")
        if once := [kind for kind in fixed if kind not in off]:
            what = f"is on no screen on which {_which(once, forms)} edited: new ones have it, later changes of it wait"
            yield Problem(name, f"{what}. {_PUT}")


def _which(kinds: Sequence[str], every: Collection[str]) -> str:
    return "issues are" if len(kinds) == len(every) else f"{some(kinds)} is"


def _wordless(rules: Rules, have: Description, leave: Iterable[str]) -> Iterator[Problem]:
    """Words of ours that the contract has none for, by wire field."""
    here = {spec.name: spec for spec in have.fields}
    for name in leave:
        rule = rules.rule(name)
        if rule is None or rule.allowed is None or rule.local not in here:
            continue
        kind = rule.field.spec.kind
        words = _unsaid(rule, _known(have).get(kind, here[rule.local].options))
        if kind is FieldKind.USER and rules.users.by is By.EMAIL:
            continue  # addresses are asked for one by one
        if words and kind is FieldKind.USER:
            yield Problem("users", f"not in the contract, and never told: {some(words)}")
        elif words and kind is FieldKind.TYPE:
            yield Problem(name, f"the contract has no word for {some(words)}: the partner can make no issue of it")
        elif words:
            yield Problem(name, f"the contract has no word for {some(words)}: not told, what the partner has stays")


def _unsaid(rule: FieldRule, ours: Iterable[str]) -> list[str]:
    if rule.allowed is None or rule.spare is not None:
        return []
    return [one for one in ours if rule.words.out(one) not in rule.allowed]


def _uncarried(rules: Rules, have: Description) -> Iterator[Problem]:
    """Fields and types of links of the tracker that the contract does not have."""
    carried = {rule.local for name in rules.contract.fields if (rule := rules.rule(name)) is not None}
    fields = [spec.name for spec in have.fields if spec.name not in carried and not spec.read_only]
    if fields:
        yield Problem("", f"fields that the contract does not have stay here: {some(fields)}")
    links = [one for one in have.links if rules.links.words.out(one) not in rules.links.allowed]
    if links:
        yield Problem("", f"types of links that the contract does not have stay here: {some(links)}")
