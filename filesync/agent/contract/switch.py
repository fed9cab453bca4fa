"""From one contract to another: what the ledger knows of every issue is brought under the new one, and then it is in force.

Both sides do this at the same place of both streams: nothing is on its way that was made under the contract before. Marks
stay what they are. Of a field that means what it meant, under whatever name, the shadow stays; else what was agreed on is
said in the new words, and an edit that was not told stays one. The proposer tells such fields again, for one word of the old
contract may stand for several of the new one. Cut off anywhere, the next run goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from filesync.agent.contract.crossings import Crossings
from filesync.agent.contract.put_back import put_back
from filesync.agent.contract.turn import Turn
from filesync.agent.events import Met
from filesync.agent.merge.plan import recovered
from filesync.agent.naming import prose
from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.finish import finish
from filesync.agent.outgoing.number import freeze, next_heading
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import ContractGaveWay, ContractInForce, ContractProposed, FieldsMoved
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Halted, Site
from filesync.agent.usable import could_be_used
from filesync.bundle.agreement import Agreement, Says, encode_agreement
from filesync.bundle.changes import compress, encode_change, read_change
from filesync.bundle.header import BundleKind
from filesync.bundle.write import changes_file, pack
from filesync.errors import ConfigError
from filesync.exchange import files
from filesync.ledger import by_hand, journal, proposals, shadows, streams
from filesync.ledger.journal import Conflict
from filesync.ledger.proposals import OPEN, SWITCHING, WITHDRAWN, Proposal
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.by_hand import Hand
from filesync.model.change import Change, Create, Set
from filesync.model.ids import Gid, Kind, Mark, kind_of
from filesync.model.issue import Item
from filesync.model.moments import micros
from filesync.model.shadow import Entity
from filesync.model.values import Value, split_name
from filesync.rules.contract import read_contract
from filesync.rules.load import make_rules, read_mapping
from filesync.rules.mapping import Outward, Rules

_CHUNK: Final = 500  # issues
_ALL: Final = 1 << 62  # a place behind every row: what is queued was said anew, too


def rules_of(site: Site, contract: str, mapping: str | None, *, name: str = "mapping.yaml") -> Rules:
    """The rules that two texts make here. `name`: of the mapping's file. Raises ConfigError with every problem."""
    hint = f"Give the mapping of {site.config.name} that fits the contract: --mapping FILE. Nothing was changed."
    agreed = read_contract(contract, name="contract.yaml", hint=hint)
    document = None if mapping is None else read_mapping(mapping, name=name, hint=hint)
    return make_rules(agreed, document, site=site.config.name, people=site.tracker.people)


def at_work(site: Site, name: str) -> Paired:
    """The exchange as it stands, once a switch that was cut off is over. Raises as `Site.paired` and `complete` do."""
    site.at_work(name)  # paused or stopped, it waits; its files are read only then: of the two, one may be the new one
    complete(site, name)
    paired = site.paired(name)
    with site.ledger.begin() as conn:
        could_be_used(conn, site.config, paired.exchange)
    return paired


def proposed(site: Site, paired: Paired, record: Record) -> bool:
    """Whether a contract of ours waits for the partner's answer: until then nothing is told under the one before."""
    with site.ledger.begin() as conn:
        one = proposals.of(conn, paired.exchange.id)
    if one is None or not one.ours:
        if one is not None and one.instead_of and one.state == OPEN:
            record.add(theirs_waits(paired, one))
        return False
    withdrawn = one.state == WITHDRAWN
    record.add(ContractProposed(partner=paired.them.name, version=one.version, ours=True, withdrawn=withdrawn))
    return True


def theirs_waits(paired: Paired, one: Proposal) -> ContractProposed:
    """What is told of a proposal of the partner's as long as it waits for somebody here."""
    why, instead_of = one.unreadable, one.instead_of
    return ContractProposed(partner=paired.them.name, version=one.version, ours=False, unreadable=why, instead_of=instead_of)


def gave_way(theirs: Proposal, partner: str, record: Record) -> None:
    """A proposal of the partner's is over: say so of ours that gave way to it, where one did."""
    if theirs.instead_of:
        record.add(ContractGaveWay(partner=partner, version=theirs.instead_of))


def complete(site: Site, name: str, record: Record | None = None) -> None:
    """Carry out the switch that is under way, if one is. `record`: of the run that it belongs to.

    Raises Unavailable, DiskProblem, ConfigError, KeyProblem (ours, as the answer is signed), Halted.
    """
    with site.ledger.begin() as conn:
        x = streams.exchange_named(conn, name)
        one = None if x is None or x.state is not State.PAIRED else proposals.of(conn, x.id)
    if x is None or one is None or one.state != SWITCHING:
        return
    turn = turn_of(site, one)
    record = record or site.record(name)
    _Switch(site, name, one, turn, record).run()
    site.step("C3")
    _put_files(site, name, one)
    site.step("C4")
    site.forget_rules(name)
    with site.ledger.begin() as conn:
        _in_force(conn, site, streams.exchange_of(conn, x.id), one, turn)
        record.add(ContractInForce(partner=x.partner_name, version=one.version, digest=one.digest))
        gave_way(one, x.partner_name, record)
        if turn.moved:
            told = x.direction is not Direction.RECEIVE
            record.add(FieldsMoved(partner=x.partner_name, version=one.version, fields=sorted(turn.moved), told=told))
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    record.done()
    site.step("C5")
    if x.direction is not Direction.RECEIVE:
        clear_spool(site.spool(x))
        finish(site, x, record)


