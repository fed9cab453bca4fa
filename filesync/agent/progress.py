"""How far long work is, for whoever shows it meanwhile. It is told at every step: keeping up is the listener's affair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias


class Doing(StrEnum):
    """What takes long, in words that follow how much of it is done: "4,500 issues looked at"."""

    LOOKING = "issues looked at"
    FETCHING = "of an attachment read"
    FINISHING = "bundles finished"
    SENDING = "of chunks put into the outbox"
    TAKING = "files in the inbox looked at"
    APPLYING = "changes decided"
    MAKING = "of an attachment written"
    COMPARING = "sent files compared"
    REMOVING = "files removed"
    CHECKING = "files checked"
    WAITING = "s waiting for the tracker"

    @property
    def in_bytes(self) -> bool:
        """Whether bytes are counted, not things."""
        return self in {Doing.FETCHING, Doing.SENDING, Doing.MAKING}


Progress: TypeAlias = Callable[[Doing, int, int | None], None]  # what, how much is done, of how much (None: not known)


def untold(doing: Doing, done: int, of: int | None) -> None:
    """Show it to nobody."""


def passing(blocks: Iterable[bytes], tell: Progress, doing: Doing, *, of: int) -> Iterator[bytes]:
    """The same bytes; how many have passed is told."""
    done = 0
    for block in blocks:
        yield block
        done += len(block)
        tell(doing, done, of)
