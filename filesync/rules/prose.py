"""What a text refers to: keys of issues and people mentioned, in our tracker's words and in the contract's. Pure.

A text travels as it was written, but for what it refers to. An issue is told as the key under which it was told, with the
site that calls it so; a person in the contract's word. So the text as it travels depends on nothing but what was written:
not on what is paired meanwhile. Each side shows its own keys. An issue that is not here is shown by the partner's
key, `ABC-17@acme`, and a person for whom nobody here stands as `[~anna@acme]`; both are read back as what they were.

What stands in a block of {code} or {noformat} refers to nothing, in any tracker: so both sides find the same.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from filesync.model.ids import SiteId
from filesync.model.manner import Manner
from filesync.rules.contract import Site
from filesync.rules.words import Words

# Unicode's signs for a text with a note: where it begins, what it is, its end. One that somebody wrote is told as two.
ANCHOR, NOTE, END = "\ufff9", "\ufffa", "\ufffb"
_CODE: Final = r"\{(?P<block>code|noformat)(?::[^}\n]*)?\}.*?\{(?P=block)\}"
_PERSON: Final = r"[^\[\]{}\n\ufff9-\ufffb]{1,255}"
_PROJECT: Final = r"[A-Z][A-Z0-9_]{0,79}"
_KEY: Final = rf"{_PROJECT}-[1-9][0-9]{{0,17}}"
_NOTHING: Final = r"(?!)"
_BEFORE, _AFTER = r"(?<![\w./!^@-])", r"(?![\w/@-]|\.\w)"  # what a key stands between; parts of paths and file names are none
_TOLD: Final = re.compile(rf"{ANCHOR}(?:~(?P<user>{_PERSON})|(?P<key>{_KEY}){NOTE}(?P<site>[0-9a-f-]{{36}}))?{END}|{ANCHOR}")
_ACCOUNT: Final = re.compile(r"[0-9a-z]{1,40}:[0-9A-Za-z:-]{8,200}|[0-9a-f]{24}")  # of Jira Cloud, as it has them today


class Keys(Protocol):
    """The keys of issues that came from the partner."""

    def theirs(self, key: str) -> str | None:
        """The partner's key of an issue, by ours; None where it is no issue of the partner's."""
        ...

    def ours(self, key: str) -> str | None:
        """Our key of an issue, by the partner's; None where it is not here (yet)."""
        ...


class Prose:
    """The texts of one exchange, at one site."""

    def __init__(self, manner: Manner, keys: Keys, *, users: Words, us: SiteId, them: Site) -> None:
        self._accounts, self._keys, self._users, self._us, self._them = manner.accounts, keys, users, us, them
        self._at = f"@{them.name}"
        # A text without these refers to nothing. Python finds one letter in a tenth of the time that it takes for more: most
        # texts lack the one that comes before each.
        self._signs = (("-", f"{manner.project}-"), ("~", "[~"), ("@", self._at), (ANCHOR, ANCHOR))
        # keys of another form, which an administrator may allow, could not be told from words
        own = manner.project if re.fullmatch(_PROJECT, manner.project) else _NOTHING
        partner = re.escape(self._at)
        self._said = re.compile(
            rf"(?P<code>{_CODE})"
            rf"|(?<!\\)\[~(?P<account>accountid:)?(?P<user>{_PERSON})\]"
            rf"|{_BEFORE}(?:(?P<key>{own}-[1-9][0-9]{{0,17}})|(?P<theirs>{_KEY}){partner}){_AFTER}"
            rf"|{ANCHOR}",
            re.DOTALL,
        )

    def outward(self, text: str) -> str:
        """A text of ours as it travels."""
        for rare, sign in self._signs:
            if rare in text and sign in text:
                return self._said.sub(self._told, text)
        return text

    def inward(self, text: str) -> str:
        """A text that came as it is written here. Raises ValueError with words for a person."""
        return _TOLD.sub(self._shown, text) if ANCHOR in text else text

    def unknown(self, text: str) -> set[str]:
        """The partner's keys of the issues that a text, as it travels, names and that are not here (yet)."""
        if ANCHOR not in text:
            return set()
        named = {one["key"] for one in _TOLD.finditer(text) if one["key"] and one["site"] == self._them.id}
        return {key for key in named if self._keys.ours(key) is None}

    def _told(self, found: re.Match[str]) -> str:
        if found["key"]:
            theirs = self._keys.theirs(found["key"])
            return self._issue(found["key"], self._us) if theirs is None else self._issue(theirs, self._them.id)
        if found["theirs"]:
            return self._issue(found["theirs"], self._them.id)
        if found["user"]:
            return self._person(found)
        return found[0].replace(ANCHOR, ANCHOR + END)

    def _issue(self, key: str, site: SiteId) -> str:
        return f"{ANCHOR}{key}{NOTE}{site}{END}"

    def _person(self, found: re.Match[str]) -> str:
        """A user who is mentioned; what is no user's name here stays as it is."""
        user, account = found["user"], found["account"] is not None
        if not account and user.endswith(self._at) and len(user) > len(self._at):
            return f"{ANCHOR}~{user.removesuffix(self._at)}{END}"
        by_account = self._accounts and _ACCOUNT.fullmatch(user) is not None
        return f"{ANCHOR}~{self._users.out(user)}{END}" if account == by_account else found[0]

    def _shown(self, found: re.Match[str]) -> str:
        key, user, site = found["key"], found["user"], found["site"]
        if key and site == self._us:
            return key
        if key and site == self._them.id:
            return self._keys.ours(key) or f"{key}{self._at}"
        if user:
            return self._mention(user)
        if found[0] == ANCHOR + END:
            return ANCHOR
        raise ValueError("the text names an issue or a person in no known form")

    def _mention(self, word: str) -> str:
        ours = next(iter(self._users.back(word)), "")
        if not ours or re.fullmatch(_PERSON, ours) is None:
            return f"[~{word}{self._at}]"
        return f"[~accountid:{ours}]" if self._accounts and _ACCOUNT.fullmatch(ours) else f"[~{ours}]"


def readable(text: str) -> str:
    """A text as it travels, for people: with keys and names alone."""
    return _TOLD.sub(lambda one: one["key"] or (f"[~{one['user']}]" if one["user"] else ""), text)
