"""Times as the ledger keeps them."""

from __future__ import annotations

import datetime as dt


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970."""
    return int(moment.timestamp() * 1_000_000)


def moment(micros: int) -> dt.datetime:
    """The other way."""
    return dt.datetime.fromtimestamp(micros / 1_000_000, tz=dt.UTC)
