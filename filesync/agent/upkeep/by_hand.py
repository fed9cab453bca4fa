"""What a person says of single issues: stopped, started, or as the scope says. What that comes to is told before it is done.

None of it takes the site's lock: a run that is at work goes by it from its next piece of work on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from filesync.agent.asked.meant import Meant, meant
from filesync.agent.incoming.queued import count_stopped
from filesync.agent.naming import prose
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import SaidByHand
from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.errors import NotHere, PairingError
from filesync.ledger import by_hand, shadows, ties
from filesync.ledger.streams import Direction, Exchange
from filesync.model.by_hand import ByHand, Hand
from filesync.model.diff import TYPE
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue, Scope
from filesync.model.moments import micros
from filesync.model.shadow import Life


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One issue: what was said of it, what is said now, and what that comes to."""

    key: str
    gid: Gid
    local: str
    was: ByHand | None
    now: Hand
    scope: Scope | None  # what the tracker says; None: it is not there any more
    known: bool  # the partner has it
    told: bool  # the partner is told that it left, once it is stopped
    waiting: int  # changes of the partner's that wait until it goes on
    kept: str  # why nothing of it goes out, whatever is said; "": nothing is in the way

    @property
    def changes(self) -> bool:
        """Whether it was not said before."""
        before = Hand.AS_SCOPE if self.was is None else self.was.hand
        return self.now is not before


def say(site: Site, x: Exchange, keys: Collection[str], hand: Hand, *, apply: bool) -> list[Saying]:
    """Say this of these issues of one exchange, all or none; without `apply` only what it comes to is found out.

    Raises NotHere with all that cannot be said, PairingError, ConfigError (the rules), Unavailable, Unreadable.
    """
    if hand is Hand.STARTED and x.direction is Direction.RECEIVE:
        hint = "One that is stopped goes on with: filesync start-issues KEY --as-scope --apply"
        raise PairingError(f"exchange {x.name!r} only receives, so that no issue of ours can be started on it", hint=hint)
    paired = site.ruled(x)
    asked = _Asked(site, paired, hand)
    found: dict[Gid, Saying] = {}
    problems = []
    for key in dict.fromkeys(keys):
        try:
            one = asked.of(key)
        except NotHere as error:
            problems.append(str(error))
        else:
            found[one.gid] = one
    if problems:
        hint = "Nothing was changed. Name issues of our tracker's project that our account sees."
        raise NotHere("; ".join(problems), hint=hint)
    if apply:
        _write(site, paired, found.values())
    return list(found.values())


class _Asked:
    """What a person asks for, held against what is there."""

    def __init__(self, site: Site, paired: Paired, hand: Hand) -> None:
        self._site, self._paired, self._hand = site, paired, hand
        self._x = paired.exchange
        with site.ledger.begin() as conn:
            self._said = by_hand.said(conn, self._x.id)
            self._waiting = count_stopped(conn, self._x)

    def of(self, key: str) -> Saying:
        """What it comes to for the issue that a person calls so. Raises NotHere, Unavailable."""
        what = self._meant(key)
        issue = what.issue
        with self._site.ledger.begin() as conn:
            gid = ties.tied(conn, self._x.id, [what.gid]).get(what.gid, what.gid)
            row = shadows.entities(conn, self._x.id, [gid]).get(gid)
        was, known = self._said.get(gid), row is not None and row.state is Life.LIVE
        over = row is not None and not known
        if (over or issue is None) and (was is None or (self._hand is Hand.STOPPED and was.hand is not Hand.STOPPED)):
            why = (
                "is not exchanged any more: it was deleted here or there, or is kept apart" if over else "is not in our tracker"
            )
            raise NotHere(f"{shown(what.key)} {why}")
        if issue is not None and issue.scope is Scope.MOVED and self._hand is Hand.STARTED:
            raise NotHere(f"{shown(what.key)} was moved to another project, from which nothing is sent")
        said = Saying(
            key=what.key,
            gid=gid,
            local=was.local if was is not None else "",
            was=was,
            # of what is over, and of what is not there any more, it can only be ended
            now=Hand.AS_SCOPE if (over or issue is None) and self._hand is not Hand.STOPPED else self._hand,
            scope=None,
            known=known,
            told=known and self._paired.rules.leaving.tells and self._x.direction is not Direction.RECEIVE,
            waiting=self._waiting[gid],
            kept="it is not exchanged any more" if over else "",
        )
        if issue is None:
            return said
        return replace(said, local=issue.item.ref.local, scope=issue.scope, kept=said.kept or self._kept(issue, known=known))

    def _meant(self, key: str) -> Meant:
        """Raises NotHere: also for what belongs to an issue."""
        try:
            what = meant(self._site, key)
        except NotHere:
            # it was stopped, and is not there any more
            gone = [one for one in self._said.values() if key in {one.called, one.gid}]
            if len(gone) != 1:
                raise
            return Meant(gone[0].gid, gone[0].called, None, None)
        if what.kind is not Kind.ISSUE:
            raise NotHere(f"{shown(what.key)} is a {what.kind}: an issue is stopped or started whole")
        return what

    def _kept(self, issue: Issue, *, known: bool) -> str:
        outward = self._paired.rules.outward(issue.item, lambda _: None, prose=prose(self._site, self._paired))
        if outward.withheld:
            return "not everybody may see it, and the contract has no word for that"
        wordless = next((one.why for one in outward.dropped if one.field == TYPE), "")
        return f"issues of its type are not exchanged: {wordless}" if wordless and not known else ""


def _write(site: Site, paired: Paired, found: Collection[Saying]) -> None:
    record, at = site.record(paired.exchange.name), micros(site.clock())
    new = [one for one in found if one.changes]
    for one in new:
        record.add(SaidByHand(partner=paired.them.name, key=one.key, gid=one.gid, hand=one.now))
    with site.ledger.begin() as conn:
        rows = (ByHand(gid=one.gid, local=one.local, hand=one.now, called=one.key, since=at) for one in new)
        by_hand.put(conn, paired.exchange.id, rows)
        record.write(conn)
    record.done()
