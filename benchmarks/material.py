"""What is carried: issues with ten fields, one of them a text of about a kilobyte. The same seed gives the same issues."""

from __future__ import annotations

import random
from collections import defaultdict
from pydoc_data import topics
from typing import Final

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


def fields(n: int, prose: Prose) -> dict[str, Value]:
    """The ten fields of the n-th issue, as they are before anything changes."""
    return {
        "type": _TYPES[n % 3],
        "status": _STATUSES[n % 4],
        "summary": prose.text(_TITLE),
        "description": f"as it was: {n}",
        "priority": _PRIORITIES[n % 5],
        "labels:shared": True,
        f"labels:area-{n % 40}": True,
        "assignee": f"user{n % 400:03}",
        "due_date": f"2027-{n % 12 + 1:02}-{n % 28 + 1:02}",
        "story_points": str(n % 21),
    }


def gid_of(site: SiteId, n: int) -> Gid:
    """The n-th issue, born at this site."""
    return make_gid(site, Kind.ISSUE, str(n), STAMP)


def issue(n: int, fields: dict[str, Value], *, origin: Gid | None, prefix: str) -> Issue:
    """The n-th issue as a tracker shows it."""
    ref = Ref(Kind.ISSUE, str(n), str(n))
    about = About(key=f"{prefix}-{n}", author=f"user{n % 397:03}", at="2026-11-23T10:00:00.000Z")
    return Issue(item=Item(ref=ref, stamp=STAMP, origin=origin, fields=fields, about=about), children=(), key=f"{prefix}-{n}")
