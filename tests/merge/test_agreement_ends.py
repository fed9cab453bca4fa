"""How a change of the contract ends otherwise: withdrawn, not to be read here, or taken for other fields at the two sites."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from filesync.agent.asked.look import history
from filesync.agent.contract.propose import accept, decline, propose, standing, withdraw
from filesync.agent.contract.switch import say
from filesync.agent.partners.agreements import ContractProposed, ContractWithdrawn, FieldsMoved
from filesync.agent.site import Site
from filesync.bundle.agreement import Agreement
from filesync.errors import ConfigError, NotHere, Unreadable
from filesync.ledger import proposals, shadows, streams
from filesync.ledger.proposals import OPEN, Proposal
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.values import digest
from tests.merge.scene import comments, contract, only, refuse_create, refuse_nothing, row, shared, value
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

FINE = contract(("version: 1 ", "version: 2 "))
STORY = contract(("version: 1 ", "version: 2 "), ("  description: {kind: text}", "  story: {kind: text}"))


def proposed(world: World, text: str, mapping: str | None = None) -> None:
    """By acme, and it has come to globex."""
    (world.acme.folder / "new-contract.yaml").write_text(text)
    propose(world.acme.site, EXCHANGE, world.acme.folder / "new-contract.yaml", mapping=put(world.acme, mapping), message="so")
    world.carry(to=world.globex)
    world.globex.import_()


def accepts(side: Side, mapping: str | None = None) -> None:
    accept(side.site, EXCHANGE, mapping=put(side, mapping))


def put(side: Side, mapping: str | None) -> Path | None:
    path = side.folder / "new-mapping.yaml"
    if mapping is not None:
        path.write_text(mapping)
    return None if mapping is None else path


def goes_on(world: World, key: str, *, version: int) -> None:
    """Both are under this contract, nothing is under way, and what was edited meanwhile arrives."""
    world.acme.desk.edit(key, {"priority": "High"})
    world.globex.desk.edit(key, {"environment": "Hall 3"})
    world.settle()
    world.assert_in_step()
    assert [value(side, key, "priority") for side in world.sides] == ["High", "High"]
    for side in world.sides:
        found = standing(side.site, EXCHANGE)
        assert (found.version, found.proposal) == (version, None)


def test_a_proposal_that_nobody_answers_is_withdrawn() -> None:
    with two_sites() as world:
        key = shared(world)
        with pytest.raises(NotHere, match="no contract of ours is proposed"):
            withdraw(world.acme.site, EXCHANGE, message="never was")
        proposed(world, FINE)
        withdraw(world.acme.site, EXCHANGE, message="a mistake")
        with pytest.raises(NotHere, match="is withdrawn already"):
            withdraw(world.acme.site, EXCHANGE, message="once more")
        world.acme.desk.edit(key, {"summary": "meanwhile"})
        held = world.acme.export()
        assert held.changes == 0, "until it is known that nobody accepted it"
        assert "has answered that" in only([one for one in held.events if isinstance(one, ContractProposed)]).sentence()
        world.carry(to=world.globex)
        done = world.globex.import_()
        told = only([one for one in done.events if isinstance(one, ContractWithdrawn)])
        assert "contract 2 was withdrawn by acme: a mistake. The one before stays" in told.sentence()
        with pytest.raises(NotHere, match="has not proposed a contract"):
            accepts(world.globex)
        goes_on(world, key, version=1)
        proposed(world, FINE)
        accepts(world.globex)
        goes_on(world, key, version=2)


def test_withdrawn_after_it_was_accepted_it_is_in_force_on_both_sides() -> None:
    with two_sites() as world:
        key = shared(world)
        proposed(world, FINE)
        accepts(world.globex)
        withdraw(world.acme.site, EXCHANGE, message="a mistake")
        world.carry(to=world.globex)
        late = [only([one for one in world.globex.import_().events if isinstance(one, ContractWithdrawn)])]
        world.carry(to=world.acme)
        late.append(only([one for one in world.acme.import_().events if isinstance(one, ContractWithdrawn)]))
        assert [(one.ours, one.late) for one in late] == [(False, True), (True, True)]
        goes_on(world, key, version=2)


def test_withdrawn_while_both_proposed_neither_is_left() -> None:
    with two_sites() as world:
        key = shared(world)
        (world.globex.folder / "new-contract.yaml").write_text(FINE + "# globex\n")
        propose(world.globex.site, EXCHANGE, world.globex.folder / "new-contract.yaml", mapping=None, message="so")
        proposed(world, FINE)
        withdraw(world.acme.site, EXCHANGE, message="after you")
        goes_on(world, key, version=1)


def test_a_proposal_of_a_newer_version_stops_nothing_and_is_declined_or_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def newer(conn: sa.Connection, site: Site, x: Exchange, what: Agreement) -> int:
        text = f"{what.text}\ncolours: [red]\n"
        return say(conn, site, x, msgspec.structs.replace(what, text=text) if what.text else what)

    monkeypatch.setattr("filesync.agent.contract.propose.say", newer)
    with two_sites() as world:
        key = shared(world)
        proposed(world, FINE)
        told = only([one for one in world.globex.import_().events if isinstance(one, ContractProposed)])
        assert "colours" in told.sentence()
        assert "made by filesync " in told.sentence()
        with pytest.raises(ConfigError, match="cannot be read here"):
            accepts(world.globex)
        assert standing(world.globex.site, EXCHANGE).unreadable
        decline(world.globex.site, EXCHANGE, message="too new for us")
        goes_on(world, key, version=1)
        proposed(world, FINE)
        withdraw(world.acme.site, EXCHANGE, message="so we heard")
        goes_on(world, key, version=1)


def test_what_the_two_sites_take_for_different_fields_is_told_again() -> None:
    """acme calls the field otherwise; globex's mapping puts another field of its tracker there, which is empty."""
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = world.acme.desk.create("Bug", "first", {"description": "as at acme"})
        other = world.acme.desk.create("Bug", "second", {"description": "at acme"})
        world.settle()
        world.globex.desk.edit(other, {"customer_reference": "at globex"})
        proposed(world, STORY, "fields: {description: story}\n")
        accepts(world.globex, "fields: {customer_reference: story}\n")
        world.carry(to=world.acme)
        for events in (world.acme.import_().events,):
            assert only([one for one in events if isinstance(one, FieldsMoved)]).fields == ["story"]
        world.settle()
        world.assert_in_step()
        assert value(world.globex, key, "customer_reference") == "as at acme"
        assert value(world.globex, key, "description") == "as at acme", "it stands for nothing now"
        assert value(world.acme, other, "description") == value(world.globex, other, "customer_reference") == "at acme"
        assert [one.field for one in world.globex.conflicts()] == ["story"]


