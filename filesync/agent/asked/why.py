"""Why an issue, or a comment of it, is where it is with each partner: what was told, what waits, and what stays here and why.

What an export would tell is found out by the code that exports; nothing is changed or recorded by asking.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from filesync.agent.asked.meant import Meant, gid_of, meant
from filesync.agent.asked.reasons import Facts, first_reason
from filesync.agent.asked.standing import Field, Standing, standings
from filesync.agent.naming import prose
from filesync.agent.outgoing.gather import Gather
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.bundle.changes import read_change
from filesync.errors import ConfigError
from filesync.ledger import by_hand, called, journal, naming, proposals, shadows, streams, ties
from filesync.ledger.journal import Conflict, Queued, Wait
from filesync.ledger.outside import outside_of
from filesync.ledger.streams import Exchange
from filesync.model.by_hand import Hand
from filesync.model.change import Create, Set
from filesync.model.diff import Tell
from filesync.model.ids import NEVER, Gid, Kind, Mark, home, parse_mark
from filesync.model.issue import Ref, Scope
from filesync.model.moments import moment
from filesync.model.outside import Outside
from filesync.model.shadow import Entity, Life
from filesync.model.values import split_name
from filesync.rules.mapping import Outward

_CONFLICTS: Final = 10  # of the newest that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A bundle, and when it was made or applied; None where that is not known."""

    bundle: int
    at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A change of the partner's that is here and not decided."""

    mark: Mark
    what: str  # create, set, delete
    state: Wait
    fields: tuple[str, ...]
    why: str
    since: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """Two edits of one field that met; their values are a conflict's (`filesync conflicts`)."""

    at: dt.datetime
    mark: Mark
    field: str
    winner: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """How it stands with one exchange."""

    exchange: str
    partner: str
    state: str  # of the exchange
    known: bool  # both sides have it, or had it
    theirs: str  # the partner's key; "" where that is not known: of ours only under `keys: true`
    reason: str  # the first one why it is not there, or why edits do not go on; "": there is none
    hint: str
    by_hand: Hand | None  # its issue is stopped or started by hand
    by_hand_since: dt.datetime | None
    outside: str  # "left" or "moved": the partner told that it does not send its own of the issue any more
    first: Place | None  # the oldest bundle in which a field was told last: they know it since then, or longer
    sent: Place | None  # our last bundle that told something of it
    acknowledged: bool  # the partner says that it applied that one
    taken: Place | None  # the partner's last bundle that told something of it
    fields: tuple[Field, ...]
    unnamed: tuple[str, ...]  # fields of ours that hold something, and that no field of the contract stands for
    left: tuple[Left, ...]
    conflicts: tuple[Met, ...]
    below: Mapping[str, Mapping[str, int]]  # of an issue: comment, attachment, worklog -> standing -> how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person asked for, and how it stands with every exchange."""

    gid: Gid
    key: str
    kind: Kind
    home: str  # the site in whose tracker it was born, where that is one we know
    here: bool  # our tracker has it
    exchanges: tuple[Why, ...]


