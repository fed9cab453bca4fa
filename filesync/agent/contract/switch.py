"""From one contract to another: what the ledger knows of every issue is brought under the new one, and then it is in force.

Both sides do this at the same place of both streams: nothing is on its way that was made under the contract before. Marks
stay what they are. Of a field that means what it meant, under whatever name, the shadow stays; else what was agreed on is
said in the new words, and an edit that was not told stays one. The proposer tells such fields again, for one word of the old
contract may stand for several of the new one. Cut off anywhere, the next run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from filesync.agent.contract.crossings import Crossings
from filesync.agent.naming import prose
from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.finish import finish
from filesync.agent.outgoing.number import freeze, next_heading
from filesync.agent.partners.agreements import ContractInForce, ContractProposed
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Halted, Paired, Site
from filesync.bundle.agreement import Agreement, Says, encode_agreement
from filesync.bundle.changes import compress, encode_change, read_change
from filesync.bundle.header import BundleKind
from filesync.bundle.write import changes_file, pack
from filesync.errors import ConfigError
from filesync.exchange import files
from filesync.ledger import journal, proposals, shadows, streams
from filesync.ledger.proposals import SWITCHING, Proposal
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.change import Change, Create, Set, Told
from filesync.model.ids import Kind, Mark
from filesync.model.issue import Item
from filesync.model.links import LINK, link_name, link_parts
from filesync.model.moments import micros
from filesync.model.shadow import UNAGREED, Entity, Shadow, Shadows
from filesync.model.values import Value, digest, flat_name, split_name
from filesync.rules.contract import read_contract
from filesync.rules.load import make_rules, read_mapping
from filesync.rules.mapping import Outward, Rules
from filesync.rules.ways import UNFIT

_CHUNK: Final = 500  # issues
_T = TypeVar("_T")
_ALL: Final = 1 << 62  # a place behind every row: what is queued was said anew, too


def rules_of(site: Site, contract: str, mapping: str | None) -> Rules:
    """The rules that two texts make here. Raises ConfigError with every problem."""
    hint = f"Give the mapping of {site.config.name} that fits the contract: --mapping FILE. Nothing was changed."
    agreed = read_contract(contract, name="contract.yaml", hint=hint)
    document = None if mapping is None else read_mapping(mapping, name="mapping.yaml", hint=hint)
    return make_rules(agreed, document, site=site.config.name, people=site.tracker.people)


def at_work(site: Site, name: str) -> Paired:
    """The exchange as it stands, once a switch that was cut off is over. Raises as `Site.paired` and `complete` do."""
    site.at_work(name)  # paused or stopped, it waits; its files are read only then: of the two, one may be the new one
    complete(site, name)
    return site.paired(name)


def proposed(site: Site, paired: Paired, record: Record) -> bool:
    """Whether a contract of ours waits for the partner's answer: until then nothing is told under the one before."""
    with site.ledger.begin() as conn:
        one = proposals.of(conn, paired.exchange.id)
    if one is None or not one.ours:
        return False
    record.add(ContractProposed(partner=paired.them.name, version=one.version, ours=True))
    return True


def complete(site: Site, name: str, record: Record | None = None) -> None:
    """Carry out the switch that is under way, if one is. `record`: of the run that it belongs to.

    Raises Unavailable, DiskProblem, ConfigError, KeyProblem (ours, as the answer is signed), Halted.
    """
    with site.ledger.begin() as conn:
        x = streams.exchange_named(conn, name)
        one = None if x is None or x.state is not State.PAIRED else proposals.of(conn, x.id)
    if x is None or one is None or one.state != SWITCHING:
        return
    old, new = rules_of(site, one.before, one.mapping_before), rules_of(site, one.text, one.mapping)
    _Switch(site, name, one, Turn(old, new)).run()
    site.step("C3")
    _put_files(site, name, one)
    site.step("C4")
    site.forget_rules(name)
    record = record or site.record(name)
    with site.ledger.begin() as conn:
        _in_force(conn, site, streams.exchange_of(conn, x.id), one)
        record.add(ContractInForce(partner=x.partner_name, version=one.version, digest=one.digest))
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    record.done()
    site.step("C5")
    if x.direction is not Direction.RECEIVE:
        clear_spool(site.spool(x))
        finish(site, x, record)


