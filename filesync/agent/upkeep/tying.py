"""Issues that both sites had before they exchanged anything: ours is tied to the partner's, so that none is made twice.

The partner has told its issues, and we have not told ours. What it told lies here, taken in and not applied: each of its
issues is held against ours, and what stands for the same is from then on known by the partner's gid. The import then finds it
here and merges, field by field, as if we had had it all along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from filesync.agent.contract.switch import at_work
from filesync.agent.incoming.receive import Receiver
from filesync.agent.incoming.stored import reread
from filesync.agent.naming import Keys, prose
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import Tied
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.agent.staged import Changes
from filesync.agent.upkeep.matches import Match
from filesync.bundle.header import BundleKind
from filesync.errors import Gone, PairingError, Rejected, Unreadable
from filesync.exchange.judge import NO_CONTRACT
from filesync.ledger import by_hand, naming, shadows, streams, ties
from filesync.ledger.streams import Direction
from filesync.model.change import Create
from filesync.model.ids import Gid, Kind, Mark, make_gid, make_mark
from filesync.model.issue import Issue, Item
from filesync.model.links import link_end
from filesync.model.shadow import Entity, Shadow, Shadows
from filesync.model.values import Value, digest, split_name
from filesync.rules.contract import VISIBLE_TO
from filesync.rules.mapping import Outward
from filesync.rules.prose import readable

_CHUNK: Final = 500  # issues that are read at once
_KEYS: Final = 5  # of the partner's that are named beside ours
_T = TypeVar("_T")


class Stands(StrEnum):
    """Whose values stand where the two differ. `contract`: as it says for edits that met."""

    OURS = "ours"
    THEIRS = "theirs"
    CONTRACT = "contract"


@dataclass(slots=True, kw_only=True)
class Tie:
    """Two issues that are one. `differs`: contract fields, bare, in which they do; `below`: comments and so on of both.

    `unread`: of these, attachments of the same name and size whose bytes nobody compared.
    """

    ours: str  # key
    theirs: str
    local: str
    own: Gid  # that our issue would have
    gid: Gid  # the partner's
    differs: tuple[str, ...] = ()
    below: int = 0
    unread: int = 0


@dataclass(slots=True, kw_only=True)
class Ties:
    """What was found. An issue of the partner's is tied, or `alone` (it will be made here), or among `unclear`."""

    ties: list[Tie] = field(default_factory=list)
    alone: int = 0
    unclear: dict[str, str] = field(default_factory=dict)  # keys, ours or theirs, that are not tied, and why
    several: int = 0  # of `alone`, those that are not clear: we or they have several of their word
    came: bool = True  # whether anything of the partner's ever did
    tied: bool = False  # or only looked at


@dataclass(frozen=True, slots=True)
class _Here:
    key: str
    local: str
    own: Gid


def tie_issues(site: Site, name: str, match: Match, *, stands: Stands, tie: bool) -> Ties:
    """Find issues of ours that are the partner's, and tie them where `tie` says so.

    What lies in the inbox is taken in, as an import does; nothing is applied, and the tracker is only read. Raises as
    `import_once` does.
    """
    paired = at_work(site, name)
    if paired.exchange.direction is Direction.SEND:
        raise PairingError(f"exchange {name!r} only sends", hint="Tie the issues where they arrive.")
    record = site.record(name)
    with site.alone(site.inbox(paired.exchange)):
        Receiver(site, paired, record).run()
    work = _Tying(site, paired, match)
    work.find()
    work.compare(stands, tie=tie)
    found = work.found
    if tie and found.ties:
        record.add(Tied(partner=paired.them.name, issues=len(found.ties), stands=stands.value))
    _write(site, record)
    return found


def _write(site: Site, record: Record) -> None:
    with site.ledger.begin() as conn:
        record.write(conn)
    record.done()


