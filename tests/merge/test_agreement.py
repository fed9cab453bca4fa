"""A contract is changed: proposed at one site, accepted at the other, and no edit is lost."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from filesync.agent.asked.look import Told, history
from filesync.agent.contract.propose import accept, decline, propose, standing
from filesync.agent.events import Event, Severity
from filesync.agent.outgoing.departures import RulesChanged
from filesync.agent.partners.agreements import ContractDeclined, ContractProposed, NotAccepted, ReadAnew
from filesync.agent.partners.revocation import revoke
from filesync.agent.site import Halted
from filesync.cli.import_ import code_of
from filesync.errors import ConfigError, ExitCode, KeyProblem, NotHere, PairingError
from filesync.ledger import streams
from filesync.ledger.proposals import Proposal
from filesync.ledger.streams import Direction
from tests.merge.scene import (
    DEFAULT,
    comments,
    contract,
    crash,
    crashes_anywhere,
    events,
    only,
    refuse,
    refuse_nothing,
    row,
    shared,
    value,
)
from tests.support.two_sites import EXCHANGE, Side, two_sites

PRIORITIES = "priority: {kind: option, options: [Highest, High, Medium, Low, Lowest]}"
# in the contract at first: one word for two of ours
COARSE = contract((PRIORITIES, "priority: {kind: option, options: [High, Low]}"))
COARSELY = "fields:\n  priority: {field: priority, options: {Highest: High, High: High, Lowest: Low}}\n"
FINE = contract(("version: 1 ", "version: 2 "))
RENAMED = contract(("version: 1 ", "version: 2 "), ("  summary: {kind: text}", "  title: {kind: text}"))
RENAMED_MAPPING = "fields: {summary: title}\n"


def put(side: Side, name: str, text: str) -> Path:
    path = side.folder / name
    path.write_text(text)
    return path


def proposes(side: Side, text: str, mapping: str | None = None) -> int:
    file = put(side, "new-contract.yaml", text)
    with_it = None if mapping is None else put(side, "new-mapping.yaml", mapping)
    return propose(side.site, EXCHANGE, file, mapping=with_it, message="we need it").again


def accepts(side: Side, mapping: str | None = None) -> None:
    accept(side.site, EXCHANGE, mapping=None if mapping is None else put(side, "new-mapping.yaml", mapping))


def coarse() -> tuple[str, tuple[str, str]]:
    return COARSE, (COARSELY, COARSELY)


@pytest.mark.parametrize(("winner", "stands"), [("globex", "Low"), ("acme", "Highest")])
def test_remap_with_unsent_edit(winner: str, stands: str) -> None:
    """An edit that globex had not told when the contract changed is told under the new one, and meets what acme tells again."""
    agreed, mappings = coarse()
    agreed, fine = (text.replace("winner: first ", f"winner: {winner} ") for text in (agreed, FINE))
    with two_sites(contract=agreed, mappings=mappings) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"priority": "Highest"})
        world.settle()
        assert value(world.globex, key, "priority") == "Highest", "the first word that stands for High"
        world.globex.desk.edit(key, {"priority": "Low"})
        assert proposes(world.acme, fine, "# the same words\n") == 1
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex, "# the same words\n")
        world.settle()
        world.assert_in_step()
        assert value(world.acme, key, "priority") == value(world.globex, key, "priority") == stands


def test_what_one_word_stood_for_is_told_again_by_the_proposer() -> None:
    agreed, mappings = coarse()
    with two_sites(contract=agreed, mappings=mappings) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"priority": "High"})
        world.settle()
        assert value(world.globex, key, "priority") == "Highest"
        proposes(world.acme, FINE, "# the same words\n")
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex, "# the same words\n")
        world.settle()
        world.assert_in_step()
        assert value(world.globex, key, "priority") == "High"


def test_the_export_after_an_accepted_contract_warns_of_nothing_and_one_after_an_edit_by_hand_does() -> None:
    def told(side: Side) -> list[type[Event]]:
        return [type(one) for one in side.export().events if isinstance(one, ReadAnew | RulesChanged)]

    with two_sites(mappings=("# none\n", "# none\n")) as world:
        shared(world)
        world.settle()
        proposes(world.acme, FINE)
        with pytest.raises(NotHere, match="contract 2 is proposed already"):
            proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex)
        assert told(world.globex) == [ReadAnew]
        assert told(world.globex) == []
        world.carry(to=world.acme)
        world.acme.import_()
        assert told(world.acme) == [ReadAnew]
        assert (ReadAnew.severity, RulesChanged.severity) == (Severity.INFO, Severity.WARNING)
        put(world.acme, "mapping.yaml", "# another\n")
        world.acme.reopen()
        assert told(world.acme) == [RulesChanged]


def test_remap_with_edits_in_flight() -> None:
    """Until it is accepted both go on editing; what globex told before it accepted is read under the contract before."""
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        world.globex.desk.edit(key, {"summary": "said at globex"})
        world.globex.export()  # under the one before
        world.acme.desk.edit(key, {"priority": "High"})
        held = world.acme.export()
        assert held.changes == 0
        assert "nothing new is exported" in only([one for one in held.events if isinstance(one, ContractProposed)]).sentence()
        done = world.globex.import_()
        assert (done.held, only([one for one in done.events if isinstance(one, ContractProposed)]).ours) == (0, False)
        with pytest.raises(ConfigError, match=r"^new-mapping\.yaml:1:"):
            accepts(world.globex, "fields: {summary: summary}\n")
        accepts(world.globex, RENAMED_MAPPING)
        world.settle()
        world.assert_in_step()
        assert value(world.acme, key, "summary") == "said at globex"
        assert value(world.globex, key, "priority") == "High"
        assert (world.acme.folder / "contract.yaml").read_text() == RENAMED
        assert (world.globex.folder / "mapping.yaml").read_text() == RENAMED_MAPPING
        assert world.acme.conflicts() == world.globex.conflicts() == []


def test_remap_of_out_of_scope_issue() -> None:
    """It is not told again while it is out of scope, and edits of it still come in."""
    agreed, mappings = coarse()
    with two_sites(contract=agreed, mappings=mappings, scopes=("{labels: [hot]}", "")) as world:
        key = world.acme.desk.create("Bug", "Pump", {"labels:hot": True, "priority": "High"})
        world.settle()
        world.acme.desk.edit(key, {"labels:hot": None})
        world.settle()
        proposes(world.acme, FINE, "# the same words\n")
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex, "# the same words\n")
        world.settle()
        world.globex.desk.edit(key, {"priority": "Low"})
        world.settle()
        assert value(world.acme, key, "priority") == "Low"


def test_new_field_empty_does_not_wipe() -> None:
    without = contract(("  environment: {kind: text}\n", ""))
    with two_sites(contract=without) as world:
        key = shared(world)
        other = shared(world, "second")
        world.acme.desk.edit(key, {"environment": "Hall 3"})
        world.globex.desk.edit(other, {"environment": "Hall 4"})
        world.settle()
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex)
        world.settle()
        world.assert_in_step()
        assert [value(side, key, "environment") for side in world.sides] == ["Hall 3"] * 2
        assert [value(side, other, "environment") for side in world.sides] == ["Hall 4"] * 2


def test_what_waits_or_is_stuck_is_said_in_the_new_words() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        world.globex.faults.refuse = lambda _call, _what: "not today"
        world.acme.desk.edit(key, {"summary": "stuck at first"})
        world.acme.desk.comment(key, "this one, too")
        world.send(world.acme)
        assert len(world.globex.stuck()) == 2
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex, RENAMED_MAPPING)
        world.settle()
        world.assert_in_step()
        assert value(world.globex, key, "summary") == "stuck at first"
        assert comments(world.globex, key) == ["this one, too"]


def test_a_declined_contract_changes_nothing_and_exports_go_on() -> None:
    with two_sites() as world:
        key = shared(world)
        proposes(world.acme, FINE.replace("links: [blocks, duplicates, relates]", "links: []"))
        with pytest.raises(NotHere):
            proposes(world.acme, FINE)
        world.acme.desk.edit(key, {"summary": "meanwhile"})
        world.carry(to=world.globex)
        world.globex.import_()
        decline(world.globex.site, EXCHANGE, message="we need links")
        world.carry(to=world.acme)
        done = world.acme.import_()
        assert (
            "declined contract 2: we need links"
            in only([one for one in done.events if isinstance(one, ContractDeclined)]).sentence()
        )
        world.settle()
        world.assert_in_step()
        assert value(world.globex, key, "summary") == "meanwhile"
        assert standing(world.acme.site, EXCHANGE).proposal is None


def test_where_both_propose_at_once_one_of_them_goes_on_at_both() -> None:
    with two_sites() as world:
        shared(world)
        proposes(world.globex, FINE)
        proposes(world.acme, FINE.replace("links: [blocks, duplicates, relates]", "links: [blocks]"))
        world.carry(to=world.globex)
        world.carry(to=world.acme)
        world.acme.import_()
        for told in (world.globex.import_().events, world.globex.import_().events, world.globex.export().events):
            assert only([one for one in told if isinstance(one, ContractProposed)]).instead_of == 2, "ours gave way"
        one = world.globex.status().exchanges[0].proposal
        assert one is not None
        assert (one.ours, one.instead_of) == (False, 2)
        accepts(world.globex)
        log = [told.sentence for told in history_of(world.globex)]
        assert any("was never decided. Where it is still wanted, propose it again" in line for line in log)
        world.settle()
        world.assert_in_step()
        assert "links: [blocks] " in (world.globex.folder / "contract.yaml").read_text()


def test_what_is_accepted_without_asking_needs_nobody() -> None:
    with two_sites() as world:
        config = world.globex.folder / "filesync.yaml"
        config.write_text(config.read_text().replace("contract_changes: ask ", "contract_changes: accept "))
        world.globex.reopen()
        shared(world)
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        assert world.globex.site.paired(EXCHANGE).rules.contract.version == 2
        world.settle()
        world.assert_in_step()


def test_what_would_be_accepted_without_asking_and_does_not_fit_waits_and_the_import_tells_all_it_has_to() -> None:
    with two_sites(mappings=("# none\n", "fields: {summary: summary}\n")) as world:
        config = world.globex.folder / "filesync.yaml"
        config.write_text(config.read_text().replace("contract_changes: ask ", "contract_changes: accept "))
        world.globex.reopen()
        key = shared(world)
        refuse(world.globex, "environment")
        world.acme.desk.edit(key, {"environment": "refused"})
        world.acme.export()
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        for bundles in (2, 0):
            done = world.globex.import_()
            assert (done.bundles, done.queued, code_of(done)) == (bundles, 1, ExitCode.WORK_LEFT)
            assert 'the contract has no field "summary"' in only(events(done, NotAccepted)).sentence()
            assert not only(events(done, ContractProposed)).ours
        put(world.globex, "mapping.yaml", "# fits both\n")
        assert events(world.globex.import_(), NotAccepted) == []
        assert world.globex.site.paired(EXCHANGE).rules.contract.version == 2


def test_on_an_exchange_that_only_sends_it_is_in_force_at_once_and_held_at_the_other_side() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        for side, direction in ((world.acme, Direction.SEND), (world.globex, Direction.RECEIVE)):
            x = side.exchange().id
            with side.site.ledger.begin() as conn:
                streams.update_exchange(conn, x, direction=direction)
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.acme.desk.edit(key, {"summary": "under the new one"})
        done = world.send(world.acme)
        assert done.held == 1
        with pytest.raises(PairingError, match="at work under contract 2 already"):
            decline(world.globex.site, EXCHANGE, message="no")
        accepts(world.globex, RENAMED_MAPPING)
        world.globex.import_()
        assert value(world.globex, key, "summary") == "under the new one"


def test_a_proposal_must_fit_and_count_up() -> None:
    with two_sites() as world:
        with pytest.raises(NotHere, match="says what is in force already"):
            proposes(world.acme, DEFAULT + "# a comment\n")
        with pytest.raises(ConfigError, match="count it up"):
            proposes(world.acme, DEFAULT.replace("comments: true", "comments: false"))
        with pytest.raises(ConfigError, match="longer than a proposal may be"):
            proposes(world.acme, FINE + "#" * 1_000_000)
        with pytest.raises(ConfigError, match=r"^new-mapping\.yaml:1:\d+: .*not in the contract"):
            proposes(world.acme, FINE, "types: {Bug: Nonsense}\n")


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.prove)])
def test_cut_off_anywhere_both_come_to_the_new_contract(step: int) -> None:
    agreed, mappings = coarse()
    for nth in itertools.count(1, step):
        with two_sites(contract=agreed, mappings=mappings) as world:
            key = shared(world)
            world.acme.desk.edit(key, {"priority": "High"})
            world.settle()
            world.globex.desk.edit(key, {"summary": "not told yet"})
            proposes(world.acme, FINE, "# same\n")
            world.carry(to=world.globex)
            world.globex.import_()
            cut = crashes_anywhere(world.globex, nth, lambda: accepts(world.globex, "# same\n"))
            if standing_open(world.globex):
                accepts(world.globex, "# same\n")
            world.globex.export()
            world.carry(to=world.acme)
            cut |= crashes_anywhere(world.acme, nth, world.acme.import_)
            world.settle()
            world.assert_in_step()
            assert value(world.globex, key, "priority") == "High"
            assert value(world.acme, key, "summary") == "not told yet"
        if not cut:
            break
    assert nth > 1


def test_cut_off_between_its_two_files_it_goes_on() -> None:
    """The new contract.yaml is there, the mapping.yaml that goes with it is not: the two do not fit each other."""
    with two_sites(mappings=("# none\n", "fields: {summary: summary}\n")) as world:
        key = shared(world)
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        world.globex.import_()
        with crash(world.globex, "after C3"):
            accepts(world.globex, RENAMED_MAPPING)
        put(world.globex, "contract.yaml", RENAMED)
        world.globex.reopen()
        world.globex.desk.edit(key, {"summary": "afterwards"})
        world.settle()
        world.assert_in_step()
        assert value(world.acme, key, "summary") == "afterwards"
        assert (world.globex.folder / "mapping.yaml").read_text() == RENAMED_MAPPING


def test_cut_off_it_is_over_before_a_person_tries_again_what_is_stuck() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        refuse(world.globex, "summary")
        world.acme.desk.edit(key, {"summary": "stuck at first"})
        world.send(world.acme)
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        world.globex.import_()
        with crash(world.globex, "after C2"):
            accepts(world.globex, RENAMED_MAPPING)
        refuse_nothing(world.globex)
        world.globex.retry()
        assert standing(world.globex.site, EXCHANGE).version == 2
        assert value(world.globex, key, "summary") == "stuck at first"
        world.settle()
        world.assert_in_step()


def test_what_an_import_does_last_is_done_by_the_contract_that_came_into_force() -> None:
    """The issue that a text names comes in the same run as the partner's yes; the text is written anew, and nobody is told."""
    renamed = FINE.replace("  description: {kind: text}", "  story: {kind: text}")
    assert renamed != FINE
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        world.globex.desk.create("Bug", "own")  # so that keys differ
        world.acme.desk.create("Bug", "first", {"description": "as in ABC-2"})
        world.send(world.acme)
        proposes(world.globex, renamed, "fields: {description: story}\n")
        world.carry(to=world.acme)
        world.acme.import_()
        world.acme.desk.create("Bug", "second")
        world.acme.export()
        accepts(world.acme, "fields: {description: story}\n")
        world.acme.export()
        world.carry(to=world.globex)
        world.globex.import_()
        assert value(world.globex, "ABC-2", "description") == "as in ABC-3"
        assert [name for name in row(world.globex, "ABC-2").fields if name in {"description", "story"}] == ["story"]
        assert world.globex.export().changes == 1, "globex's own issue"
        world.settle()
        world.assert_in_step()


