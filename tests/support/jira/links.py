"""Links between issues, and links to elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.jira.records import Issue, Item, Json, Link, LinkType, Refusal, RemoteLink, User
from tests.support.jira.store import Store

MAX_GLOBAL_ID = 255


@dataclass(frozen=True, slots=True)
class LinkWork:
    """One user's work on links."""

    store: Store
    actor: User

    def link(self, body: Json) -> Link:
        """Link two issues: `inwardIssue` is the source, the one that acts. A second one of the same is none."""
        store = self.store
        kind = self._type(body.get("type"))
        source, target = self._end(body.get("inwardIssue")), self._end(body.get("outwardIssue"))
        if source is target:
            raise Refusal(400, "You cannot link an issue to itself.")
        store.demand(self.actor, "LINK_ISSUES", source, "No Link Issue Permission for issue")
        for link in store.links_of(source.id):
            if (link.type, link.source, link.target) == (kind.id, source.id, target.id):
                return link
        made = Link(store.next_id(), kind.id, source.id, target.id)
        with store.changing(source) as first, store.changing(target) as second:
            store.links[made.id] = made
            for end in (source, target):
                store.linked.setdefault(end.id, set()).add(made.id)
            items = self._items(kind, source, target)
            store.note(source, self.actor, first, [Item("Link", None, None, target.key, items[0])])
            store.note(target, self.actor, second, [Item("Link", None, None, source.key, items[1])])
        return made

    def unlink(self, link: Link) -> None:
        """Take a link away."""
        store = self.store
        source, target = store.issues[link.source], store.issues[link.target]
        kind = next(one for one in store.link_types if one.id == link.type)
        store.demand(self.actor, "LINK_ISSUES", source, "No Link Issue Permission for issue")
        with store.changing(source) as first, store.changing(target) as second:
            del store.links[link.id]
            for end in (source, target):
                store.linked[end.id].discard(link.id)
            items = self._items(kind, source, target)
            store.note(source, self.actor, first, [Item("Link", target.key, items[0])])
            store.note(target, self.actor, second, [Item("Link", source.key, items[1])])

    def remote(self, issue: Issue, body: Json) -> tuple[RemoteLink, bool]:
        """Make a link to elsewhere, or renew the one of the same `globalId`; True when it is new. `updated` stays."""
        thing = body.get("object") or {}
        missing = {name: f"'{name}' is required." for name in ("title", "url") if not thing.get(name)}
        if len(str(body.get("globalId") or "")) > MAX_GLOBAL_ID:
            missing["globalId"] = f"'globalId' is too long, it must be {MAX_GLOBAL_ID} characters or less."
        if missing:
            raise Refusal(400, errors=missing)
        for kept in issue.remote_links:
            if body.get("globalId") and kept.body.get("globalId") == body["globalId"]:
                kept.body = body
                return kept, False
        made = RemoteLink(self.store.next_id(), body)
        with self.store.changing(issue, bump=False) as moment:
            issue.remote_links.append(made)
            words = f'This issue links to "{thing["title"]}"'
            self.store.note(issue, self.actor, moment, [Item("RemoteIssueLink", None, None, made.id, words)])
        return made, True

    def _type(self, named: Json) -> LinkType:
        wanted = named if isinstance(named, dict) else {}
        for kind in self.store.link_types:
            if kind.id == str(wanted.get("id", "")) or kind.name == wanted.get("name"):
                return kind
        raise Refusal(404, f"No issue link type with name '{wanted.get('name')}' found.")

    def _end(self, named: Json) -> Issue:
        wanted = (named.get("id") or named.get("key")) if isinstance(named, dict) else None
        return self.store.find(str(wanted), self.actor)

    @staticmethod
    def _items(kind: LinkType, source: Issue, target: Issue) -> tuple[str, str]:
        return f"This issue {kind.outward} {target.key}", f"This issue {kind.inward} {source.key}"
