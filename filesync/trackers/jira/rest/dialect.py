"""Which Jira this is, and who we are there: asked of it, once, when a tracker is opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem, Rejected, Unavailable
from filesync.model.values import utc_text
from filesync.trackers.jira.kinds import KINDS
from filesync.trackers.jira.rest.http import Http
from filesync.trackers.jira.translate.shapes import epoch_ms

API: Final = "rest/api/2"  # where every Jira answers, and texts are wiki markup
MARGIN: Final = 120_000  # ms that clocks, and the whole minutes of an index, may lie apart
_DAY: Final = 86_400_000  # ms
_TICK: Final = 1_000  # ms that roundings may make
_STEP: Final = 10.0  # seconds that our clock may go otherwise than one that nobody sets
_SHOWN: Final = 60  # characters of Jira's words in a message


class Reads(Protocol):
    """Whoever asks Jira."""

    def get(self, path: str, *, params: Mapping[str, str] | None = None, gone: str = "") -> Any:
        """The decoded answer. Raises Unavailable, Rejected; Gone on 404, where there are words for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between one Jira and the next."""

    cloud: bool
    product: str  # "Jira Data Center 10.3.24"
    accounts: frozenset[str]  # who we are: the `name` of a user on Data Center, the `accountId` on Cloud


def probe(http: Http) -> Dialect:
    """Ask what it is and who we are. Raises ConfigError (not the kind that the settings say), Unavailable."""
    info = _mapping(http, f"{API}/serverInfo")
    cloud = info.get("deploymentType") == "Cloud"
    version = shown(str(info.get("version", "")), limit=_SHOWN)
    product = "Jira Cloud" if cloud else f"Jira Data Center {version}"
    if cloud != http.cloud:
        kind = next(name for name, is_cloud in KINDS.items() if is_cloud == cloud)
        raise ConfigError([Problem("tracker.kind", f"{http.name} is a {product}: its kind is {kind}")])
    me = _mapping(http, f"{API}/myself")
    account = me.get("accountId" if cloud else "name")
    if not isinstance(account, str) or not account:
        raise Unavailable(f"{http.name} does not say who we are", hint="Renew what tracker.settings names as our secret.")
    return Dialect(cloud=cloud, product=product, accounts=frozenset({account}))


def read_time(http: Reads) -> int:
    """Jira's own clock, as epoch milliseconds: ours need not be right. Raises Unavailable."""
    try:
        info = http.get(f"{API}/serverInfo")
        return epoch_ms(info.get("serverTime") if isinstance(info, Mapping) else None)
    except (Rejected, ValueError) as error:
        raise Unavailable(
            f"Jira does not say what time it is: {shown(str(error))}",
            hint="Is tracker.settings.url the address of Jira itself?",
        ) from error


class ServerTime:
    """What time it is in Jira, told by our clock. Where that was set, or stood still with the machine, Jira is asked again.

    Jira dates what is made by its own clock, and marks are held against that: ours may be wrong by hours, and be put right
    while we work.
    """

    def __init__(self, http: Http, clock: Callable[[], dt.datetime]) -> None:
        self._http, self._clock = http, clock
        self._known: tuple[int, float] | None = None  # asked for when it is needed: what only reads needs no time

    def _asked(self) -> tuple[int, float]:
        """How many ms Jira is ahead of our clock, and where that stands beside one that nobody sets."""
        there = read_time(self._http)
        return there - self._ms(), self._beside()

    def _ms(self) -> int:
        return int(self._clock().timestamp() * 1000)

    def _beside(self) -> float:
        return self._clock().timestamp() - self._http.elapsed()

    @property
    def ahead_ms(self) -> int:
        """How far Jira's clock is ahead of ours. Raises Unavailable."""
        known = self._known
        if known is None or abs(self._beside() - known[1]) > _STEP:
            known = self._known = self._asked()
        return known[0]

    def now_ms(self) -> int:
        """Jira's time, in ms since 1970. Raises Unavailable."""
        ahead = self.ahead_ms
        return self._ms() + ahead

    def earliest(self, tried: str) -> int:
        """No call that began at this moment by our clock ("": just now) was done before, in ms of Jira's.

        A moment to come shows that our clock was set back since, nobody knows how far: then a day is looked back.
        """
        now = self.now_ms()
        ours = epoch_ms(tried) if tried else now - self.ahead_ms
        there = ours + self.ahead_ms
        return (now - _DAY if there > now + _TICK else min(ours, there)) - MARGIN

    def now_text(self) -> str:
        """Jira's time, as `utc_text`. Raises Unavailable."""
        ahead = self.ahead_ms
        return utc_text(self._clock() + dt.timedelta(milliseconds=ahead))


def _mapping(http: Http, path: str) -> Mapping[str, Any]:
    found = http.get(path)
    if not isinstance(found, Mapping):
        raise Unavailable(
            f"{http.name} answers {path} with nothing that a Jira says", hint="Is tracker.settings.url the address of a Jira?"
        )
    return found