def _in_force(conn: sa.Connection, site: Site, x: Exchange, one: Proposal) -> None:
    # none: the key that signed it was revoked while the switch was cut off, which is finished all the same
    if one.seq and streams.taken(conn, x.id, generation=x.in_generation.n, seq=one.seq) is not None:
        apply(conn, site, x, one.seq)
    if not one.ours and x.direction is not Direction.RECEIVE:
        say(conn, site, x, Agreement(n=1, says=Says.ACCEPTED, version=one.version, digest=one.digest))
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


class Turn:
    """How what stands under one contract stands under another one."""

    def __init__(self, old: Rules, new: Rules) -> None:
        self.old, self.new = old, new
        self.changed = frozenset(name for name in old.contract.fields if self._means_another_thing(name))

    def _means_another_thing(self, name: str) -> bool:
        before = self.old.rule(name)
        after = self.new.standing(before.local) if before is not None else None
        if before is None or after is None:
            return False  # it had, or has, no place here
        renamed = replace(after.field.spec, name=name)
        return (before.field.spec, before.allowed) != (renamed, after.allowed)

    def names(self, flat: str) -> tuple[str, ...]:
        """What a wire field, flat, is called under the new contract; () where it has no place any more."""
        name, element = split_name(flat)
        if name == LINK:
            return tuple(self._links(flat))
        before = self.old.rule(name)
        after = self.new.standing(before.local) if before is not None else None
        if before is None or after is None:
            return ()
        if element is None:
            return (after.field.spec.name,)
        return tuple(dict.fromkeys(self._elements(flat)))

    def _elements(self, flat: str) -> Iterator[str]:
        for local in self.old.local_names(flat):
            name, element = split_name(local)
            rule = self.new.standing(name)
            if rule is not None and element is not None:
                try:
                    yield flat_name(rule.field.spec.name, rule.outward(element))
                except UNFIT:
                    continue  # the new contract has no word for it

    def _links(self, flat: str) -> Iterator[str]:
        word, end = link_parts(flat) or ("", "")
        for ours in self.old.links.words.back(word):
            now = link_name(self.new.links.words.out(ours), end)
            if self.new.links.carries(now):
                yield now

    def row(self, row: Entity, before: Mapping[str, Value], after: Outward, *, untold: frozenset[str], again: bool) -> Entity:
        """A row under the new contract, by what our tracker shows under both. `again`: what changed its meaning is told."""
        found: dict[str, Shadow] = {}
        for flat, shadow in row.fields.items():
            agreed = flat not in untold and digest(before.get(flat)) == shadow.here
            for name in self.names(flat):
                here = shadow.here
                if split_name(flat)[0] in self.changed:
                    here = self._here(after.fields.get(name), agreed=agreed, again=again)
                other = found.get(name, Shadow(here=here))
                found[name] = Shadow(
                    here=here if here == other.here else UNAGREED,
                    told=max(shadow.told, other.told),
                    took=max(shadow.took, other.took),
                )
        return msgspec.structs.replace(row, shadows=Shadows.of(found))

    @staticmethod
    def _here(value: Value | None, *, agreed: bool, again: bool) -> str:
        if not agreed:
            return UNAGREED  # an edit that was not told stays one
        return UNAGREED if again and value is not None else digest(value)  # that ours is empty is not told over theirs

    def change(self, change: Change, local: Mapping[str, Value | None]) -> Change:
        """A change that waits or is stuck, in the new words. `local`: its fields in ours, as far as they could be said."""
        match change:
            case Create():
                fields = {name: value for name, value in self._said(change.fields, local).items() if value is not None}
                untold = [new for name in change.untold for new in self.names(name)]
                return msgspec.structs.replace(change, fields=fields, texts=self._renamed(change.texts), untold=untold)
            case Set():
                values = self._said({name: one.now for name, one in change.fields.items()}, local)
                bases = {new: one.base for name, one in change.fields.items() for new in self.names(name)}
                told = {name: Told(value, bases[name]) for name, value in values.items()}
                return msgspec.structs.replace(change, fields=told, texts=self._renamed(change.texts))
            case _:
                return change

    def _renamed(self, texts: Mapping[str, _T]) -> dict[str, _T]:
        return {new: one for name, one in texts.items() for new in self.names(name)}

    def _said(self, fields: Mapping[str, Value | None], local: Mapping[str, Value | None]) -> dict[str, Value | None]:
        found: dict[str, Value | None] = {}
        for flat, value in fields.items():
            for name in self.names(flat):
                found[name] = value if split_name(flat)[0] not in self.changed else self._word(name, value, local)
        return found

    def _word(self, name: str, value: Value | None, local: Mapping[str, Value | None]) -> Value | None:
        rule = self.new.rule(name)
        ours = local.get(rule.local) if rule is not None else None
        if rule is None or value is True or not isinstance(ours, str):
            return value
        try:
            return rule.outward(ours)
        except UNFIT:
            return value  # refused in words when it is tried


