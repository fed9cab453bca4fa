"""What is carried: issues with ten fields, one of them a text of about a kilobyte. The same seed gives the same issues."""

from __future__ import annotations

import random
from collections import defaultdict
from pydoc_data import topics
from typing import Final, Protocol

from filesync.model.ids import Gid, Kind, SiteId, make_gid
from filesync.model.issue import About, Issue, Item, Ref
from filesync.model.values import Value

SEED: Final = 20261123
STAMP: Final = "1763892000000"
TEXT: Final = 940  # characters: with gid, marks and names a line of about 1.2 kB
_TITLE: Final = 50
_PRIORITIES: Final = ("Highest", "High", "Medium", "Low", "Lowest")
_STATUSES: Final = ("To Do", "In Progress", "In Review", "Done")
_TYPES: Final = ("Story", "Bug", "Task")
# Made once, as a tracker's own words are: what 200,000 issues share is not fetched from memory 200,000 times.
_AREAS: Final = tuple(f"labels:area-{n}" for n in range(40))
_USERS: Final = tuple(f"user{n:03}" for n in range(400))
_DAYS: Final = tuple(f"2027-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29))
_POINTS: Final = tuple(str(n) for n in range(21))


FIELDS: Final = frozenset(
    {"type", "status", "summary", "description", "priority", "labels", "assignee", "due_date", "story_points"}
)


class Words(Protocol):
    """What makes texts of a size."""

    def text(self, size: int) -> str:
        """So many characters, or a word more."""
        ...


class Prose:
    """Varied English: a walk from word to word through Python's own reference, each followed by one that follows it there."""

    def __init__(self, seed: int = SEED) -> None:
        words = " ".join(topics.topics.values()).split()
        after: dict[str, list[str]] = defaultdict(list)
        for one, following in zip(words, [*words[1:], words[0]], strict=True):
            after[one].append(following)
        self._after = dict(after)
        self._word = words[0]
        self._chance = random.Random(seed).random

    def text(self, size: int) -> str:
        """So many characters, or a word more."""
        after, chance, word = self._after, self._chance, self._word
        found: list[str] = []
        length = 0
        while length < size:
            following = after[word]
            word = following[int(chance() * len(following))]
            found.append(word)
            length += len(word) + 1
        self._word = word
        return " ".join(found)


def fields(n: int, prose: Words) -> dict[str, Value]:
    """The ten fields of the n-th issue, as they are before anything changes."""
    return {
        "type": _TYPES[n % 3],
        "status": _STATUSES[n % 4],
        "summary": prose.text(_TITLE),
        "description": f"as it was: {n}",
        "priority": _PRIORITIES[n % 5],
        "labels:shared": True,
        _AREAS[n % 40]: True,
        "assignee": _USERS[n % 400],
        "due_date": _DAYS[n % len(_DAYS)],
        "story_points": _POINTS[n % 21],
    }


def gid_of(site: SiteId, n: int) -> Gid:
    """The n-th issue, born at this site."""
    return make_gid(site, Kind.ISSUE, str(n), STAMP)


def issue(n: int, fields: dict[str, Value], *, origin: Gid | None, prefix: str) -> Issue:
    """The n-th issue as a tracker shows it."""
    ref = Ref(Kind.ISSUE, str(n), str(n))
    about = About(key=f"{prefix}-{n}", author=_USERS[n % 397], at="2026-11-23T10:00:00.000Z")
    return Issue(item=Item(ref=ref, stamp=STAMP, origin=origin, fields=fields, about=about), children=(), key=f"{prefix}-{n}")
