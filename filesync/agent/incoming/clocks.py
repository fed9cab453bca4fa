"""The partner's clock against ours. Nothing depends on it; people read its times."""

from __future__ import annotations

import datetime as dt
from typing import Final

from filesync.agent.incoming.arrivals import ClockDiffers
from filesync.bundle.header import Header

_SLACK: Final = dt.timedelta(minutes=15)  # made so far in the future, it was made by another clock, not sent quickly


def ahead(header: Header, *, now: dt.datetime, partner: str) -> ClockDiffers | None:
    """A bundle cannot have been made later than now. That one was made long ago says nothing: it may have travelled."""
    try:
        span = dt.datetime.fromisoformat(header.created_at) - now
    except ValueError:
        return None  # the 13th month: told for people only
    if span <= _SLACK:
        return None
    return ClockDiffers(partner=partner, seq=header.seq, made=header.created_at, ahead_s=int(span.total_seconds()))
