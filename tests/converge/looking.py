"""What one site shows and knows, as the ends of a run are held against it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from filesync.agent.naming import prose
from filesync.ledger import shadows
from filesync.model.ids import Gid, Kind, SiteId
from filesync.model.shadow import Entity, Life
from filesync.model.values import Value
from filesync.trackers.embedded.entry import Entry
from tests.converge.people import Person
from tests.support.jira_sides import JiraSide
from tests.support.two_sites import EXCHANGE


@dataclass(frozen=True)
class Shown:
    """Everything one tracker shows, by gid, and what its ledger holds of it."""

    side: str
    site: SiteId
    fields: dict[Gid, dict[str, Value]]  # in the contract's words; {} of what does not travel
    issue_of: dict[Gid, Gid | None]
    rows: dict[Gid, Entity]
    own: dict[Gid, dict[str, Value]]  # of issues, all that they show, in this tracker's words
    keys: dict[Gid, str]  # of issues
    marked: frozenset[Gid]  # says that the partner deleted its own; of an embedded tracker
    is_jira: bool

    def is_apart(self, gid: Gid | None) -> bool:
        """Whether each side keeps its own."""
        return gid is not None and gid in self.rows and self.rows[gid].state is Life.APART


def look(person: Person) -> Shown:
    """All of it, with the bytes of attachments."""
    side = person.side
    paired = side.site.paired(EXCHANGE)
    issues = person.issues()
    gids = {one.ref.local: person.gid(one) for one in issues}
    fields: dict[Gid, dict[str, Value]] = {}
    issue_of: dict[Gid, Gid | None] = {}
    for issue in issues:
        whole = side.site.tracker.get(issue.ref.local)
        assert whole is not None
        for item in (whole.item, *whole.children):
            gid = side.gid(item)
            assert gid not in fields, f"{side.name} has {gid} twice"
            issue_of[gid] = None if item is whole.item else gids[issue.ref.local]
            if not paired.rules.travels(item.ref.kind):
                fields[gid] = {}
                continue
            fields[gid] = dict(paired.rules.outward(item, gids.get, prose=prose(side.site, paired)).fields)
            if item.ref.kind is Kind.ATTACHMENT:
                fields[gid]["sha256"] = hashlib.sha256(b"".join(side.site.tracker.fetch(item.ref))).hexdigest()
    everything = [
        *issues,
        *(
            one
            for issue in issues
            for kind in (Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG)
            for one in person.below(issue.ref.local, kind)
        ),
    ]
    with side.site.ledger.begin() as conn:
        known = [Gid(gid) for (gid,) in conn.exec_driver_sql("select gid from entity")]
        rows = shadows.entities(conn, paired.exchange.id, known)
    return Shown(
        side.name,
        side.config.site,
        fields,
        issue_of,
        rows,
        {gids[one.ref.local]: dict(one.fields) for one in issues},
        {gids[one.ref.local]: side.called(one.ref.local) for one in issues},
        frozenset(person.gid(one) for one in everything if isinstance(one, Entry) and one.deleted_by),
        isinstance(side, JiraSide),
    )