def turn_of(site: Site, one: Proposal) -> Turn:
    """From what stands to what is proposed, by what the partner said of its fields. Raises ConfigError."""
    old, new = rules_of(site, one.before, one.mapping_before), rules_of(site, one.text, one.mapping)
    theirs = None if one.origins is None else msgspec.json.decode(one.origins, type=dict[str, str])
    return Turn(old, new, theirs, offered=site.tracker.offered())


def _in_force(conn: sa.Connection, site: Site, x: Exchange, one: Proposal, turn: Turn) -> None:
    # the partner's answer to ours; none: the key that signed it was revoked while the switch was cut off, which is finished
    # all the same
    if one.ours and one.seq and streams.taken(conn, x.id, generation=x.in_generation.n, seq=one.seq) is not None:
        apply(conn, site, x, one.seq)
    if not one.ours and x.direction is not Direction.RECEIVE:
        said = Agreement(n=1, says=Says.ACCEPTED, version=one.version, digest=one.digest, origins=turn.origins)
        say(conn, site, x, said)
    if x.basis:
        streams.update_exchange(conn, x.id, basis=streams.AGREED)
    proposals.drop(conn, x.id)


def apply(conn: sa.Connection, site: Site, x: Exchange, seq: int) -> None:
    """The partner's bundle that spoke of the contract is done with."""
    taken = streams.taken(conn, x.id, generation=x.in_generation.n, seq=seq)
    assert taken is not None  # it was heard
    now = micros(site.clock())
    streams.update_taken(conn, x.id, taken, state="applied", decided=b"", changes=1, applied=now)
    streams.update_exchange(conn, x.id, in_seq=seq, in_id=taken.id)


def say(conn: sa.Connection, site: Site, x: Exchange, what: Agreement) -> int:
    """Give the bundle that says it the next number, and freeze it. Returns the number."""
    now = site.clock()
    packed = compress([encode_agreement(what)], level=site.config.limits.level)
    header = next_heading(conn, site, x, BundleKind.CONTRACT, now=now, contract="", counts={"contract": 1})
    freeze(conn, x, pack(header, [changes_file(packed)]), packed, changes=1, now=now)
    return header.seq


def _put_files(site: Site, name: str, one: Proposal) -> None:
    which = site.config.rules_of(name)
    files.write_whole(which.contract, [one.text.encode()], mode=0o644)
    if one.mapping is not None and one.mapping != one.mapping_before:
        if which.mapping is None:
            raise ConfigError([], hint="Name a file as `mapping` in filesync.yaml, and run it again.")
        files.write_whole(which.mapping, [one.mapping.encode()], mode=0o644)


