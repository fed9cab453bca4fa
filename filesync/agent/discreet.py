"""Events as they are told and kept: without a field's value, nor an attachment's name.

The words of a tracker, mapping or schema may quote one, and an element of a set (a label) is part of its field's name. They
are kept where they are needed, and shown by the verb that is there for it; the event says which.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from filesync.agent.events import Event, LandedDifferently, LostEdit, Met, Stopped, Stuck
from filesync.agent.incoming.arrivals import Arriving, Damaged
from filesync.agent.outgoing.departures import NotFetched, NotTold
from filesync.agent.running.news import LeftAlone
from filesync.bundle.verdict import Code, shown
from filesync.model.values import split_name
from filesync.model.versions import NAME

_NOT_VALID: Final = "is not valid:"  # what follows comes from the schema
_NO_WORD: Final = re.compile(r'the contract has no (\w+) "')
_QUOTING: Final = frozenset({Code.NOT_A_BUNDLE, Code.BAD_JSON, Code.BAD_SCHEMA})  # what is said of these quotes content


def without_values(event: Event) -> Event:
    """The event without words that may quote a value."""
    said: dict[str, object] = {}
    match event:
        case Met() | LandedDifferently():
            said = {"field": split_name(event.field)[0]}
        case LostEdit():
            said = {"what": _names(event.what)}
        case Stuck():
            said = {"fields": _names(event.fields), "why": "the reason is in `filesync stuck list`"}
        case NotTold() if '"' in event.why:  # else it is about its length
            said = {"field": split_name(event.field)[0], "why": _wordless(event)}
        case NotFetched():
            said = {"name": ""}
        case Damaged() if event.code in _QUOTING:
            said = {"problems": ["what is wrong is in `filesync quarantine list`"]}
        case Arriving() if event.code in _QUOTING:
            said = {"problem": "what is wrong is told by `filesync verify`"}
        case Stopped():
            said = {"why": unquoting(event.why)}
        case LeftAlone():
            said = {"what": unquoting(event.what)}
    return msgspec.structs.replace(event, **said)


def unquoting(why: str) -> str:
    """Why a stream is stopped, without what a schema says of a value."""
    start, found, _ = why.partition(_NOT_VALID)
    return f"{start}{found} what is wrong is in `filesync status`." if found else why


def _wordless(event: NotTold) -> str:
    """Why it was not sent, without the word that the contract lacks."""
    found = _NO_WORD.match(event.why)
    why = f"the contract has no such {found[1]}" if found else "it cannot be told as it is"
    if event.whole:
        return why  # its sentence says where the word is
    where = "`filesync check` tells what is mapped" if event.field == NAME else f"`filesync why {shown(event.key)}` names it"
    return f"{why}; {where}"


def _names(fields: list[str]) -> list[str]:
    return list(dict.fromkeys(split_name(one)[0] for one in fields))