def test_what_one_site_alone_keeps_and_what_it_tells_as_a_text_is_not_taken_for_another_field() -> None:
    formed = "fields:\n  description: {field: description, way: out, text: '{{ value }}!'}\n"
    with two_sites(mappings=(formed, "# none\n")) as world:
        key = world.acme.desk.create("Bug", "first", {"description": "said"})
        world.settle()
        assert value(world.globex, key, "description") == "said!"
        more = contract(("version: 1 ", "version: 2 "), ("  environment: {kind: text}", "  hall: {kind: text}"))
        proposed(world, more, f"{formed}  environment: hall\n")  # nothing stands for it at globex
        accepts(world.globex)
        world.carry(to=world.acme)
        assert [one for one in world.acme.import_().events if isinstance(one, FieldsMoved)] == []
        assert [side.export().changes for side in world.sides] == [0, 0]


def test_where_our_mapping_does_not_fit_any_more_what_the_partner_accepted_all_else_is_told_first() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        proposed(world, STORY)
        accepts(world.globex)
        fit = (world.acme.folder / "mapping.yaml").read_text()
        (world.acme.folder / "mapping.yaml").write_text("fields: {description: description}\n")
        world.acme.reopen()
        for summary in ("lost", "held"):
            world.globex.desk.edit(key, {"summary": summary})
            world.globex.export()
            if summary == "lost":
                (newest,) = sorted(world.globex.config.folders.outbox.iterdir())[-1:]
                newest.unlink()
        world.carry(to=world.acme)
        with pytest.raises(ConfigError, match="has no field"):
            world.acme.import_()
        with world.acme.site.ledger.begin() as conn:
            assert any("Missing bundle" in told.sentence for told in history(conn, limit=3))
        (world.acme.folder / "mapping.yaml").write_text(fit)
        world.acme.reopen()
        world.bring_again(to=world.acme)
        world.acme.import_()
        assert standing(world.acme.site, EXCHANGE).version == 2
        assert value(world.acme, key, "summary") == "held"


