"""What is done to what hangs on an issue: comments, worklogs, attachments, watchers."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from tests.support.jira.documents import wiki
from tests.support.jira.properties import set_property
from tests.support.jira.records import Attachment, Comment, Issue, Item, Json, Project, Refusal, User, Worklog
from tests.support.jira.shown import spent
from tests.support.jira.store import Store
from tests.support.jira.values import Wrong, check_length, read_moment, round_trip, seconds_of


@dataclass(frozen=True, slots=True)
class ThreadWork:
    """One user's work on what belongs to issues."""

    store: Store
    actor: User

    # ── comments ────────────────────────────────────────────────────────────────────────────────────────────────

    def comment(self, issue: Issue, body: Json) -> Comment:
        """Write a comment of a request's body."""
        store = self.store
        words = f"{self.actor.display}, you do not have the permission to comment on this issue."
        store.demand(self.actor, "ADD_COMMENTS", issue, words)
        if store.flavour.cloud and len(issue.comments) >= store.faults.most_comments:
            raise Refusal(413, f"The issue has reached its limit of {store.faults.most_comments} comments.")
        text, visibility = self._text(body), self._visibility(issue, body)
        properties: dict[str, Json] = {}
        for entry in body.get("properties") or []:
            set_property(properties, entry.get("key"), entry.get("value"))
        with store.changing(issue) as moment:
            key = self.actor.key
            made = Comment(store.next_id(), key, text, moment, moment, key, visibility, properties)
            issue.comments.append(made)
            if key not in issue.watchers:
                issue.watchers.append(key)
        return made

    def edit_comment(self, issue: Issue, comment: Comment, body: Json) -> None:
        """Change its text and who sees it: a restriction that is not sent again is dropped."""
        self._owns(issue, comment.author, "EDIT", "COMMENTS")
        text, visibility = self._text(body), self._visibility(issue, body)
        properties = dict(comment.properties)
        for entry in body.get("properties") or []:
            set_property(properties, entry.get("key"), entry.get("value"))
        silent = self.store.faults.comment_edit_silent
        if silent:
            self.store.faults.strike("comment edit silent")
        with self.store.changing(issue, bump=not silent) as moment:
            comment.body, comment.visibility, comment.properties = text, visibility, properties
            comment.updated, comment.update_author = moment, self.actor.key

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        """Take a comment away."""
        self._owns(issue, comment.author, "DELETE", "COMMENTS")
        with self.store.changing(issue):
            issue.comments.remove(comment)

    # ── worklogs ────────────────────────────────────────────────────────────────────────────────────────────────

    def log_work(self, issue: Issue, body: Json, query: dict[str, str]) -> Worklog:
        """Log work of a request's body; the remaining estimate follows as `adjustEstimate` says."""
        store = self.store
        store.demand(
            self.actor, "WORK_ON_ISSUES", issue, "You do not have the permission to associate a worklog to this issue."
        )
        started, seconds, text = self._work(body, None)
        visibility = self._visibility(issue, body)
        properties: dict[str, Json] = {}
        for entry in body.get("properties") or []:
            set_property(properties, entry.get("key"), entry.get("value"))
        with store.changing(issue) as moment:
            key = self.actor.key
            started = moment if started is None else started
            made = Worklog(store.next_id(), key, text, started, seconds, moment, moment, key, visibility, properties)
            issue.worklogs.append(made)
            self._estimate(issue, moment, -seconds, query)
        return made

    def edit_worklog(self, issue: Issue, worklog: Worklog, body: Json, query: dict[str, str]) -> None:
        """Change a worklog."""
        self._owns(issue, worklog.author, "EDIT", "WORKLOGS")
        started, seconds, text = self._work(body, worklog)
        visibility = self._visibility(issue, body)
        with self.store.changing(issue) as moment:
            before, worklog.started = worklog.seconds, worklog.started if started is None else started
            worklog.seconds, worklog.comment, worklog.visibility = seconds, text, visibility
            worklog.updated, worklog.update_author = moment, self.actor.key
            self._estimate(issue, moment, before - seconds, query)

    def delete_worklog(self, issue: Issue, worklog: Worklog, query: dict[str, str]) -> None:
        """Take a worklog away."""
        self._owns(issue, worklog.author, "DELETE", "WORKLOGS")
        with self.store.changing(issue) as moment:
            issue.worklogs.remove(worklog)
            self.store.worklogs_gone.append((worklog.id, moment))
            self._estimate(issue, moment, worklog.seconds, query)

    # ── attachments ─────────────────────────────────────────────────────────────────────────────────────────────

    def attach(self, issue: Issue, name: str, content: Path) -> Attachment:
        """Keep a file, of any name: it is never a path here."""
        store = self.store
        store.demand(
            self.actor, "CREATE_ATTACHMENTS", issue, "You do not have permission to create attachments for this issue."
        )
        size = content.stat().st_size
        mime = mimetypes.guess_type(name.replace("/", "_"))[0] or "application/octet-stream"
        with store.changing(issue) as moment:
            made = Attachment(store.next_id(), name, self.actor.key, moment, size, mime, content)
            issue.attachments.append(made)
            store.note(issue, self.actor, moment, [Item("Attachment", new=made.id, new_text=name, field_id="attachment")])
        return made

    def detach(self, issue: Issue, attachment: Attachment) -> None:
        """Take a file away."""
        self._owns(issue, attachment.author, "DELETE", "ATTACHMENTS")
        with self.store.changing(issue) as moment:
            issue.attachments.remove(attachment)
            gone = Item("Attachment", attachment.id, attachment.name, field_id="attachment")
            self.store.note(issue, self.actor, moment, [gone])
        attachment.content.unlink()

    # ── what they share ─────────────────────────────────────────────────────────────────────────────────────────

    def sees(self, restricted: Comment | Worklog, project: Project) -> bool:
        """Whether this user may see a comment or worklog with a restriction."""
        if restricted.visibility is None:
            return True
        members = self.actor.roles if restricted.visibility["type"] == "role" else self.actor.groups
        return restricted.visibility["value"] in members

    def _owns(self, issue: Issue, author: str, verb: str, things: str) -> None:
        project = self.store.projects[issue.project]
        may = self.store.can(self.actor, f"{verb}_ALL_{things}", project)
        own = author == self.actor.key and self.store.can(self.actor, f"{verb}_OWN_{things}", project)
        if not (may or own):
            raise Refusal(403, f"You do not have permission to {verb.lower()} {things.lower()} of others on this issue.")

    def _text(self, body: Json) -> str:
        text = body.get("body") if isinstance(body, dict) else None
        text = wiki(text) if isinstance(text, dict) else text
        if not isinstance(text, str) or not text.strip():
            raise Refusal(400, errors={"comment": "Comment body can not be empty!"})
        try:
            check_length(text, self.store.faults.text_limit)
        except Wrong as wrong:
            raise Refusal(400, errors={"comment": str(wrong)}) from None
        return round_trip(self.store, text)

    def _visibility(self, issue: Issue, body: Json) -> dict[str, Json] | None:
        asked = body.get("visibility")
        if not asked:
            return None
        kind, value = asked.get("type"), asked.get("value")
        if kind == "role":
            known = {role.name for role in self.store.roles}
            if value not in known:
                raise Refusal(400, errors={"commentLevel": f"Role with name '{value}' does not exist."})
            if value not in self.actor.roles:
                raise Refusal(400, errors={"commentLevel": f"You are currently not a member of the project role: {value}."})
        elif value not in self.actor.groups:
            raise Refusal(400, errors={"commentLevel": f"You are currently not a member of the group: {value}."})
        return {"type": kind, "value": value}

    def _work(self, body: Json, kept: Worklog | None) -> tuple[int | None, int, str]:
        errors: dict[str, str] = {}
        started: int | None = None
        seconds, text = (kept.seconds, kept.comment) if kept else (0, "")
        try:
            started = read_moment(body["started"]) if "started" in body else None
        except Wrong as wrong:
            errors["started"] = str(wrong)
        try:
            seconds = int(body["timeSpentSeconds"]) if "timeSpentSeconds" in body else seconds
            seconds = seconds_of(body["timeSpent"]) if "timeSpent" in body else seconds
            text = body.get("comment", text)
            text = wiki(text) if isinstance(text, dict) else text
            check_length(text, self.store.faults.text_limit)
        except Wrong as wrong:
            errors["comment"] = str(wrong)
        seconds -= seconds % 60 if self.store.faults.worklogs_in_minutes else 0
        if seconds <= 0:
            errors["timeLogged"] = "Worklog must not be null." if seconds < 0 else "You must indicate the time spent working."
        if errors:
            raise Refusal(400, errors=errors)
        return started, seconds, text

    def _estimate(self, issue: Issue, moment: int, change: int, query: dict[str, str]) -> None:
        old, total = issue.values.get("timeestimate"), sum(worklog.seconds for worklog in issue.worklogs)
        new = old
        match query.get("adjustEstimate", "auto"):
            case "auto" if old is not None:
                new = max(0, old + change)
            case "new":
                new = seconds_of(query["newEstimate"])
            case "manual":
                new = max(0, (old or 0) - seconds_of(query.get("reduceBy", "0")) + seconds_of(query.get("increaseBy", "0")))
        items = [Item("timespent", None, None, str(total), spent(total), field_id="timespent")]
        if new != old:
            items.append(Item("timeestimate", str(old), spent(old), str(new), spent(new), field_id="timeestimate"))
            self.store.put(issue, {"timeestimate": new})
        self.store.note(issue, self.actor, moment, items)
