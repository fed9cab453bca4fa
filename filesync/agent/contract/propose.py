"""What people do about a change of the contract: propose one, look at what was proposed, accept or decline it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from filesync import __version__
from filesync.agent.asked.fit import fit
from filesync.agent.contract.switch import at_work, complete, gave_way, rules_of, say
from filesync.agent.contract.turn import Turn
from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.finish import finish
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import ContractDeclined, ContractProposed
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.agreement import Agreement, Says
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, NotHere, PairingError, Problem, disk_problem
from filesync.ledger import proposals, shadows, streams
from filesync.ledger.proposals import OPEN, SWITCHING, WITHDRAWN, Proposal
from filesync.ledger.streams import Direction, Exchange
from filesync.model.moments import micros
from filesync.model.values import EMPTY, split_name
from filesync.rules import contract as agreed
from filesync.rules.fitting import allowed_words
from filesync.rules.mapping import Rules

_MESSAGE = 1_000  # characters that travel
_TEXT = 1_000_000  # characters of a contract (schemas/agreement.json)
_PAGE = 500  # issues
_PROBLEMS, _WHY, _AGENT = 3, 300, 40  # of what cannot be read: problems, and characters of them and of what made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with the contract of an exchange. `again`: issues that the proposer tells again once it is in force.

    `misfits`: what would be refused here under the proposal, as long as our mapping and tracker are what they are.
    """

    version: int
    digest: str
    text: str  # of the contract in force
    proposal: Proposal | None
    again: int
    misfits: tuple[Problem, ...]
    unreadable: str  # why the proposal cannot be read here, and what made it; "": it can be


def standing(site: Site, name: str) -> Standing:
    """The contract in force, and the change of it that is under way. Raises PairingError, ConfigError, Paused."""
    paired = site.paired(name)
    with site.ledger.begin() as conn:
        one = proposals.of(conn, paired.exchange.id)
    text = _text(site.config.rules_of(name).contract)
    again = 0
    wrong: tuple[Problem, ...] = ()
    why = "" if one is None else unreadable(one)
    if one is not None and not why:
        changed = agreed.read_contract(one.text, name="contract.yaml", hint="")
        again = _told_again(site, paired, _changed_in(paired.rules.contract, changed))
        wrong = _misfits(site, paired, one)
    contract = paired.rules.contract
    version, digest = contract.version, contract.digest
    return Standing(version=version, digest=digest, text=text, proposal=one, again=again, misfits=wrong, unreadable=why)


def propose(site: Site, name: str, contract: Path, *, mapping: Path | None, message: str) -> Standing:
    """Propose another contract to the partner. On an exchange that only sends it is in force at once.

    Raises ConfigError (a contract or mapping that does not fit), PairingError, NotHere (another one is under way).
    """
    paired = at_work(site, name)
    if paired.exchange.direction is Direction.RECEIVE:
        raise PairingError(f"exchange {name!r} only receives", hint="Ask the partner to propose the contract.")
    _check_own(site, name)
    text = _text(contract)
    found = agreed.read_contract(text, name=contract.name, hint="Nothing was changed.")
    if len(text) > _TEXT:
        raise ConfigError([Problem(str(contract), f"longer than a proposal may be ({_TEXT} characters)")], hint="Shorten it.")
    said = Agreement(n=1, says=Says.PROPOSED, version=found.version, digest=found.digest, text=text, message=message[:_MESSAGE])
    one = _proposal(site, paired, said, mapping=mapping)
    new = _rules(site, paired, one, given=mapping)
    before = paired.rules.contract
    if new.contract.digest == before.digest:
        raise NotHere(f"{contract} says what is in force already", hint="Nothing was changed.")
    if new.contract.version <= before.version:
        what = f"is {new.contract.version}, and {before.version} is in force: count it up"
        raise ConfigError([Problem(f"{contract}: version", what)], hint="Nothing was changed.")
    alone = paired.exchange.direction is Direction.SEND
    record = site.record(name)
    turn = Turn(paired.rules, new, offered=site.tracker.offered())
    wrong = _fit(site, paired, new)  # the tracker is asked before anything is said
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        if (other := proposals.of(conn, x.id)) is not None:
            if other.ours and other.digest == one.digest and other.state == OPEN:
                raise NotHere(
                    f"contract {one.version} is proposed already, just as {contract} says it",
                    hint=f"{x.partner_name} has not answered yet: filesync contract show",
                )
            hint = "see: filesync contract show; then: filesync contract withdraw, where it is ours, else accept or decline"
            raise NotHere("another contract is proposed and not decided", hint=hint)
        say(conn, site, x, msgspec.structs.replace(said, origins=turn.origins))
        proposals.put(conn, x.id, one if not alone else replace(one, state=SWITCHING))
        if not alone:
            record.add(ContractProposed(partner=x.partner_name, version=one.version, ours=True))
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    _send(site, x, record)
    again = _told_again(site, paired, turn.changed)
    complete(site, name)
    return Standing(version=one.version, digest=one.digest, text=text, proposal=one, again=again, misfits=wrong, unreadable="")