class _Switch:
    def __init__(self, site: Site, name: str, one: Proposal, turn: Turn) -> None:
        self._site, self._one, self._turn = site, one, turn
        with site.ledger.begin() as conn:
            x = streams.exchange_named(conn, name)
        assert x is not None  # else there were no proposal
        self._x = x.id
        us, them = site.sides(x)
        paired = Paired(exchange=x, rules=turn.old, basis="", us=us, them=them)
        self._prose = prose(site, paired)
        self._crossings = Crossings(paired, turn.new.contract, turn.names)

    def run(self) -> None:
        """Every live issue's row, a page at a time; what is queued goes with the last one."""
        place, done = self._one.place, 0
        while True:
            if self._site.stopping():
                raise Halted  # the next run goes on from the last page
            with self._site.ledger.begin() as conn:
                page = shadows.live_issues(conn, self._x, after=place, limit=_CHUNK)
                rows = shadows.issues(conn, self._x, [local for _, local in page])
            if not page:
                break
            moved = self._moved(rows)
            place, done = page[-1][0], done + len(page)
            with self._site.ledger.begin() as conn:
                shadows.save(conn, self._x, moved)
                proposals.put(conn, self._x, replace(self._one, place=place))
            self._site.progress(Doing.LOOKING, done, None)
            self._site.step("C2")
        if self._one.place != _ALL:
            self._queue()

    def _moved(self, rows: list[Entity]) -> list[Entity]:
        changed, turn = self._turn.changed, self._turn
        wanted = [row.local for row in rows if row.local is not None] if changed else []
        issues = dict(self._site.tracker.get_all(wanted)) if wanted else {}
        found = []
        for row in rows:
            issue = issues.get(row.local or "")
            before, after = self._shown(issue.item if issue is not None else None)
            # what cannot be read now, or is gone, counts as agreed on in no field that changed its meaning
            again = self._one.ours and issue is not None and issue.in_scope
            found.append(turn.row(row, before.fields, after, untold=before.untold, again=again))
        return found

    def _shown(self, item: Item | None) -> tuple[Outward, Outward]:
        if item is None:
            nothing = Outward(fields={}, unresolved=(), dropped=(), untold=frozenset())
            return nothing, nothing
        old, new = self._turn.old, self._turn.new
        names = {name for flat in self._turn.changed for name in self._turn.names(flat)}
        return (
            old.outward(item, lambda _: None, only=self._turn.changed, prose=self._prose),
            new.outward(item, lambda _: None, only=names, prose=self._prose),
        )

    def _queue(self) -> None:
        """What waits or is stuck was made under the contract before. It is said anew once, in one transaction."""
        with self._site.ledger.begin() as conn:
            for mark in journal.queued_marks(conn, self._x):
                row = journal.queued_at(conn, self._x, mark)
                assert row is not None  # in this transaction
                change = self._settled(conn, mark, read_change(row.change))
                if _kind(change) is Kind.ISSUE:  # the fields of what belongs to one are the same in every contract
                    change = self._turn.change(change, self._ours(change))
                journal.put_queued(conn, self._x, [replace(row, change=encode_change(change))])
            proposals.put(conn, self._x, replace(self._one, place=_ALL))

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
            case Create():
                fields: Mapping[str, Value | None] = change.fields
            case Set():
                fields = {name: one.now for name, one in change.fields.items()}
            case _:
                return {}
        return self._turn.old.inward(Kind.ISSUE, fields, lambda _: None).fields


def _kind(change: Change) -> Kind:
    return Kind(change.gid.split("/")[1])
