"""What an import takes away in Jira, or leaves with words for people that the partner took its own away."""

from __future__ import annotations

from collections.abc import Mapping

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.trackers.jira.project import Project
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import entries, overflow
from filesync.trackers.jira.translate.refused import refusal
from filesync.trackers.jira.write.notices import Notices
from filesync.trackers.jira.write.overflowing import Overflow
from filesync.trackers.jira.write.writing import item_gone

_NAMED = 5  # sub-tasks that a message names


class Ending:
    """The end of items of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project, notices: Notices, files: Overflow) -> None:
        self._project, self._notices, self._overflow = project, notices, files

    def remove(self, ref: Ref) -> None:
        """Delete the item. Sub-tasks are never deleted with their issue."""
        project = self._project
        if not is_id(ref.issue) or not is_id(ref.local):
            return
        try:
            file = self._file(ref)
            project.http.send(
                "DELETE",
                _path(ref),
                params=entries.PARAMS.get(ref.kind),
                about=ref.issue,
                gone=item_gone(ref),
                idempotent=True,
            )
            if file:
                self._overflow.drop(ref.issue, {file}, self._overflow.listed(ref.issue))
        except Gone:
            project.standing(now=True)
        except Rejected as error:
            project.standing()
            raise self._why(ref, error) from error

    def _file(self, ref: Ref) -> str:
        """The name of the file that has all of its text; "" where it stands there by itself. Raises Gone."""
        if ref.kind not in entries.TEXT:
            return ""  # an issue takes its files with it
        there = self._project.http.get(_path(ref), gone=item_gone(ref))
        said = there.get(entries.TEXT[ref.kind]) if isinstance(there, Mapping) else None
        pointer = overflow.find(str(said or ""))
        # somebody may have written the name of another text's file there
        return pointer.file if pointer is not None and overflow.is_of(pointer.file, ref.kind) else ""

    def _why(self, ref: Ref, error: Rejected) -> Rejected:
        """Why it was not deleted."""
        if ref.kind is not Kind.ISSUE:
            return Rejected(f"{ref.kind} {ref.local} is not deleted: {error}", hint=error.hint)
        there = self._project.issue(ref.local, "subtasks")
        key = shown(str(there.get("key", "")))
        below = [shown(str(one.get("key", "")), limit=20) for one in objects(there.get("fields"), "subtasks")]
        if not below:
            return Rejected(f"{key} is not deleted: {error}", hint="May our account delete issues in this project?")
        said = ", ".join(below[:_NAMED]) + (", …" if below[_NAMED:] else "")
        why = {"parent": f"{said} would lose the issue they belong to"}
        return refusal(f"deleting {key}", why, hint="Delete them, or make them issues of their own, first.")

    def mark(self, ref: Ref, partner: str) -> None:
        """Say on the issue, in a comment that is not told to partners, that the partner has deleted its own."""
        project = self._project
        if not is_id(ref.issue) or not is_id(ref.local):
            raise Gone(item_gone(ref))
        if ref.kind is not Kind.ISSUE:
            project.http.get(_path(ref), gone=item_gone(ref))
        self._notices.deleted(ref, partner)


def _path(ref: Ref) -> str:
    match ref.kind:
        case Kind.ISSUE:
            return f"{API}/issue/{ref.local}"
        case Kind.ATTACHMENT:
            return f"{API}/attachment/{ref.local}"
        case _:
            return f"{API}/issue/{ref.issue}/{ref.kind}/{ref.local}"
