"""The order in which arriving changes are decided: kept for each entity and for what belongs to it; nothing else needs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from filesync.agent.merge.outcome import Work
from filesync.model.change import Change, Create, Delete, Scoped, Set, blobs_of, texts_of
from filesync.model.ids import LONGEST_GID, Gid
from filesync.model.links import link_end
from filesync.model.values import Value

GROUP: Final = 500  # changes whose intents are committed together
_WINDOW: Final = 2_000  # changes looked ahead, so that an issue's comments do not make every group small
_WEIGHT: Final = 32 << 20  # bytes of these: a change may be of some MiB
_CHUNK: Final = 400  # bytes that a chunk of an attachment takes in memory
_SLASHES: Final = 3  # in a gid


def groups(works: Iterable[Work]) -> Iterator[list[Work]]:
    """Groups in which no change depends on another: one a gid, and none with the issue it belongs to or names."""
    source = iter(works)
    waiting: deque[Work] = deque()
    while True:
        group: list[Work] = []
        taken: set[str] = set()
        later: list[Work] = []
        weight = 0
        while len(group) < GROUP and len(group) + len(later) < _WINDOW and weight < _WEIGHT:
            work = waiting.popleft() if waiting else next(source, None)
            if work is None:
                break
            weight += _weight(work.change)
            (group if taken.isdisjoint(_touches(work.change)) else later).append(work)
            taken |= _marks(work.change)
        if not group:
            return
        waiting.extendleft(reversed(later))
        yield group


def _weight(change: Change) -> int:
    """About how many bytes it takes."""
    match change:
        case Create():
            return _beside(change) + _size(change.fields.values())
        case Set():
            return _beside(change) + _size(told.now for told in change.fields.values())
        case Delete() | Scoped():
            return 0


def _size(values: Iterable[Value | None]) -> int:
    return sum(len(one) if isinstance(one, str) else len(str(one)) for one in values)


def _beside(change: Change) -> int:
    """Of what stands beside the line: names of chunks, and the texts, which are read when it is decided."""
    blobs = blobs_of(change)
    if not blobs:
        return 0
    chunks = sum(len(one.chunks) for one in blobs)
    return _CHUNK * chunks + sum(one.size for one in texts_of(change).values())


def _touches(change: Change) -> set[str]:
    """What a change must come after: its own gid, its issue's, those it names or links; a deletion, what is made below it."""
    match change:
        case Create():
            above = {change.parent} if change.parent is not None else set[Gid]()
            return {change.gid, *above, *_named(change.fields.values()), *ends(change)}
        case Set():
            return {change.gid, *_named(told.now for told in change.fields.values()), *ends(change)}
        case Delete():
            return {change.gid, f"below {change.gid}"}
        case Scoped():
            return {change.gid}


def _named(values: Iterable[Value | None]) -> set[str]:
    """What may be gids among values. A text that only looks like one costs nothing but a smaller group."""
    return {value for value in values if isinstance(value, str) and len(value) <= LONGEST_GID and value.count("/") == _SLASHES}


def ends(change: Change) -> set[Gid]:
    """The other ends of the links that a change speaks of."""
    fields = change.fields if isinstance(change, Create | Set) else ()
    return {end for end in map(link_end, fields) if end is not None}


def _marks(change: Change) -> set[str]:
    """What a later change may have to come after: it; and for the deletion of its issue, all that is made below that."""
    if isinstance(change, Create) and change.parent is not None:
        return {change.gid, f"below {change.parent}"}
    return {change.gid}


def arrived(waits_for: str, change: Change, there: Collection[Gid]) -> bool:
    """Whether what a change waits for has come; of the other ends of several links, one of them."""
    return waits_for in there or (isinstance(change, Set) and not ends(change).isdisjoint(there))


def pointless(change: Change, over: Collection[Gid], doomed: Collection[Gid]) -> bool:
    """Whether nobody needs to mend what holds it up: what it is about is dead or apart, or about to be deleted."""
    if change.gid in over or (change.gid in doomed and not isinstance(change, Delete)):
        return True
    if isinstance(change, Set):
        return all(link_end(name) in over for name in change.names)
    return isinstance(change, Create) and change.parent in over