def withdraw(site: Site, name: str, *, message: str) -> Proposal:
    """Take back what we proposed: the partner's filesync says whether it was accepted before it read that.

    Until then nothing new is exported, as before: of a contract that was accepted there, the answer is on its way. Raises
    NotHere, PairingError, as `at_work`.
    """
    paired = at_work(site, name)
    record = site.record(name)
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        one = proposals.of(conn, x.id)
        if one is None or not one.ours:
            raise NotHere("no contract of ours is proposed", hint="see: filesync contract show")
        if one.state != OPEN:
            raise NotHere(f"contract {one.version} is withdrawn already", hint=f"{x.partner_name} has not answered yet.")
        said = Agreement(n=1, says=Says.WITHDRAWN, version=one.version, digest=one.digest, message=message[:_MESSAGE])
        say(conn, site, x, said)
        proposals.put(conn, x.id, replace(one, state=WITHDRAWN))
        record.add(ContractProposed(partner=x.partner_name, version=one.version, ours=True, withdrawn=True))
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    _send(site, x, record)
    return one


def accept(site: Site, name: str, *, mapping: Path | None = None, record: Record | None = None) -> Proposal:
    """Accept what the partner proposed, with another mapping of ours where that is needed. Raises ConfigError, NotHere."""
    paired, one = _theirs(site, name)
    _check_own(site, name)
    if why := unreadable(one):
        hint = "Where a newer filesync made it, upgrade this site, and accept it then; or: filesync contract decline."
        raise ConfigError([Problem(f"contract {one.version}", f"cannot be read here ({why})")], hint=hint)
    one = ready(site, paired, one if mapping is None else replace(one, mapping=_text(mapping)), given=mapping)
    with site.ledger.begin() as conn:
        proposals.put(conn, paired.exchange.id, replace(one, state=SWITCHING))
    site.step("C1")
    complete(site, name, record)
    return one


def ready(site: Site, paired: Paired, one: Proposal, *, given: Path | None = None) -> Proposal:
    """It, as what stands here now will be brought under it: a person may have mended our mapping since it was proposed.

    `given`: the file of a mapping that goes with it. Raises ConfigError where it does not fit our mapping, DiskProblem.
    """
    which = site.config.rules_of(paired.exchange.name)
    mapping = None if which.mapping is None else _text(which.mapping)
    own = one.mapping != one.mapping_before  # one that was given with it
    one = replace(one, before=_text(which.contract), mapping_before=mapping, mapping=one.mapping if own else mapping)
    _rules(site, paired, one, given=given)
    return one


def decline(site: Site, name: str, *, message: str) -> Proposal:
    """Say no to what the partner proposed: the contract before stays in force. Raises NotHere, PairingError."""
    paired, one = _theirs(site, name)
    if paired.exchange.direction is Direction.RECEIVE:
        raise PairingError(
            f"exchange {name!r} only receives: {paired.them.name} is at work under contract {one.version} already",
            hint="Accept it, or ask them to propose another one.",
        )
    record = site.record(name)
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        said = Agreement(n=1, says=Says.DECLINED, version=one.version, digest=one.digest, message=message[:_MESSAGE])
        say(conn, site, streams.exchange_of(conn, x.id), said)
        proposals.drop(conn, x.id)
        record.add(ContractDeclined(partner=x.partner_name, version=one.version, ours=False, why=message[:_MESSAGE]))
        gave_way(one, x.partner_name, record)
        record.write(conn)
        x = streams.exchange_of(conn, x.id)
    _send(site, x, record)
    return one


def _send(site: Site, x: Exchange, record: Record) -> None:
    """What is said of a contract is in the ledger: make its bundle and publish it."""
    record.done()
    site.step("C1")
    clear_spool(site.spool(x))
    finish(site, x, record)


def unreadable(one: Proposal) -> str:
    """Why what the partner proposed is no contract that this version knows, and what made it; "" where it is one."""
    try:
        contract = agreed.read_contract(one.text, name="contract.yaml", hint="")
    except ConfigError as error:
        why = "; ".join(map(str, error.problems[:_PROBLEMS]))
    else:
        why = "" if contract.digest == one.digest else "contract.yaml is not the one that its digest names"
    return f"{shown(why, limit=_WHY)}; made by {shown(one.agent, limit=_AGENT)}" if why else ""