def test_what_is_amiss_here_stops_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another exchange under the same file, a key that cannot sign: what the partner proposed is sound all the same."""
    with two_sites() as world:
        config = world.globex.folder / "filesync.yaml"
        config.write_text(config.read_text().replace("contract_changes: ask ", "contract_changes: accept "))
        world.globex.reopen()
        shared(world)
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        with monkeypatch.context() as patch:
            patch.setattr(world.globex.site, "exchange_names", lambda: [EXCHANGE, "other"])
            assert "is the contract of other, too" in only(events(world.globex.import_(), NotAccepted)).sentence()
        key = world.globex.config.keys.signing
        assert key is not None
        key.chmod(0o644)
        with pytest.raises(KeyProblem):
            world.globex.import_()
        key.chmod(0o600)
        world.settle()
        world.assert_in_step()
        assert world.acme.site.paired(EXCHANGE).rules.contract.version == 2


def test_asked_to_stop_it_goes_on_with_the_next_run() -> None:
    with two_sites() as world:
        shared(world)
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        world.globex.site.stopping = lambda: True
        with pytest.raises(Halted):
            accepts(world.globex)
        world.globex.site.stopping = lambda: False
        world.settle()
        world.assert_in_step()
        assert world.acme.site.paired(EXCHANGE).rules.contract.version == 2


def test_what_a_revoked_key_signed_nobody_can_accept() -> None:
    with two_sites() as world:
        key = shared(world)
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        revoke(world.globex.site, world.globex.exchange(), world.acme.exchange().out_seq)
        with pytest.raises(NotHere, match="has not proposed a contract"):
            accepts(world.globex)
        world.globex.desk.edit(key, {"priority": "High"})
        assert world.globex.export().changes == 2, "the edit, and that it is declined: if acme proposed it, it waits for that"
        assert world.globex.site.paired(EXCHANGE).rules.contract.version == 1
        world.carry(to=world.acme)
        world.acme.import_()
        assert not standing_open(world.acme)
        assert value(world.acme, key, "priority") == "High"


def test_a_switch_to_what_a_revoked_key_signed_is_finished_where_it_was_begun() -> None:
    with two_sites() as world:
        key = shared(world)
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        world.globex.import_()
        with crash(world.globex, "after C2"):
            accepts(world.globex)
        revoke(world.globex.site, world.globex.exchange(), world.acme.exchange().out_seq)
        world.globex.desk.edit(key, {"priority": "High"})
        assert world.globex.export().changes == 1
        assert world.globex.site.paired(EXCHANGE).rules.contract.version == 2


def history_of(side: Side) -> list[Told]:
    with side.site.ledger.begin() as conn:
        return history(conn, limit=20)


def test_what_was_proposed_is_read_once_by_each_version(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Proposal] = []

    def reads(one: Proposal) -> str:
        read.append(one)
        return ""

    monkeypatch.setattr("filesync.agent.contract.propose.unreadable", reads)
    with two_sites() as world:
        proposes(world.acme, FINE)
        world.carry(to=world.globex)
        for _ in range(3):
            assert [one for one in world.globex.import_().events if isinstance(one, ContractProposed)]
        assert len(read) == 1
        monkeypatch.setattr("filesync.agent.contract.propose.__version__", "a newer one")
        monkeypatch.setattr("filesync.agent.contract.heard.__version__", "a newer one")
        for _ in range(2):
            world.globex.import_()
        assert len(read) == 2


def standing_open(side: Side) -> bool:
    one = standing(side.site, EXCHANGE).proposal
    return one is not None and one.state == "open"
