"""Attachments: made by upload, once for each origin, and fetched."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, size_text
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Ref
from filesync.trackers.base import Born, Draft
from filesync.trackers.jira.project import STALE, Project, gone_words, new_id, strange
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.read.long_texts import download
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.issues import read_child
from filesync.trackers.jira.translate.markers import PARTS, Part
from filesync.trackers.jira.translate.refused import refusal
from filesync.trackers.jira.translate.shapes import epoch_ms
from filesync.trackers.jira.write import parts

_NAME: Final = 250  # characters of a file's name that Jira keeps, with room for what it may add
_YOUNG: Final = 1.0  # seconds: what an issue said so long ago is not asked for again
_SIZE: Final = re.compile(r"[0-9]{1,18}")  # bytes
_END: Final = 20  # of these, kept of its end: what kind of file it is


class Uploads:
    """The attachments of one project's issues."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._read: tuple[dt.datetime, Mapping[str, Any]] | None = None

    def create(self, origin: Gid, draft: Draft) -> Born:
        """Attach a file. Raises as `Tracker.create` does."""
        with parts.turn(self._project, draft.issue or ""):
            return self._create(origin, draft)

    def _create(self, origin: Gid, draft: Draft) -> Born:
        issue, project = draft.issue or "", self._project
        name, size = _checked(draft)
        began = project.http.elapsed()
        there = project.issue(issue, "attachment", properties=PARTS)
        if draft.tried and (born := self._before(origin, draft, there)) is not None:
            return born
        self.room_for(size)
        part, key, held = Part(origin), str(there.get("key", "")), parts.held_by(there)
        parts.check_room(held, part, key)
        assert draft.content is not None  # _checked
        try:
            answer = project.http.upload(
                f"{API}/issue/{issue}/attachments",
                name=name,
                size=size,
                content=_whole(draft.content, size),
                about=issue,
                gone=gone_words(issue),
            )
        except Unknown:
            # Whether it was done can be seen at once: an issue's attachments come from the database.
            born = self._before(origin, draft, project.issue(issue, "attachment", properties=PARTS))
            if born is None:
                raise
            return Born(item=born.item, key=born.key)
        except Rejected as error:
            project.standing()
            raise Rejected(f"an attachment of {size_text(size)} on {key} is refused: {error}", hint=error.hint) from error
        made = answer[0] if isinstance(answer, list) and answer else answer
        local = new_id(made, "the new attachment")
        young = project.http.elapsed() - began < _YOUNG
        parts.add(project, issue, markers.part_name(Kind.ATTACHMENT, local), part, held=held if young else None)
        return self._born(origin, made, issue, key)

    def claim(self, ref: Ref, origin: Gid) -> None:
        """Write down for whom an attachment was made, where its issue does not say so. Raises as `Tracker.claim` does."""
        with parts.turn(self._project, ref.issue):
            held = parts.held_by(self._project.issue(ref.issue, properties=PARTS))
            name = markers.part_name(Kind.ATTACHMENT, ref.local)
            if name not in markers.read_parts(held):
                parts.add(self._project, ref.issue, name, Part(origin), held=held)

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        """Its bytes. Raises as `Tracker.fetch` does."""
        project, words = self._project, f"attachment {shown(ref.local, limit=20)} is gone"
        if not is_id(ref.local):
            raise Gone(words)
        about = project.http.get(f"{API}/attachment/{ref.local}", gone=words)
        if not isinstance(about, Mapping):
            raise strange(f"attachment {ref.local}")
        name, size = str(about.get("filename", "")), str(about.get("size", ""))
        if not _SIZE.fullmatch(size):
            raise strange(f"the size of attachment {ref.local}")
        yield from download(project.http, cloud=project.cloud, local=ref.local, name=name, size=int(size), gone=words)

    def room_for(self, size: int) -> None:
        """What Jira takes, asked before bytes are sent. Raises Rejected."""
        meta = self._meta()
        limit = meta.get("uploadLimit")
        if meta.get("enabled") is False:
            raise Rejected("attachments are switched off in Jira", hint="An administrator of Jira can switch them on.")
        if isinstance(limit, int) and size > limit:
            raise refusal(
                "the attachment",
                {"size": f"{size_text(size)} are more than the {size_text(limit)} that Jira takes"},
                hint="An administrator of Jira can raise its limit; it is not tried again by itself.",
            )

    def _meta(self) -> Mapping[str, Any]:
        """What Jira says of attachments in general; not asked for each one."""
        now = self._project.clock()
        if self._read is None or now - self._read[0] > STALE:
            meta = self._project.http.get(f"{API}/attachment/meta")
            self._read = (now, meta if isinstance(meta, Mapping) else {})
        return self._read[1]

    def _before(self, origin: Gid, draft: Draft, there: Mapping[str, Any]) -> Born | None:
        """What an earlier call attached: by its mark, or else one of ours with the same name and the same bytes."""
        properties, key, issue = parts.held_by(there), str(there.get("key", "")), str(there.get("id", ""))
        listed = {str(one.get("id")): one for one in objects(there.get("fields"), "attachment")}
        marked = parts.of_origin(properties, origin)
        if marked is not None:
            # what people deleted meanwhile is not made again
            lost = {"id": marked, "filename": draft.fields["name"], "size": draft.fields["size"], "created": draft.tried}
            return self._born(origin, listed.get(marked, lost), issue, key, again=True)
        taken, wanted = markers.read_parts(properties), b""
        for local, one in listed.items():
            name = markers.part_name(Kind.ATTACHMENT, local)
            if name in taken or not self._may_be(one, draft):
                continue
            wanted = wanted or _digest(draft.content() if draft.content is not None else iter(()))
            if _digest(self.fetch(Ref(Kind.ATTACHMENT, issue, local))) == wanted:
                parts.add(self._project, issue, name, Part(origin))
                return self._born(origin, one, issue, key, again=True)
        return None

    def _may_be(self, shown_: Mapping[str, Any], draft: Draft) -> bool:
        """Whether a file on the issue may be what an earlier call with this draft attached."""
        project = self._project
        since = project.time.earliest(draft.tried)
        try:
            late = epoch_ms(shown_.get("created")) >= since
        except ValueError:
            late = True
        return late and project.ours(shown_.get("author")) and str(shown_.get("size")) == draft.fields.get("size")

    def _born(self, origin: Gid, json: Mapping[str, Any], issue: str, key: str, *, again: bool = False) -> Born:
        project = self._project
        held = {PARTS[0]: {markers.part_name(Kind.ATTACHMENT, str(json.get("id"))): origin}}
        item = read_child(
            project.catalogue, json, kind=Kind.ATTACHMENT, issue=issue, key=key, properties=held, accounts=project.accounts
        )
        return Born(item=item, key=key, again=again)