class _Tying:
    def __init__(self, site: Site, paired: Paired, match: Match) -> None:
        self._site, self._paired, self._match = site, paired, match
        self._x = paired.exchange.id
        self._keys = Keys(site, paired)
        self._prose = prose(site, paired, self._keys)
        self.found = Ties()
        self._by_gid: dict[Gid, Tie] = {}
        self._gids: dict[str, Gid] = {}  # of tied issues, by our local id
        self._used: set[Gid] = set()  # what belongs to issues of ours and is tied

    # ── which are the same ──────────────────────────────────────────────────────────────────────────────────────

    def find(self) -> None:
        """Which issues of the partner's are ours."""
        theirs: dict[str, list[tuple[str, Gid]]] = {}
        for _, one in self._creates():
            if one.kind is Kind.ISSUE:
                self.found.alone += 1
                word = self._match.theirs(one.about.key, one.fields)
                if word is not None:
                    theirs.setdefault(word, []).append((one.about.key, one.gid))
        ours: dict[str, list[_Here]] = {}
        for word, here, known in self._ours(theirs):
            if known in {None, theirs[word][0][1]}:
                ours.setdefault(word, []).append(here)
            else:
                self.found.unclear[here.key] = "it is exchanged already, or came from a partner"
        for word, mine in ours.items():
            if len(mine) == len(theirs[word]) == 1:
                key, gid = theirs[word][0]
                self._tied(Tie(ours=mine[0].key, theirs=key, local=mine[0].local, own=mine[0].own, gid=gid))
            else:
                who = "we have" if len(mine) > 1 else "the partner has"
                self.found.several += len(theirs[word])
                keys = ", ".join(key for key, _ in theirs[word][:_KEYS] if key)
                at = f" ({keys} at the partner)" if keys else ""
                self.found.unclear.update((one.key, f"{who} several of {word}{at}") for one in mine)
        named = {one.ours for one in self.found.ties} | self.found.unclear.keys()
        for key, word in self._match.named.items():
            if key not in named:
                us, them = (
                    "there is no such issue here, or it is not in scope",
                    f"the partner tells of no {word} that is new here",
                )
                self.found.unclear[key] = us if word in theirs else them

    def _tied(self, tie: Tie) -> None:
        self.found.ties.append(tie)
        self.found.alone -= 1
        self._by_gid[tie.gid] = tie
        self._gids[tie.local] = tie.gid
        self._keys.learn(tie.ours, tie.theirs)

    def _creates(self) -> Iterator[tuple[Mark, Create]]:
        """What the partner tells as new, in what was taken in and is not applied."""
        with self._site.ledger.begin() as conn:
            held = streams.held(conn, self._x)
            self.found.came = bool(held) or streams.exchange_of(conn, self._x).in_seq > 0
        for taken in held:
            if taken.contract not in {NO_CONTRACT, self._paired.rules.contract.digest}:
                continue  # it cannot be read here yet
            bundle = reread(self._site, self._paired, taken)
            if bundle.head.header.kind is not BundleKind.CHANGES:
                continue  # it tells of no issue
            done = int.from_bytes(taken.decided, "little")  # by an import that was cut off
            for change in Changes(self._site.config.folders.store / taken.file, bundle):
                if isinstance(change, Create) and not done >> change.n & 1:
                    yield make_mark(taken.generation, taken.seq, change.n), change

    def _ours(self, wanted: Collection[str]) -> Iterator[tuple[str, _Here, Gid | None]]:
        """Our issues that have one of these words, and the gid by which the partner knows one, if it does."""
        named = (one.issue for one in self._site.tracker.changed(None, lambda: iter(())))
        done = 0
        for page in _pages(named):
            issues = {self._own(one.item): one for _, one in self._site.tracker.get_all(page) if one is not None}
            done += len(page)
            self._site.progress(Doing.LOOKING, done, None)
            with self._site.ledger.begin() as conn:
                known = {gid: gid for gid in shadows.entities(conn, self._x, issues)} | ties.tied(conn, self._x, issues)
            for own, issue in issues.items():
                word = self._match.ours(issue.key, self._outward(issue.item).fields)
                if word is not None and word in wanted:
                    yield word, _Here(issue.key, issue.item.ref.local, own), known.get(own, issue.item.origin)

    def _own(self, item: Item) -> Gid:
        return item.origin or make_gid(self._site.config.site, item.ref.kind, item.ref.local, item.stamp)

    def _outward(self, item: Item) -> Outward:
        return self._paired.rules.outward(item, self._gid_of, prose=self._prose)

    def _gid_of(self, local: str) -> Gid | None:
        if local in self._gids:
            return self._gids[local]
        with self._site.ledger.begin() as conn:
            row = shadows.by_local(conn, self._x, Kind.ISSUE, local)
        return row.gid if row is not None else None

    # ── in what they differ ─────────────────────────────────────────────────────────────────────────────────────

    def compare(self, stands: Stands, *, tie: bool) -> None:
        """Hold tied issues, and what belongs to them, against each other; `tie`: and let the ledger know."""
        mine = ((mark, one) for mark, one in self._creates() if one.gid in self._by_gid or one.parent in self._by_gid)
        for page in _pages(mine):
            wanted = {self._by_gid[one.gid if one.parent is None else one.parent].local for _, one in page}
            issues = dict(self._site.tracker.get_all(sorted(wanted)))
            rows, own = [], {}
            for mark, one in page:
                pair = self._issue(mark, one, issues, stands) if one.parent is None else self._below(one, issues)
                if pair is not None:
                    own[pair[0]] = one.gid
                    rows.append(pair[1])
            if tie:
                self._keep(rows, own)
        self.found.tied = tie

    def _keep(self, rows: list[Entity], own: Mapping[Gid, Gid]) -> None:
        there = [self._by_gid[row.gid] for row in rows if row.parent is None]
        with self._site.ledger.begin() as conn:
            shadows.save(conn, self._x, rows)
            ties.add(conn, self._x, own)
            by_hand.tie(conn, self._x, own)
            naming.add_keys(conn, self._x, [(one.ours, one.theirs) for one in there if one.theirs])
            shadows.add_revisits(conn, self._x, [(one.local, "") for one in there])

    def _issue(self, mark: Mark, told: Create, issues: Mapping[str, Issue | None], stands: Stands) -> tuple[Gid, Entity] | None:
        tie = self._by_gid[told.gid]
        issue = issues.get(tie.local)
        if issue is None:
            return None
        ours = self._outward(issue.item)
        names = {*ours.fields, *told.fields} - {*ours.untold, *told.untold}
        plain = sorted(one for one in names if link_end(one) is None and self._paired.rules.carries(Kind.ISSUE, one))
        differs = (split_name(one)[0] for one in plain if ours.fields.get(one) != told.fields.get(one))
        tie.differs = tuple(dict.fromkeys(differs))
        agreed = _agreed(stands, plain, ours.fields, told.fields, mark)
        return tie.own, Entity(gid=told.gid, kind=Kind.ISSUE, local=tie.local, shadows=Shadows.of(agreed))

    def _below(self, told: Create, issues: Mapping[str, Issue | None]) -> tuple[Gid, Entity] | None:
        assert told.parent is not None  # else it were an issue
        tie = self._by_gid[told.parent]
        issue = issues.get(tie.local)
        for item in issue.children if issue is not None else ():
            own = self._own(item)
            if item.ref.kind is not told.kind or item.origin is not None or own in self._used:
                continue
            ours = self._outward(item)
            if not ours.withheld and _same(told.kind, ours.fields, told.fields):
                equal = told.kind is not Kind.ATTACHMENT or self._equal(item, told)
                if equal is False:
                    continue
                self._used.add(own)
                tie.below += 1
                tie.unread += equal is None
                agreed = {name: Shadow(here=digest(value)) for name, value in ours.fields.items()}
                return own, Entity(
                    gid=told.gid, kind=told.kind, parent=told.parent, local=item.ref.local, shadows=Shadows.of(agreed)
                )
        return None

    def _equal(self, item: Item, told: Create) -> bool | None:
        """Whether an attachment of ours has the bytes of the partner's; None where it is large, or cannot be read now."""
        if told.blob is None or told.blob.size > self._site.config.limits.inline:
            return None
        read = hashlib.sha256()
        try:
            for piece in self._site.tracker.fetch(item.ref):
                read.update(piece)
        except (Gone, Rejected, Unreadable):
            return None
        return read.hexdigest() == told.blob.sha256


