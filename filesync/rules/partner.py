"""What our issues show of the partner's: its key, as our mapping wants it shown. Pure.

It is written beside what travels: nothing of it is ever told, and no edit of it is an edit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from filesync.errors import Problem
from filesync.model.prepare import prepare
from filesync.rules.contract import Contract
from filesync.rules.fitting import locals_of
from filesync.settings import Document, quoted

KEY: Final = "{key}"  # in a text of a mapping: what the partner calls the issue
_STATE: Final = "{state}"  # and how far it is with it
_PARTNER: Final = "partner"
_USUAL: Final = re.compile(r"[A-Z][A-Z0-9_]{0,31}-[1-9][0-9]{0,17}")  # a claim of the partner's: nothing else is shown


class Pace(StrEnum):
    """How far an issue is with the partner, as people read it."""

    IN_STEP = "in step"
    SENT = "sent"  # what we told last is not acknowledged yet
    WAITING = "waiting"  # something of the partner's waits here for something else
    REFUSED = "refused"  # something of the partner's is stuck here, and waits for a person
    APART = "apart"  # the partner deleted its own, or a person decided so: each side keeps what it has


class Display(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one issue shows: fields of ours, an address to follow, and what programs read."""

    fields: dict[str, str] = {}
    link: str = ""
    facts: dict[str, str] = {}


prepare(Display)


class Partner(msgspec.Struct, frozen=True):
    """What a mapping wants shown. `fields`: of ours, each with a text; `link`: an address; with {key} or {state} in them."""

    fields: Mapping[str, str]
    link: str
    facts: bool  # as a property, for programs
    state: bool = False  # whether that is kept up, too

    def display(self, *, partner: str, key: str, pace: Pace) -> Display:
        """Of an issue that the partner of this name calls by this key ("": that is not known yet)."""
        state = {"state": pace.value} if self.state else {}
        return Display(
            fields={
                name: text.replace(KEY, key).replace(_STATE, pace)
                for name, text in self.fields.items()
                if key or KEY not in text
            },
            link=self.link.replace(KEY, key) if key else "",
            facts={"partner": partner, "key": key, **state} if self.facts and (key or state) else {},
        )


def is_usual(key: str) -> bool:
    """Whether a partner's claim is a key, as trackers form them."""
    return _USUAL.fullmatch(key) is not None


def partner_of(data: Mapping[str, Any]) -> Partner | None:
    """What a mapping that fits the schema says of it; None where it says nothing."""
    said = data.get(_PARTNER)
    if said is None:
        return None
    return Partner(said.get("fields", {}), said.get("link", ""), said.get("property", False), said.get("state", False))


def partner_problems(contract: Contract, document: Document) -> Iterator[Problem]:
    """Fields that travel: what is shown there would be told as an edit."""
    named = locals_of(document.data)
    said = document.data.get(_PARTNER, {})
    if said.get("state") and not (said.get("property") or any(_STATE in text for text in said.get("fields", {}).values())):
        what = "nothing shows it: write {state} into the text of a field, or have the property"
        yield document.problem((_PARTNER, "state"), what, key=True)
    for ours, text in said.get("fields", {}).items():
        if _STATE in text and not said.get("state"):
            yield document.problem((_PARTNER, "fields", ours), "{state} is kept up only with `state: true`")
        theirs = named.get(ours, ours)
        if theirs in contract.fields and (ours in named or theirs not in named.values()):
            what = f"{quoted(ours)} stands for {quoted(theirs)} in the contract: what is shown there would be told"
            yield document.problem((_PARTNER, "fields", ours), what, key=True)
