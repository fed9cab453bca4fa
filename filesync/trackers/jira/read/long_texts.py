"""Texts of which Jira has only the beginning: made whole with the files that an import attached for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unreadable
from filesync.trackers.jira.read.lists import Json
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import overflow

_REMEMBERED: Final = 8 << 20  # characters of such texts
_ENTRIES: Final = (("comment", "comments", "body"), ("worklog", "worklogs", "comment"))


class Fetches(Protocol):
    """Whoever fetches files (http.py)."""

    def quote(self, text: str) -> str:
        """Any text as one segment of a path."""
        ...

    def download(self, path: str, *, size: int, gone: str = "") -> Iterator[bytes]:
        """The bytes of a file. Raises Unavailable, Rejected, Gone, at any step."""
        ...


def download(http: Fetches, *, cloud: bool, local: str, name: str, size: int, gone: str) -> Iterator[bytes]:
    """The bytes of an attachment with this id, name and size. Raises as `Fetches.download`."""
    way = f"{API}/attachment/content/{local}" if cloud else f"secure/attachment/{local}/{http.quote(name)}"
    return http.download(way, size=size, gone=gone)


class LongTexts:
    """The texts of one Jira; several threads may ask. A file is fetched once, as its name says what is in it."""

    def __init__(self, http: Fetches, *, cloud: bool) -> None:
        self._http, self._cloud = http, cloud
        self._known: dict[str, str] = {}  # by the name of its file
        self._size = 0
        self._lock = threading.Lock()

    def keep(self, file: str, whole: str) -> None:
        """What a file holds."""
        with self._lock:
            if self._size + len(whole) > _REMEMBERED:
                self._known.clear()
                self._size = 0
            self._known[file] = whole
            self._size += len(whole)

    def mend(self, issue: Mapping[str, Any]) -> None:
        """Make the texts of an issue whole, those of its comments and worklogs too; where any is cut, it has its `attachment`s.

        Raises Unreadable where the file of one is not there, Unavailable.
        """
        fields, key = issue["fields"], str(issue.get("key", ""))
        listed = objects(fields, "attachment")
        for name, value in fields.items():
            if isinstance(value, str):
                fields[name] = self.whole(value, listed, key)
        for name, entries, text in _ENTRIES:
            for one in objects(fields.get(name), entries):
                if isinstance(said := one.get(text), str):
                    one[text] = self.whole(said, listed, key)

    def whole(self, text: str, listed: Sequence[Json], key: str) -> str:
        """A text as Jira shows it, with all that an attachment of its issue has of it. Raises as `mend`."""
        pointer = overflow.find(text)
        if pointer is None:
            return text
        for one in listed:
            if one.get("filename") == pointer.file and (content := self._content(one)) is not None:
                return pointer.whole(content)
        raise Unreadable(
            f"a text of {shown(key)} goes on in the attached file {pointer.file}, and that is not there",
            hint="Nothing of the issue was told or changed. Attach it again, or take out the line that names it: "
            "what is left is then the text, for the partner too.",
        )

    def _content(self, attachment: Mapping[str, Any]) -> str | None:
        """What a file holds; None where that is not what it was named for."""
        local, name, size = (str(attachment.get(one, "")) for one in ("id", "filename", "size"))
        with self._lock:
            known = self._known.get(name)
        if known is not None:
            return known
        if not local.isdigit() or not size.isdigit() or int(size) > overflow.LARGEST:
            return None
        try:
            found = b"".join(
                download(self._http, cloud=self._cloud, local=local, name=name, size=int(size), gone="the file is gone")
            )
            if not overflow.holds(name, found):
                return None
            whole = found.decode()
        except (Gone, UnicodeDecodeError):
            return None
        except Rejected as error:
            raise Unreadable(
                f"the attached file {shown(name)}, with the rest of a text, is not shown to our account: {error}",
                hint="Nothing of its issue was told or changed. Let the account see the issue's attachments.",
            ) from error
        self.keep(name, whole)
        return whole
