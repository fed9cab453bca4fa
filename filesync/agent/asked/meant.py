"""Which issue, or what of it, a person means: by a key of ours or of a partner's, by a gid, by the id of a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.errors import NotHere
from filesync.ledger import called, journal, naming, shadows, streams
from filesync.ledger.streams import Exchange
from filesync.model.change import Change, Create
from filesync.model.ids import Gid, Kind, home, is_gid, kind_of, make_gid
from filesync.model.issue import Issue, Item

_SIGNS: Final = {"#": Kind.COMMENT, "/": Kind.ATTACHMENT, "+": Kind.WORKLOG}
# ABC-17, ABC-17#4 (a comment), ABC-17/4 (an attachment), ABC-17+4 (a worklog), each with @SITE where it is not our key
_NAMED: Final = re.compile(r"(?P<key>[^#/+@\s]+-[0-9]+)(?:(?P<sign>[#/+])(?P<below>[0-9A-Za-z_-]+))?(?:@(?P<site>\S+))?")
_FORMS: Final = "a key of ours (ABC-17), a partner's (LINE-4 or LINE-4@globex), a comment's (ABC-17#4), or a gid"


class Meant(NamedTuple):
    """What is meant. `item` is None for what is not in our tracker: then only the ledger knows of it."""

    gid: Gid
    key: str  # as people call it
    issue: Issue | None
    item: Item | None

    @property
    def kind(self) -> Kind:
        """What it is."""
        return kind_of(self.gid)


def meant(site: Site, text: str) -> Meant:
    """What a person means by these words. Raises NotHere; Unavailable."""
    if is_gid(text):
        return _by_gid(site, Gid(text))
    named = _NAMED.fullmatch(text.strip())
    if named is None:
        raise NotHere(f"{shown(text)!r} names nothing", hint=f"Say {_FORMS}.")
    issue = _issue(site, named["key"], named["site"])
    if issue is None:
        known = _coming(site, named["key"], named["site"]) or _told(site, named["key"], named["site"])
        if known is not None and named["sign"] is None:
            return known
        raise NotHere(
            f"there is no issue {shown(text)!r} here, nor one that a partner calls so",
            hint="One that was deleted goes by its gid, as in `filesync log --json`, where its key was not told "
            f"under `keys: true`. Say {_FORMS}.",
        )
    if named["sign"] is None:
        return Meant(gid_of(site, issue.item), issue.key, issue, issue.item)
    kind, local = _SIGNS[named["sign"]], named["below"]
    for item in issue.children:
        if item.ref.kind is kind and item.ref.local == local:
            return Meant(gid_of(site, item), f"{issue.key}{named['sign']}{local}", issue, item)
    there = ", ".join(one.ref.local for one in issue.children if one.ref.kind is kind)
    raise NotHere(f"{issue.key} has no {kind} {shown(local)}", hint=f"There are: {there}." if there else f"It has no {kind}.")


def gid_of(site: Site, item: Item) -> Gid:
    """Under which name an item of our tracker goes everywhere."""
    return item.origin or make_gid(site.config.site, item.ref.kind, item.ref.local, item.stamp)


def _issue(site: Site, key: str, where: str | None) -> Issue | None:
    """The issue of our tracker that is called so here, or by a partner."""
    if where in {None, site.config.name} and (issue := _found(site, key)) is not None:
        return issue
    with site.ledger.begin() as conn:
        ours = [naming.ours_of(conn, one.id, key) for one in _with(conn, where)]
    return next((issue for one in ours if one is not None and (issue := _found(site, one)) is not None), None)


def _with(conn: sa.Connection, partner: str | None) -> list[Exchange]:
    """The exchanges with this partner; None: all."""
    return [one for one in streams.exchanges(conn) if partner in {None, one.partner_name}]


def _found(site: Site, key: str) -> Issue | None:
    local = site.tracker.find(key)
    return None if local is None else site.tracker.get(local)


def _coming(site: Site, key: str, where: str | None) -> Meant | None:
    """An issue of a partner's that came and is not made here (yet): it waits, or is refused."""
    read = msgspec.json.Decoder[Change](Change).decode
    with site.ledger.begin() as conn:
        for x in _with(conn, where):
            for page in journal.queued(conn, x.id):
                for change in (read(one.change) for one in page):
                    if isinstance(change, Create) and change.kind is Kind.ISSUE and change.about.key == key:
                        return Meant(change.gid, key, None, None)
    return None


def _told(site: Site, key: str, where: str | None) -> Meant | None:
    """An issue whose key one side told the other (`keys: true`): one of ours by theirs, or one that was deleted since."""
    ours = where in {None, site.config.name}
    with site.ledger.begin() as conn:
        there = streams.exchanges(conn)
        gids = [called.named(conn, one.id, key, by_us=ours, by_them=where in {None, one.partner_name}) for one in there]
    gid = next((one for one in gids if one is not None), None)
    if gid is None:
        return None
    found = _by_gid(site, gid)
    return found if found.issue is not None else found._replace(key=key)


def _by_gid(site: Site, gid: Gid) -> Meant:
    if kind_of(gid) in {Kind.VERSION, Kind.PROJECT}:
        raise NotHere(
            "a version of the project is no issue, nor part of one",
            hint="What became of it: filesync stuck list, filesync conflicts, filesync log.",
        )
    with site.ledger.begin() as conn:
        exchanges = streams.exchanges(conn)
        stands = next(_stands(conn, exchanges, gid), None)
        known = stands is not None or any(journal.queued_gids(conn, x.id, [gid]) for x in exchanges)
        known = known or any(gid in shadows.entities(conn, x.id, [gid]) for x in exchanges)
    _, kind, local, _ = gid.split("/")
    if stands is None and home(gid) == site.config.site and kind == Kind.ISSUE:
        stands = (local, local)
    issue = site.tracker.get(stands[0]) if stands is not None else None
    if issue is not None and stands is not None:
        for item in (issue.item, *issue.children):
            if (item.ref.kind, item.ref.local) == (kind, stands[1]):
                return Meant(gid, issue.key, issue, item)
    if not known:
        raise NotHere(f"nobody here knows of {shown(gid, limit=200)}", hint=f"Say {_FORMS}.")
    return Meant(gid, gid, None, None)


def _stands(conn: sa.Connection, exchanges: Iterable[Exchange], gid: Gid) -> Iterator[tuple[str, str]]:
    """Where it stands in our tracker: the local id of its issue, and its own."""
    for x in exchanges:
        row = shadows.entities(conn, x.id, [gid]).get(gid)
        if row is None or row.local is None:
            continue
        above = row if row.parent is None else shadows.entities(conn, x.id, [row.parent]).get(row.parent)
        if above is not None and above.local is not None:
            yield above.local, row.local
