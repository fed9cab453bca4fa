"""What our account says to people on an issue, in comments that are told to nobody: what became of the partner's own of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import Ref, Scope
from filesync.trackers.jira.project import Project, gone_words, strange
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.read.lists import Lists, Moved
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import text
from filesync.trackers.jira.translate.issues import properties
from filesync.trackers.jira.translate.markers import PROPERTY, Notice, notice_json, part_name, read_notice
from filesync.trackers.jira.translate.offered import SERVICE_DESK
from filesync.trackers.jira.write.writing import item_gone

_TRIES: Final = 3


class Notices:
    """The notices of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project, lists: Lists) -> None:
        self._project, self._lists = project, lists

    def deleted(self, ref: Ref, partner: str) -> None:
        """Say that the partner has deleted its own of the item, which is there."""
        what = "this issue" if ref.kind is Kind.ISSUE else f"the {ref.kind} {ref.local}"
        notice = Notice(part_name(ref.kind, ref.local), partner)
        self._say(
            ref, notice, f"_{text.plain(partner)} has deleted its own of {what}._", what=f"deleted {ref.kind} {ref.local}"
        )

    def scope(self, ref: Ref, partner: str, now: Scope) -> None:
        """Say that the partner does not send its own of the issue any more; or say it no more."""
        if not is_id(ref.issue):
            raise Gone(item_gone(ref))
        notice = Notice(part_name(ref.kind, ref.local), partner, left=True)
        if now is Scope.IN:
            for comment in [one for one, said in self._listed(ref) if said == notice]:
                self._take(ref, comment)
            return
        who = text.plain(partner)
        did = (
            f"{who} has moved its own of this issue to another project"
            if now is Scope.MOVED
            else f"{who} has let go of this issue"
        )
        body = f"_{did}: what is edited there does not come here any more. What is edited here still goes there._"
        self._say(ref, notice, body, what=f"does not send issue {ref.local} any more")

    def _say(self, ref: Ref, notice: Notice, body: str, *, what: str) -> None:
        if self._said(ref, notice):
            return
        marks: list[dict[str, object]] = [{"key": PROPERTY, "value": notice_json(notice)}]
        if self._project.catalogue.desk:
            marks.append({"key": SERVICE_DESK, "value": {"internal": True}})  # for its agents, not for its customers
        try:
            self._project.http.send(
                "POST",
                f"{API}/issue/{ref.issue}/comment",
                body={"body": body, "properties": marks},
                about=ref.issue,
                gone=gone_words(ref.issue),
            )
        except Unknown:
            if not self._said(ref, notice):
                raise
        except Rejected as error:
            self._project.standing()
            raise Rejected(f"that {notice.by} {what} cannot be shown: {error}", hint=error.hint) from error

    def _take(self, ref: Ref, comment: str) -> None:
        gone = f"the comment {comment} is gone"
        try:
            self._project.http.send(
                "DELETE", f"{API}/issue/{ref.issue}/comment/{comment}", about=ref.issue, gone=gone, idempotent=True
            )
        except Gone:
            self._project.standing(now=True)
        except Rejected as error:
            self._project.standing()
            why = f"our comment {comment}, which says that nothing comes any more, is not deleted: {error}"
            raise Rejected(why, hint=error.hint) from error

    def _said(self, ref: Ref, notice: Notice) -> bool:
        return any(said == notice for _, said in self._listed(ref))

    def _listed(self, ref: Ref) -> list[tuple[str, Notice]]:
        """The issue's comments that are notices of ours."""
        for _ in range(_TRIES):
            issue: dict[str, Any] = dict(self._project.issue(ref.issue, "comment"))
            try:
                self._lists.fill(issue)
            except Moved:
                continue
            if not self._lists.mark([issue]):
                return list(self._ours(issue))
        raise strange(f"the comments of issue {ref.issue}")

    def _ours(self, issue: dict[str, Any]) -> Iterator[tuple[str, Notice]]:
        for one in objects(issue["fields"].get("comment"), "comments"):
            said = read_notice(properties(one).get(PROPERTY))
            if said is not None and self._lists.ours(one.get("author")):
                yield str(one.get("id")), said