def file_name(name: str) -> str:
    """A name as it is given to Jira: one line without slashes, and no longer than there is room for; its end stays."""
    line = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    return line if len(line) <= _NAME else f"{line[: _NAME - _END - 1]}…{line[-_END:]}"


def _checked(draft: Draft) -> tuple[str, int]:
    """Name and size. Raises Rejected."""
    name, size = draft.fields.get("name"), draft.fields.get("size")
    refused = {}
    if not isinstance(name, str) or not name:
        refused["name"] = "an attachment needs a name"
    if not isinstance(size, str) or not _SIZE.fullmatch(size):
        refused["size"] = "an attachment says how many bytes it has"
    refused |= {one: "an attachment has the fields `name` and `size`" for one in draft.fields if one not in {"name", "size"}}
    if refused:
        raise refusal("a new attachment", refused)
    if draft.content is None:
        raise Rejected("an attachment comes with its bytes")
    return file_name(str(name)), int(str(size))


def _whole(content: Callable[[], Iterator[bytes]], size: int) -> Callable[[], Iterator[bytes]]:
    """The bytes, of which there are as many as was told: else Rejected is raised instead of the last step."""

    def read() -> Iterator[bytes]:
        came = 0
        for piece in content():
            came += len(piece)
            if came > size:
                break
            yield piece
        if came != size:
            more = "more" if came > size else f"{came}"
            raise Rejected(f"the attachment says that it has {size} bytes, and {more} came")

    return read


def _digest(content: Iterator[bytes]) -> bytes:
    found = hashlib.sha256()
    for piece in content:
        found.update(piece)
    return found.digest()