class _Switch:
    def __init__(self, site: Site, name: str, one: Proposal, turn: Turn, record: Record) -> None:
        self._site, self._one, self._turn, self._record = site, one, turn, record
        with site.ledger.begin() as conn:
            x = streams.exchange_named(conn, name)
        assert x is not None  # else there were no proposal
        self._x = x.id
        with site.ledger.begin() as conn:
            self._started = {gid for gid, one in by_hand.said(conn, x.id).items() if one.hand is Hand.STARTED}
        us, them = site.sides(x)
        paired = Paired(exchange=x, rules=turn.old, basis="", us=us, them=them)
        self._prose = prose(site, paired)
        self._crossings = Crossings(paired, turn.new.contract, turn.names)
        self._reads = frozenset(name for name in turn.old.contract.fields if turn.asks(name))

    def run(self) -> None:
        """Every live issue's row, a page at a time; what is queued goes with the last one."""
        place, done = self._one.place, 0
        while True:
            if self._site.stopping():
                raise Halted  # the next run goes on from the last page
            with self._site.ledger.begin() as conn:
                page = shadows.live_issues(conn, self._x, after=place, limit=_CHUNK)
                rows = shadows.issues(conn, self._x, [local for _, local in page])
                doubts = shadows.doubts(conn, self._x)
            if not page:
                break
            moved, unread = self._moved(rows, doubts)
            place, done = page[-1][0], done + len(page)
            with self._site.ledger.begin() as conn:
                put_back(conn, self._x, rows, moved)
                shadows.save(conn, self._x, moved)
                shadows.settle_doubts(conn, self._x, [row.gid for row in moved])
                kept = [
                    (gid, new, value) for gid in unread for name, value in doubts[gid].items() for new in self._doubted(name)
                ]
                shadows.put_doubts(conn, self._x, kept, now=micros(self._site.clock()))
                proposals.put(conn, self._x, replace(self._one, place=place))
            self._site.progress(Doing.LOOKING, done, None)
            self._site.step("C2")
        if self._one.place != _ALL:
            self._queue()

    def _moved(self, rows: list[Entity], doubts: Mapping[Gid, Mapping[str, str]]) -> tuple[list[Entity], list[Gid]]:
        """The rows under the new contract; and those of which something is in doubt that the tracker cannot show just now."""
        wanted = [row.local for row in rows if row.local is not None and (self._reads or row.gid in doubts)]
        issues = dict(self._site.tracker.get_all(wanted)) if wanted else {}
        found = []
        for row in rows:
            issue = issues.get(row.local or "")
            doubted = {name: value for name, value in doubts.get(row.gid, {}).items() if name}  # "": the issue itself
            before, after = self._shown(issue.item if issue is not None else None, doubted)
            known = row if issue is None else self._recovered(row, doubted, before)
            # what cannot be read now, or is gone, counts as agreed on in no field that changed its meaning
            there = issue is not None and (issue.in_scope or row.gid in self._started)
            found.append(self._turn.row(known, before, after, ours=self._one.ours, there=there))
        return found, [row.gid for row in rows if row.gid in doubts and row.local not in issues]

    def _doubted(self, name: str) -> tuple[str, ...]:
        """What stays in doubt of a field, under its new name: not what it meant before."""
        return () if not name or self._turn.asks(name) else self._turn.names(name)

    def _shown(self, item: Item | None, doubted: Collection[str]) -> tuple[Outward, Outward]:
        if item is None:
            nothing = Outward(fields={}, unresolved=(), dropped=(), untold=frozenset())
            return nothing, nothing
        old, new = self._turn.old, self._turn.new
        names = {name for flat in self._reads for name in self._turn.names(flat)}
        reads = {*self._reads, *(split_name(name)[0] for name in doubted)}
        return (
            old.outward(item, lambda _: None, only=reads, prose=self._prose),
            new.outward(item, lambda _: None, only=names, prose=self._prose),
        )

    @staticmethod
    def _recovered(row: Entity, doubted: Mapping[str, str], shown: Outward) -> Entity:
        """With what a call of ours had written when it was cut off: only the words before say what was in doubt."""
        return row.with_shadows(
            {name: recovered(row.shadow(name), doubt=value, have=shown.fields.get(name)) for name, value in doubted.items()}
        )

    def _queue(self) -> None:
        """What waits or is stuck was made under the contract before. It is said anew once, in one transaction."""
        met = self._met()
        with self._site.ledger.begin() as conn:
            for mark in journal.queued_marks(conn, self._x):
                row = journal.queued_at(conn, self._x, mark)
                assert row is not None  # in this transaction
                change = self._settled(conn, mark, read_change(row.change))
                line = encode_change(self._turn.change(change, self._ours(change)))
                journal.put_queued(conn, self._x, [replace(row, change=line)])
            proposals.put(conn, self._x, replace(self._one, place=_ALL))
            journal.add_conflicts(conn, self._x, met)
            for one in met:
                self._record.add(Met(mark=one.mark, key=one.key, field=one.field, winner=one.winner, rule=one.rule))
            self._record.write(conn)
        self._record.done()

    def _met(self) -> list[Conflict]:
        """What is about to be decided of edits that met, for people: our tracker is asked, so before the transaction."""
        found: list[Conflict] = []
        with self._site.ledger.begin() as conn:
            marks = journal.queued_marks(conn, self._x)
        for mark in marks:
            with self._site.ledger.begin() as conn:
                queued = journal.queued_at(conn, self._x, mark)
                assert queued is not None  # nobody else is at work here
                row = shadows.entities(conn, self._x, [queued.gid]).get(queued.gid)
            change = read_change(queued.change)
            if isinstance(change, Set) and row is not None:
                found += self._crossings.conflicts(self._site, row, change, mark=mark)
        return found

    def _settled(self, conn: sa.Connection, mark: Mark, change: Change) -> Change:
        """A change that waits, and what is to be said of its crossings: in the words of before."""
        row = shadows.entities(conn, self._x, [change.gid]).get(change.gid)
        if not isinstance(change, Set) or row is None:
            return change
        row, change = self._crossings.settle(row, change, mark=mark)
        shadows.save(conn, self._x, [row])
        return change

    def _ours(self, change: Change) -> Mapping[str, Value | None]:
        match change:
            case Create() | Set() if kind_of(change.gid) is not Kind.ISSUE:
                return {}
            case Create():
                fields: Mapping[str, Value | None] = change.fields
            case Set():
                fields = {name: one.now for name, one in change.fields.items()}
            case _:
                return {}
        return self._turn.old.inward(Kind.ISSUE, fields, lambda _: None).fields
