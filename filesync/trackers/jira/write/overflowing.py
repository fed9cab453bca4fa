"""The files with texts that are longer than Jira takes: attached before the text is written, taken away when it is another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from filesync.errors import Gone, Rejected, size_text
from filesync.model.ids import Kind
from filesync.trackers.jira.project import Project, gone_words, new_id
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import markers, overflow
from filesync.trackers.jira.translate.markers import PARTS
from filesync.trackers.jira.translate.text import length
from filesync.trackers.jira.write import parts
from filesync.trackers.jira.write.uploads import Uploads

Json: TypeAlias = dict[str, Any]


class Overflow:
    """The files of one project. Its methods raise Gone, Unavailable."""

    def __init__(self, project: Project, uploads: Uploads) -> None:
        self._project, self._uploads = project, uploads

    def listed(self, issue: str) -> list[Json]:
        """The attachments of an issue."""
        return objects(self._project.issue(issue, "attachment").get("fields"), "attachment")

    def attach(self, issue: str, file: str, whole: str, listed: Sequence[Json]) -> Json:
        """Attach a text under the name that `overflow` gave its file, unless it is `listed`: an earlier call did it.

        Raises Rejected with words that say of how long a text.
        """
        content = whole.encode()
        for one in self._ours(issue, {file}, listed):
            if str(one.get("size")) == str(len(content)):
                return one
        if len(content) > overflow.LARGEST:
            raise self._refused(whole, f"{size_text(len(content))} are more than filesync reads again")
        try:
            self._uploads.room_for(len(content))
            answer = self._project.http.upload(
                f"{API}/issue/{issue}/attachments",
                name=file,
                size=len(content),
                content=lambda: _pieces(content),
                about=issue,
                gone=gone_words(issue),
            )
        except Rejected as error:
            self._project.standing()
            raise self._refused(whole, str(error), hint=error.hint) from error
        made = answer[0] if isinstance(answer, list) and answer else answer
        new_id(made, "the new attachment")
        self._project.texts.keep(file, whole)
        return dict(made)

    def _refused(self, whole: str, why: str, *, hint: str = "") -> Rejected:
        limit = self._project.catalogue.text_limit
        said = f"{length(whole):,} characters are more than the {limit:,} there is room for"
        return Rejected(f"{said}, and a file with all of them cannot be attached: {why}", hint=hint)

    def tidy(self, issue: str, files: Mapping[str, str], listed: Sequence[Json]) -> None:
        """Delete what held these texts, by their owners, before they had these files; "" for a text that has none."""
        names = {str(one.get("filename")) for one in listed}
        old = {name for name in names for owner, file in files.items() if name != file and overflow.is_of(name, owner)}
        self.drop(issue, old, listed)

    def drop(self, issue: str, names: Collection[str], listed: Sequence[Json]) -> None:
        """Delete those of our files that have these names."""
        for one in self._ours(issue, names, listed):
            # The text has landed. A file that may not be deleted is told to nobody, and tried again with the next edit.
            with suppress(Gone, Rejected):
                path = f"{API}/attachment/{one.get('id')}"
                self._project.http.send("DELETE", path, about=issue, gone="it is gone", idempotent=True)

    def _ours(self, issue: str, names: Collection[str], listed: Sequence[Json]) -> list[Json]:
        """Our files of these names. A partner's attachment may be called so, too: it is none of them, whatever it holds."""
        found = [one for one in listed if one.get("filename") in names and self._project.ours(one.get("author"))]
        taken = markers.read_parts(parts.held_by(self._project.issue(issue, properties=PARTS))) if found else {}
        return [one for one in found if markers.part_name(Kind.ATTACHMENT, str(one.get("id"))) not in taken]


def _pieces(content: bytes) -> Iterator[bytes]:
    yield content
