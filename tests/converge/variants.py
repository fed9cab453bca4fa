"""What two sites may have agreed on, each by a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from filesync.config import template
from tests.converge import agreeing
from tests.converge.narrowed import Narrowed, narrowed
from tests.converge.said import MARK, MIRROR, SITES, Said, said

# What acme has as a long text is one line at globex, and lands there without the blanks at its end;
# globex has two words of its own for one of the contract's. Of the users some go by their addresses.
USUAL: Final = Narrowed(
    (
        "fields: {description: customer_reference}\nusers_by: email\n",
        "users_by: email\nfields: {priority: {field: priority, options: {Highest: High}}}\n",
    )
)


# acme tells which issues left its scope, and globex says so on its own
LETTING_GO: Final = Narrowed(
    (f"{USUAL.mappings[0]}leaving: {{out: tell}}\n", f"{USUAL.mappings[1]}leaving: {{in: mark}}\n"), USUAL.apart, USUAL.steady
)
SHOWN_IN: Final = {"acme": "customer_reference", "globex": "description"}  # stand for none of the contract's fields
SHOWN_IN_JIRA: Final = "description"  # the same, and for whatever is beside a Jira
_SCOPE: Final = "{labels: [shared]}"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What the two sites agreed on, and whether acme tells only some of its issues."""

    said: Said = MARK
    scope: str = ""
    rules: Narrowed = USUAL
    responsible: str = ""  # the site that settles crossings, where values say who wins
    pen: bool = False  # and who alone may edit
    asks: bool = False  # a person says who wins some fields
    furnished: bool = False  # what belongs to issues is there from the beginning

    def contract(self) -> str:
        """The default contract, with a field that globex wins, a guarded one, a drifting one, and one less."""
        text = template("contract.yaml")
        for old, new in (
            ("  environment: {kind: text}", "  environment: {kind: text, from: globex, mode: drift}"),
            ("  cost_estimate: {kind: number}", "  cost_estimate: {kind: number, from: acme, mode: guard}"),
            ("Minor, Cosmetic]}", "Minor, Cosmetic], winner: globex}"),
            ("  description: {kind: text}\n", ""),  # acme's stands for another
            ("\nworklogs: true\n", "\nworklogs: true\nvisibilities: [internal]\n"),
        ):
            assert old in text
            text = text.replace(old, new)
        text = self.said.written_into(text)
        if self.asks:
            return agreeing.asking(text)
        return text if not self.responsible else by_values(text, settles=self.responsible, pen=self.pen)

    def mappings(self) -> tuple[str, str]:
        """Those of acme and globex."""
        acme, globex = self.rules.mappings
        return acme + self.said.own_words("acme", SHOWN_IN["acme"]), globex + self.said.own_words("globex", SHOWN_IN["globex"])


def by_values(contract: str, *, settles: str, pen: bool) -> str:
    """A contract in which the priority says who wins most fields, and the customer's reference who wins one of them."""
    other = {"acme": "globex", "globex": "acme"}[settles]
    for old, new in (
        (
            "\nwinner: first ",
            f"\nwinner: {{field: priority, acme: [High], globex: [Low], else: {settles}, pen: {str(pen).lower()}}} ",
        ),
        ("  customer_reference: {kind: text}", f"  customer_reference: {{kind: text, winner: {other}}}"),
        (
            "  due_date: {kind: date}",
            "  due_date: {kind: date, winner: {field: customer_reference, acme: [order 12], globex: ['P-7  '], else: first}}",
        ),
    ):
        assert old in contract
        contract = contract.replace(old, new)
    return contract


VARIANTS: Final[Mapping[str, Variant]] = {
    "mark": Variant(),
    "mark too": Variant(),
    "mirror": Variant(said=MIRROR),
    "mirror too": Variant(said=MIRROR),
    "mark, scope": Variant(scope=_SCOPE, rules=LETTING_GO),
    "mirror, scope": Variant(said=MIRROR, scope=_SCOPE, rules=LETTING_GO),
}

_NARROWED: Final = "narrowed "
_RESPONSIBLE: Final = "responsible "
_SAID: Final = "said "
_FURNISHED: Final = "furnished "
_ASKING: Final = "asking "
PENLESS: Final = 12  # of the responsible, numbers of contracts in which everybody may edit


def variant_of(word: str) -> Variant:
    """One of VARIANTS, or one drawn by a number.

    `narrowed 7`: with rules of the sites' own; `responsible 7`: values say who wins; `said 7`: what becomes of deletions,
    what only one site tells, what issues show of the partner's; `furnished 3`: one of VARIANTS, with more to begin with;
    `asking 7`: a person says who wins.
    """
    if word in VARIANTS:
        return VARIANTS[word]
    kind, number = word.split(" ")
    return _DRAWN[f"{kind} "](int(number))


def _responsible(number: int) -> Variant:
    own = narrowed(number // 4) if number % 3 == 2 else USUAL
    return Variant(said=(MARK, MIRROR)[number // 2 % 2], rules=own, responsible=SITES[number % 2], pen=number >= PENLESS)


def _said(number: int) -> Variant:
    """Every third one with another thing that changes what flows."""
    whole = Variant(said=said(number), furnished=True)
    match number % 9:
        case 2:
            return replace(whole, scope=_SCOPE, rules=LETTING_GO)
        case 5:
            return replace(whole, rules=narrowed(number))
        case 8:
            return replace(whole, responsible=SITES[number // 9 % 2], pen=number // 18 % 2 == 1)
        case _:
            return whole


def _furnished(number: int) -> Variant:
    return replace(VARIANTS[sorted(VARIANTS)[number]], furnished=True)


def _asking(number: int) -> Variant:
    if number % 4 == 1 and number > 1:  # the first two are those whose contract changes
        return Variant(said=said(number * 3), furnished=True, asks=True)
    own = narrowed(number // 4) if number % 4 == 3 else USUAL
    return Variant(said=(MARK, MIRROR)[number % 2], rules=own, asks=True)


_DRAWN: Final[Mapping[str, Callable[[int], Variant]]] = {
    _ASKING: _asking,
    _NARROWED: lambda number: Variant(said=(MARK, MIRROR)[number % 2], rules=narrowed(number)),
    _RESPONSIBLE: _responsible,
    _SAID: _said,
    _FURNISHED: _furnished,
}