def why(site: Site, text: str) -> Answer:
    """How it stands with what a person named. Raises NotHere; Unavailable, Unreadable of an issue that is not shown."""
    what = meant(site, text)
    with site.ledger.begin() as conn:
        there = streams.exchanges(conn)
    sites = {site.config.site: site.config.name, **{one.partner_site: one.partner_name for one in there}}
    return Answer(
        gid=what.gid,
        key=what.key,
        kind=what.kind,
        home=sites.get(home(what.gid), ""),
        here=what.item is not None,
        exchanges=tuple(_of(site, x, what) for x in there),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What our rules, and the next export, make of an issue and of all that belongs to it; how the exchange calls these."""

    gids: Mapping[Ref, Gid]
    outward: Mapping[Gid, Outward]
    tells: Mapping[Gid, Tell]


def _of(site: Site, x: Exchange, what: Meant) -> Why:
    paired: Paired | None = None
    trouble: ConfigError | None = None
    try:
        paired = site.ruled(x)
    except ConfigError as error:
        trouble = error
    told = _told(site, x, paired, what)
    if what.item is not None:
        what = what._replace(gid=told.gids[what.item.ref])
    with site.ledger.begin() as conn:
        queued = journal.queued_of(conn, x.id, [what.gid])
        facts = _facts(conn, x, what, told, paired=paired, trouble=trouble, queued=bool(queued))
        because = first_reason(facts)
        row = facts.row
        said = facts.by_hand if facts.by_hand is not None and facts.by_hand.hand is not Hand.AS_SCOPE else None
        sent = max((one.told for one in row.fields.values()), default=NEVER) if row else NEVER
        taken = max((one.took for one in row.fields.values()), default=NEVER) if row else NEVER
        ours = home(what.gid) == site.config.site
        first = min(
            (m for one in (row.fields.values() if row else ()) if (m := one.told if ours else one.took) != NEVER), default=NEVER
        )
        return Why(
            exchange=x.name,
            partner=x.partner_name,
            state=x.state,
            known=row is not None,
            theirs=_theirs(conn, x, what) if row is not None or what.key == what.gid else what.key,
            reason=because.why if because else "",
            hint=because.hint if because else "",
            by_hand=said.hand if said is not None else None,
            by_hand_since=moment(said.since) if said is not None else None,
            outside=facts.outside.theirs.value if facts.outside.theirs is not Scope.IN and _lives(facts.above) else "",
            first=_place(conn, x, first, ours=ours),
            sent=_place(conn, x, sent, ours=True),
            acknowledged=parse_mark(sent)[0] == x.out_generation.n and 0 < parse_mark(sent)[1] <= x.acked_seq,
            taken=_place(conn, x, taken, ours=False),
            fields=() if paired is None else standings(paired, facts, queued, offered=site.tracker.offered()),
            unnamed=() if paired is None else _unnamed(paired, what),
            left=tuple(map(_left, queued)),
            conflicts=tuple(map(_met, journal.conflicts_of(conn, x.id, what.gid, limit=_CONFLICTS))),
            below=_below(conn, x, what, told),
        )


def _lives(row: Entity | None) -> bool:
    return row is not None and row.state is Life.LIVE


def _facts(
    conn: sa.Connection,
    x: Exchange,
    what: Meant,
    told: _Told,
    *,
    paired: Paired | None,
    trouble: ConfigError | None,
    queued: bool,
) -> Facts:
    above = told.gids[what.issue.item.ref] if what.issue is not None else what.gid
    rows = shadows.entities(conn, x.id, [what.gid, above])
    return Facts(
        exchange=x,
        paired=paired,
        trouble=trouble,
        kind=what.kind,
        issue=what.issue,
        item=what.item,
        row=rows.get(what.gid),
        above=rows.get(above),
        outward=told.outward.get(what.gid),
        restricted=told.outward.get(above) if above != what.gid else None,
        tell=told.tells.get(what.gid),
        queued=queued,
        doubted=what.gid in shadows.doubts(conn, x.id),
        outside=outside_of(conn, x.id, [above]).get(above, Outside()),
        by_hand=by_hand.said(conn, x.id).get(above),
        proposed=(under_way := proposals.of(conn, x.id)) is not None and under_way.ours,
    )


def _told(site: Site, x: Exchange, paired: Paired | None, what: Meant) -> _Told:
    if what.issue is None:
        return _Told({}, {}, {})

    def gid_of_issue(local: str) -> Gid | None:
        with site.ledger.begin() as conn:
            row = shadows.by_local(conn, x.id, Kind.ISSUE, local)
        return row.gid if row is not None and row.state is Life.LIVE else None

    items = (what.issue.item, *what.issue.children)
    own = {one.ref: gid_of(site, one) for one in items}
    with site.ledger.begin() as conn:
        tied = ties.tied(conn, x.id, own.values())  # both sides had them before
    gids = {ref: tied.get(gid, gid) for ref, gid in own.items()}
    if paired is None:
        return _Told(gids, {}, {})
    texts = prose(site, paired)
    outward = {gids[one.ref]: paired.rules.outward(one, gid_of_issue, prose=texts) for one in items}
    found = Gather(site, paired, site.record(x.name)).of(what.issue.item.ref.local)
    return _Told(gids, outward, {tell.row.gid: tell for tell in found.tells})


def _unnamed(paired: Paired, what: Meant) -> tuple[str, ...]:
    """Fields of our issue that no field of the contract stands for."""
    if what.kind is not Kind.ISSUE or what.item is None:
        return ()
    known = {name for wire in paired.rules.contract.fields for name in paired.rules.local_names(wire)} | paired.rules.constants
    links = {flat for flat in what.item.fields if paired.rules.tells_link(flat)}
    return tuple(sorted({split_name(flat)[0] for flat in what.item.fields.keys() - links} - known))


def _place(conn: sa.Connection, x: Exchange, mark: Mark, *, ours: bool) -> Place | None:
    generation, seq, _ = parse_mark(mark)
    if mark == NEVER:
        return None
    at = 0
    if ours:
        sent = streams.sent(conn, x.id, generation=generation, seq=seq)
        at = sent.at if sent is not None else 0
    else:
        taken = streams.taken(conn, x.id, generation=generation, seq=seq)
        at = (taken.applied or taken.received) if taken is not None else 0
    return Place(bundle=seq, at=moment(at) if at else None)


def _left(one: Queued) -> Left:
    change = read_change(one.change)
    names = change.names if isinstance(change, Create | Set) else ()
    fields = tuple(dict.fromkeys(split_name(name)[0] for name in names))
    waits = {Wait.WAITS: f"waits for {one.reason or one.waits_for}", Wait.BEHIND: "waits for the one before it"}
    return Left(
        mark=one.mark,
        what=str(change.__struct_config__.tag),
        state=one.state,
        fields=fields,
        why=waits.get(one.state, one.reason),
        since=moment(one.since),
    )


def _theirs(conn: sa.Connection, x: Exchange, what: Meant) -> str:
    """The partner's key of an issue that came from it, or of one of ours, where it told that."""
    known = called.called(conn, x.id, [what.gid]).get(what.gid)
    if known is not None and known.theirs:
        return known.theirs  # as it was told last: an issue that is moved has another
    return (naming.theirs_of(conn, x.id, what.issue.key) if what.issue is not None else None) or ""


def _met(one: Conflict) -> Met:
    return Met(at=moment(one.at), mark=one.mark, field=one.field, winner=one.winner, rule=one.rule)


def _below(conn: sa.Connection, x: Exchange, what: Meant, told: _Told) -> dict[str, dict[str, int]]:
    if what.kind is not Kind.ISSUE or what.issue is None:
        return {}
    gids = [told.gids[one.ref] for one in what.issue.children]
    rows = shadows.entities(conn, x.id, gids)
    found: dict[str, Counter[str]] = {}
    for gid, item in zip(gids, what.issue.children, strict=True):
        there = gid in rows and rows[gid].state is Life.LIVE
        standing = Standing.TO_SEND if gid in told.tells else Standing.AGREED if there else Standing.STAYS
        found.setdefault(item.ref.kind, Counter())[standing] += 1
    return {kind: dict(counts) for kind, counts in found.items()}
