"""Events for what others may read and what is kept, the log and the journal: without a field's value.

The words of a tracker, mapping or schema may quote one, and an element of a set (a label) is part of its field's name. A
person at a terminal is told them; elsewhere it is said where they are.
"""

from __future__ import annotations

from typing import Final

import msgspec

from filesync.agent.events import Event, LandedDifferently, LostEdit, Met, Stopped, Stuck
from filesync.agent.incoming.arrivals import Arriving, Damaged
from filesync.agent.outgoing.departures import NotTold
from filesync.agent.running.news import LeftAlone
from filesync.model.values import split_name

_NOT_VALID: Final = "is not valid:"  # what follows comes from the schema


def without_values(event: Event) -> Event:
    """The event without words that may quote a value."""
    said: dict[str, object] = {}
    match event:
        case Met() | LandedDifferently():
            said = {"field": split_name(event.field)[0]}
        case LostEdit():
            said = {"what": list(dict.fromkeys(split_name(one)[0] for one in event.what))}
        case Stuck():
            said = {"why": "the reason is in `filesync stuck list`"}
        case NotTold() if '"' in event.why:  # else it is about its length
            said = {
                "field": split_name(event.field)[0],
                "why": "the contract or mapping has no place for it; `filesync check` tells what they have",
            }
        case Damaged():  # the beginning of a text that somebody put there may be quoted, too
            said = {"problems": ["what is wrong is in `filesync quarantine list`"]}
        case Arriving():
            said = {"problem": "what it lacks is told by `filesync verify`"}
        case Stopped() if _NOT_VALID in event.why:
            said = {"why": _cut(event.why)}
        case LeftAlone() if _NOT_VALID in event.what:
            said = {"what": _cut(event.what)}
    return msgspec.structs.replace(event, **said)


def _cut(why: str) -> str:
    return f"{why[: why.index(_NOT_VALID)]}{_NOT_VALID} what is wrong is in `filesync status`."