def test_on_an_exchange_that_only_sends_a_proposal_that_nobody_accepted_is_no_step_for_fields() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        for side, direction in ((world.acme, Direction.SEND), (world.globex, Direction.RECEIVE)):
            x = side.exchange().id
            with side.site.ledger.begin() as conn:
                streams.update_exchange(conn, x, direction=direction)
        proposed(world, STORY, "fields: {description: story}\n")
        tale = STORY.replace("version: 2", "version: 3").replace("  story:", "  tale:")
        proposed(world, tale, "fields: {description: tale}\n")
        one = under_way(world.globex)
        assert one is not None
        assert msgspec.json.decode(one.origins or "")["tale"] == "description"


def test_what_is_accepted_without_asking_is_not_where_the_stream_was_stopped_behind_it() -> None:
    with two_sites() as world:
        config = world.globex.folder / "filesync.yaml"
        config.write_text(config.read_text().replace("contract_changes: ask ", "contract_changes: accept "))
        world.globex.reopen()
        (world.acme.folder / "new-contract.yaml").write_text(FINE)
        propose(world.acme.site, EXCHANGE, world.acme.folder / "new-contract.yaml", mapping=None, message="so")
        world.carry(to=world.globex)
        x = world.globex.exchange().id

        def stopped(place: str) -> None:
            if place == "after C1":
                with world.globex.site.ledger.begin() as conn:
                    streams.update_exchange(conn, x, state=State.STOPPED, stopped_why="of the next one")

        world.globex.faults.strike = stopped
        assert world.globex.import_().bundles == 1
        one = under_way(world.globex)
        assert one is not None
        assert one.state == OPEN


def under_way(side: Side) -> Proposal | None:
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        return proposals.of(conn, x)


def test_what_was_in_doubt_is_settled_by_the_words_that_it_was_asked_in() -> None:
    """A run was cut off between a write and its record; what it wrote is nobody's edit under the new contract, too."""
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        gid, x = row(world.globex, key).gid, world.globex.exchange().id
        world.globex.desk.edit(key, {"description": "written"})
        with world.globex.site.ledger.begin() as conn:
            shadows.put_doubts(conn, x, [(gid, "description", digest("written"))], now=1)
        proposed(world, STORY, "fields: {description: story}\n")
        accepts(world.globex, "fields: {description: story}\n")
        with world.globex.site.ledger.begin() as conn:
            assert shadows.doubts(conn, x) == {}
        assert row(world.globex, key).shadow("story").here == digest("written")
        assert "description" not in row(world.globex, key).fields


def test_what_is_in_doubt_of_an_issue_that_cannot_be_read_just_then_stays_so_under_its_new_name() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        gid, x = row(world.globex, key).gid, world.globex.exchange().id
        world.globex.desk.edit(key, {"description": "written", "priority": "Low"})
        written = [(gid, "description", digest("written")), (gid, "priority", digest("Low")), (gid, "", "")]
        with world.globex.site.ledger.begin() as conn:
            shadows.put_doubts(conn, x, written, now=1)
        agreed = STORY.replace("options: [Highest, High, Medium, Low, Lowest]", "options: [High, Low]")
        assert agreed != STORY
        proposed(world, agreed, "fields: {description: story}\n")
        world.globex.faults.strike = _unreadable
        accepts(world.globex, "fields: {description: story}\n")
        world.globex.faults.strike = lambda _place: None
        assert world.globex.doubts() == {gid: {"": "", "story": digest("written")}}
        assert world.globex.export().changes == 0, "what is in doubt is told by nobody"


def _unreadable(place: str) -> None:
    if place == "before get":
        raise Unreadable("not now")


def test_a_comment_that_was_stuck_when_only_the_other_side_came_to_tell_comments_is_not_lost() -> None:
    of_acme = contract(("version: 1 ", "version: 2 "), ("comments: true", "comments: {from: acme}"))
    with two_sites() as world:
        key = shared(world)
        refuse_create(world.acme, "of globex")
        world.globex.desk.comment(key, "of globex")
        world.send(world.globex)
        for text in (of_acme, contract(("version: 1 ", "version: 3 "))):
            proposed(world, text)
            accepts(world.globex)
            world.send(world.globex)
            refuse_nothing(world.acme)
            world.acme.retry()
        world.settle()
        assert comments(world.acme, key) == ["of globex"]
        world.assert_in_step()