def _agreed(
    stands: Stands, names: Iterable[str], ours: Mapping[str, Value], theirs: Mapping[str, Value], mark: Mark
) -> dict[str, Shadow]:
    """The shadows with which what the partner told (at this mark) comes out as a person wants it.

    What was agreed on as it is here gives way to the partner's; what counts as decided already is told as our edit. By the
    contract nothing was agreed on; but that a field is empty there empties none here.
    """
    match stands:
        case Stands.THEIRS:
            return {name: Shadow(here=digest(ours.get(name))) for name in names}
        case Stands.OURS:
            return {name: Shadow(here=digest(theirs.get(name)), took=mark) for name in names}
        case Stands.CONTRACT:
            return {name: Shadow(took=mark) for name in names if name not in theirs}


def _same(kind: Kind, ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> bool:
    """Whether something that belongs to an issue is the same, whoever wrote it. What few may see is not what all may."""
    if ours.get(VISIBLE_TO) != theirs.get(VISIBLE_TO):
        return False
    match kind:
        case Kind.COMMENT:
            return _words(ours.get("body")) == _words(theirs.get("body"))
        case Kind.WORKLOG:
            return all(ours.get(name) == theirs.get(name) for name in ("started", "seconds"))
        case _:
            return all(ours.get(name) == theirs.get(name) for name in ("name", "size"))


def _words(text: Value | None) -> list[str]:
    return readable(text).split() if isinstance(text, str) else []


def _pages(items: Iterable[_T]) -> Iterator[list[_T]]:
    source = iter(items)
    while page := list(islice(source, _CHUNK)):
        yield page