def proposed(site: Site, paired: Paired, said: Agreement, *, agent: str) -> Proposal:
    """What the partner proposed, as it is kept until somebody decides. Raises ConfigError (of our files), DiskProblem."""
    one = _proposal(site, paired, said, mapping=None)
    return read(replace(one, ours=False, agent=agent, origins=msgspec.json.encode(said.origins).decode()))


def read(one: Proposal) -> Proposal:
    """The same, with what this version finds when it reads it."""
    return replace(one, read_by=__version__, unreadable=unreadable(one))


def _theirs(site: Site, name: str) -> tuple[Paired, Proposal]:
    paired = at_work(site, name)
    with site.ledger.begin() as conn:
        one = proposals.of(conn, paired.exchange.id)
    if one is None or one.ours or one.state != OPEN:
        raise NotHere(f"{paired.them.name} has not proposed a contract", hint="see: filesync contract show")
    return paired, one


def _proposal(site: Site, paired: Paired, said: Agreement, *, mapping: Path | None) -> Proposal:
    which = site.config.rules_of(paired.exchange.name)
    before = None if which.mapping is None else _text(which.mapping)
    return Proposal(
        ours=True,
        state=OPEN,
        seq=0,
        version=said.version,
        digest=said.digest,
        text=said.text,
        message=said.message[:_MESSAGE],
        mapping=before if mapping is None else _text(mapping),
        before=_text(which.contract),
        mapping_before=before,
        place=0,
        since=micros(site.clock()),
    )


def _check_own(site: Site, name: str) -> None:
    """Raises ConfigError where another exchange is under the same file: the contract of that one would change, too."""
    contract = site.config.rules_of(name).contract
    shared = [one for one in site.exchange_names() if one != name and site.config.rules_of(one).contract == contract]
    if shared:
        what = f"is the contract of {', '.join(shared)}, too"
        raise ConfigError(
            [Problem(str(contract), what)], hint=f"Give {name} a contract of its own in filesync.yaml: exchanges: {name}."
        )


def _rules(site: Site, paired: Paired, one: Proposal, *, given: Path | None) -> Rules:
    """The rules that will be in force. Raises ConfigError where contract and mapping do not fit, or name strangers."""
    try:
        rules = _read_with(site, paired, one, given)
    except ConfigError as error:  # mapping.yaml itself belongs to the contract that is still in force
        hint = "Nothing was changed. Write a mapping that fits the new contract into another file, and give it: --mapping FILE."
        raise ConfigError(error.problems, hint=hint) from error
    one_way = paired.exchange.direction is not Direction.BOTH
    if problems := agreed.strangers(rules.contract, us=paired.us, them=paired.them, one_way=one_way):
        raise ConfigError(problems, hint="Nothing was changed.")
    if one.mapping != one.mapping_before and site.config.rules_of(paired.exchange.name).mapping is None:
        raise ConfigError([Problem("filesync.yaml", "names no mapping that could be changed")], hint="Nothing was changed.")
    return rules


def _read_with(site: Site, paired: Paired, one: Proposal, given: Path | None) -> Rules:
    mapping = given or site.config.rules_of(paired.exchange.name).mapping
    return rules_of(site, one.text, one.mapping, name="mapping.yaml" if mapping is None else mapping.name)


def _misfits(site: Site, paired: Paired, one: Proposal) -> tuple[Problem, ...]:
    try:
        which = one if one.ours else ready(site, paired, one)
        return _fit(site, paired, _read_with(site, paired, which, None))
    except ConfigError as error:
        return error.problems


def _fit(site: Site, paired: Paired, rules: Rules) -> tuple[Problem, ...]:
    way = paired.exchange.direction
    receives, sends = way is not Direction.SEND, way is not Direction.RECEIVE
    return fit(rules, site.tracker.describe(), us=paired.us.name, receives=receives, sends=sends).refused


def _changed_in(before: agreed.Contract, after: agreed.Contract) -> frozenset[str]:
    """Fields of the contract in force that are another's, or have other words, under the one that is proposed."""
    there = after.fields
    return frozenset(
        name
        for name, field in before.fields.items()
        if there.get(name) != field or allowed_words(before, field) != allowed_words(after, field)
    )


def _told_again(site: Site, paired: Paired, changed: frozenset[str]) -> int:
    """How many issues hold something in one of these fields of the contract in force."""
    found = place = 0
    while changed:
        with site.ledger.begin() as conn:
            page = shadows.live_issues(conn, paired.exchange.id, after=place, limit=_PAGE)
            rows = shadows.issues(conn, paired.exchange.id, [local for _, local in page])
        if not page:
            break
        place = page[-1][0]
        found += sum(
            any(split_name(name)[0] in changed and one.here != EMPTY for name, one in row.fields.items()) for row in rows
        )
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(path), "not UTF-8")], hint="Nothing was changed.") from error
