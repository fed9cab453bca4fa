"""Transitions: which are open, what their screens ask for, and what they do."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.jira.edits import Edits, Screen
from tests.support.jira.records import Issue, Item, Json, Refusal, Transition, User
from tests.support.jira.shown import changes
from tests.support.jira.store import Store


@dataclass(frozen=True, slots=True)
class Steps:
    """One user's steps through workflows."""

    store: Store
    actor: User

    def open(self, issue: Issue) -> list[Transition]:
        """The transitions this user may take now."""
        store = self.store
        if issue.archived or not store.can(self.actor, "TRANSITION_ISSUES", store.projects[issue.project]):
            return []
        now = store.statuses[issue.status].name
        flow = store.workflows[store.types[issue.type].workflow]
        return [transition for transition in flow.transitions if now in transition.sources]

    def take(self, issue: Issue, body: Json) -> None:
        """Carry out a transition request's body: all of it or nothing."""
        store = self.store
        wanted = str((body.get("transition") or {}).get("id", ""))
        step = next((one for one in self.open(issue) if one.id == wanted), None)
        if step is None:
            words = f"It seems that you have tried to perform a workflow operation (id {wanted}) that is not valid for "
            words += "the current state of this issue. The likely cause is that somebody has changed the issue recently."
            raise Refusal(400 if store.flavour.cloud or wanted.isdecimal() else 500, words)
        project, issue_type = store.projects[issue.project], store.types[issue.type]
        edits = Edits(
            store, self.actor, project=project, type=issue_type, screen=Screen.TRANSITION, issue=issue, allowed=step.screen
        )
        values = edits.read(body)
        lacking = {name for name in step.required if values.get(name, issue.values.get(name)) is None}
        if lacking:
            raise Refusal(400, errors={name: f"{store.fields[name].name} is required." for name in sorted(lacking)})
        self._carry_out(issue, step, values, body.get("historyMetadata"))
        edits.extras(issue)

    def _carry_out(self, issue: Issue, step: Transition, values: dict[str, Json], metadata: Json) -> None:
        store = self.store
        old = store.statuses[issue.status]
        new = next(status for status in store.statuses.values() if status.name == step.target)
        self._resolve(issue, done=new.category == "done", declined=step.name == "Decline", values=values)
        with store.changing(issue) as moment:
            items = [
                item
                for name, value in values.items()
                if name in store.fields and value != issue.values.get(name)
                for item in changes(store, store.fields[name], issue.values.get(name), value)
                if name != "resolutiondate"
            ]
            items.append(Item("status", old.id, old.name, new.id, new.name, field_id="status"))
            values["resolutiondate"] = moment if values.get("resolution") else values.get("resolutiondate")
            store.put(issue, values)
            issue.status = new.id
            store.note(issue, self.actor, moment, items, metadata)

    @staticmethod
    def _resolve(issue: Issue, *, done: bool, declined: bool, values: dict[str, Json]) -> None:
        """The workflow's own post function: a resolution when done, none when not."""
        if not done:
            values |= {"resolution": None, "resolutiondate": None}
        elif not values.get("resolution"):
            values["resolution"] = issue.values.get("resolution") or ("10001" if declined else "10000")
