"""What a contract and two mappings say beside fields: what one site alone tells, what becomes of deletions, what is shown.

Each is drawn by a number. What the ends of a run are held against is asked of the draw, never of what filesync read.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from filesync.model.ids import Kind

SITES: Final = ("acme", "globex")
BELOW: Final = (Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG)
BOTH, NEITHER = "both", "neither"
CLOSING: Final = ("Done", "Won't Do", "Blocked")  # an Epic is never Blocked: there it is stuck
_POLICIES: Final = ("mark", "mirror", "ignore", "origin")
_TEXTS: Final = ("", "", "{key}", "{key} is {state}", "is {state}")


def _usual(issue: str) -> Mapping[Kind, str]:
    return {Kind.ISSUE: issue, **dict.fromkeys(BELOW, "mirror")}


@dataclass(frozen=True)
class Said:
    """`ways`: of kinds that not both sites tell, which one does; `own`: what a mapping says of deletions, by site."""

    deletes: Mapping[Kind, str]  # by the contract
    ways: Mapping[Kind, str] = field(default_factory=dict)
    own: Mapping[str, Mapping[Kind, str]] = field(default_factory=dict)  # a policy, or a status that issues are closed with
    keys: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)  # by site: what a field of its issues says of the partner's
    # where the contract was another one before: what may have become of deletions, then or now
    changed: Mapping[Kind, frozenset[str]] = field(default_factory=dict)

    def tells(self, site: str, kind: Kind) -> bool:
        """Whether a site tells anything of items of this kind."""
        return self.ways.get(kind, BOTH) in {BOTH, site}

    def receives_only(self, site: str) -> frozenset[Kind]:
        """The kinds of which this site tells nothing, and the other one does."""
        return frozenset(kind for kind, way in self.ways.items() if way not in {BOTH, NEITHER, site})

    def becomes(self, site: str, kind: Kind, *, came: bool) -> frozenset[str]:
        """What becomes at a site of what the partner deleted: mirror, mark, ignore, or a status. `came`: from the partner.

        One of these, where the contract was another one before.
        """
        if kind in self.changed:
            return self.changed[kind]
        policy = self.own.get(site, {}).get(kind, self.deletes[kind])
        return frozenset({policy if policy != "origin" else "mirror" if came else "ignore"})

    def written_into(self, contract: str) -> str:
        """A contract that says so."""
        changes = [("  issue: mark ", f"  issue: {self.deletes[Kind.ISSUE]} ")]
        changes += [(f"\n  {kind}: mirror\n", f"\n  {kind}: {self.deletes[kind]}\n") for kind in BELOW[1:]]
        changes += [("  comment: mirror ", f"  comment: {self.deletes[Kind.COMMENT]} ")]
        for kind, way in self.ways.items():
            changes.append((f"\n{kind}s: true", f"\n{kind}s: {'false' if way is NEITHER else f'{{from: {way}}}'}"))
        changes += [("\n# keys: true ", "\nkeys: true ")] if self.keys else []
        for old, new in changes:
            assert contract.count(old) == 1, old
            contract = contract.replace(old, new)
        return contract

    def own_words(self, site: str, field: str) -> str:
        """The lines of this site's mapping. `field`: where it shows what the partner calls an issue."""
        own = {kind: {"close": what} if what in CLOSING else what for kind, what in self.own.get(site, {}).items()}
        lines = [f"deletes: {json.dumps(own)}\n"] if own else []
        if text := self.texts.get(site):
            shows = {"fields": {field: text}, "state": "{state}" in text}
            lines.append(f"partner: {json.dumps(shows)}\n")
        return "".join(lines)


MARK: Final = Said(_usual("mark"))
MIRROR: Final = Said(_usual("mirror"))


def said(number: int) -> Said:
    """What is said by this number."""
    draw = random.Random(f"said {number}")
    ways = {kind: draw.choice((BOTH, BOTH, *SITES, *SITES, *SITES, NEITHER)) for kind in BELOW}
    own: dict[str, Mapping[Kind, str]] = {}
    for site in SITES:
        chosen = {kind: draw.choice(_POLICIES) for kind in BELOW if draw.randrange(4) == 0}
        if draw.randrange(2):
            chosen[Kind.ISSUE] = draw.choice((*_POLICIES, *CLOSING, *CLOSING[:1]))
        own[site] = chosen
    return Said(
        {kind: draw.choice(_POLICIES) for kind in (Kind.ISSUE, *BELOW)},
        {kind: way for kind, way in ways.items() if way != BOTH},
        own,
        keys=draw.randrange(3) > 0,
        texts={site: text for site in SITES if (text := draw.choice(_TEXTS))},
    )
