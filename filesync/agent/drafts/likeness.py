"""Which of our words is which of the contract's: the same, the same but for case and marks, or perhaps. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_WORD: Final = 255  # characters, as the schemas have it
_LONGEST_NAME: Final = 55  # characters of a field's name: there is room for a number behind it
_MOST: Final = 50_000  # pairs of words that are compared letter by letter
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What two lists have in common, beside the words that are equal. `perhaps`: for some of `absent`, the nearest of ours."""

    sure: Mapping[str, str]  # ours to the contract's
    absent: tuple[str, ...]  # words of the contract that nothing here stands for
    perhaps: Mapping[str, str]
    left: tuple[str, ...]  # words of ours that stand for none


def folded(word: str) -> str:
    """What is left of a word without case, accents, blanks and marks."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", word).casefold() if letter.isalnum())


def compare(
    ours: Sequence[str],
    theirs: Iterable[str],
    *,
    labels: Mapping[str, str],
    fits: Callable[[str, str], bool] = lambda _ours, _theirs: True,
) -> Likeness:
    """Each of ours and of theirs is taken for one of the other at most. `labels`: what people see for ours."""
    theirs = tuple(dict.fromkeys(theirs))
    equal = {one for one in theirs if one in ours and fits(one, one)}
    left = [one for one in dict.fromkeys(ours) if one not in equal]
    absent = [one for one in theirs if one not in equal]
    by_ours: dict[str, list[str]] = {}
    for one in left:
        for key in {folded(one), folded(labels.get(one, ""))} - {""}:
            by_ours.setdefault(key, []).append(one)
    found: dict[str, list[str]] = {}  # ours: theirs
    for word in absent:
        candidates = [one for one in by_ours.get(folded(word), ()) if fits(one, word)]
        if len(candidates) == 1:
            found.setdefault(candidates[0], []).append(word)
    sure = {one: words[0] for one, words in found.items() if len(words) == 1 and _plain(one)}
    left = [one for one in left if one not in sure]
    absent = [word for word in absent if word not in sure.values()]
    near = _near(absent, by_ours, left, fits) if len(absent) * len(left) <= _MOST else {}
    return Likeness(sure=sure, absent=tuple(absent), perhaps=near, left=tuple(left))


def _near(
    absent: Sequence[str], by_ours: Mapping[str, list[str]], left: Collection[str], fits: Callable[[str, str], bool]
) -> dict[str, str]:
    keys = {key: one for key, those in by_ours.items() for one in those if one in left}
    found: dict[str, str] = {}
    for word in absent:
        known = [key for key, one in keys.items() if one not in found.values() and fits(one, word)]
        if close := difflib.get_close_matches(folded(word), known, n=1):
            found[word] = keys[close[0]]
    return found


def _plain(word: str) -> bool:
    return 1 <= len(word) <= LONGEST_WORD and word.isprintable()


def usable(words: Iterable[str]) -> Iterator[str]:
    """Those, each once, that can stand in a contract."""
    return (word for word in dict.fromkeys(words) if _plain(word))


def wire_name(label: str, taken: Collection[str]) -> str:
    """A name for a field of the contract, out of what people see: lower-case letters, digits and underscores, not yet taken."""
    plain = unicodedata.normalize("NFKD", label.replace("/s", "s")).casefold().encode("ascii", "ignore").decode()
    name = _NOT_IN_NAMES.sub("_", plain).strip("_")
    if not name[:1].isalpha():
        name = f"field_{name}".strip("_")
    name = name[:_LONGEST_NAME].strip("_")
    number = 2
    full = name
    while full in taken:
        full, number = f"{name}_{number}", number + 1
    return full
