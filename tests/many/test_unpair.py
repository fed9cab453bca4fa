"""How an exchange ends, and that it can be made again without anything being there twice."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import UnknownStream
from filesync.agent.outgoing.departures import PairedBefore, Unpaired
from filesync.agent.partners.unpairing import unpair
from filesync.agent.upkeep.prune import Place, prune, prune_ended
from filesync.errors import ExitCode, LedgerBehind, PairingError
from filesync.keys.signers import read_signers
from filesync.ledger import endings, streams
from filesync.ledger.tables import event, metadata, site
from filesync.model.ids import NO_BUNDLE
from tests.many.scene import NORTH, SOUTH, Three, bind, seen
from tests.support.forged import forge
from tests.support.two_sites import Crash, Side, World, two_sites

Type = Callable[..., tuple[int, str, str]]


def believed(side: Side) -> list[str]:
    return [one.principal for one in read_signers(side.config.keys.allowed_signers)]


def rows_of(three: Three, x: streams.Exchange) -> dict[str, int]:
    """How much each table has of an exchange."""
    with three.acme.site.ledger.begin() as conn:
        return {
            table.name: conn.execute(sa.select(sa.func.count()).where(table.c.exchange == x.id)).scalar_one()
            for table in metadata.sorted_tables
            if "exchange" in table.c and table is not event
        }


def busy(three: Three) -> None:
    """Both partners have what acme has, and something is under way."""
    for side in three.sides:
        pump = side.desk.create("Bug", f"born at {side.name}")
        side.desk.comment(pump, f"said at {side.name}")
    three.settle()
    three.acme.desk.create("Bug", "not fetched yet")
    three.export(three.acme, NORTH)


def test_what_goes_and_what_stays_is_said_before_and_the_other_exchange_does_not_notice(
    three: Three, type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(three)
    x = three.at(three.acme, NORTH)
    assert sum(rows_of(three, x).values()) > 10
    archived, stored = (
        sorted(folder.iterdir()) for folder in (three.acme.config.folders.archive, three.acme.config.folders.store)
    )
    south = three.at(three.acme, SOUTH)
    before = seen(three.acme)

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    status, out, err = type_(three.acme, "unpair", "globex")
    assert status == ExitCode.INTERRUPTED, "nobody said yes"
    assert "nothing was ended" in err
    assert "--yes" in err
    assert three.at(three.acme, NORTH) == x
    assert "not acknowledged by globex: 1 bundle; what it has not got by now it does not get" in out
    assert "taken back from the outbox: 1 file" in out
    assert "the key of globex is not believed any more" in out
    assert "kept: everything in both trackers" in out

    status, out, _ = type_(three.acme, "unpair", "--yes", "globex")
    assert status == ExitCode.DONE
    assert "exchange north with globex is ended" in out
    assert set(rows_of(three, x).values()) == {0}
    assert list(three.box("outbox", NORTH).iterdir()) == []
    assert [sorted(f.iterdir()) for f in (three.acme.config.folders.archive, three.acme.config.folders.store)] == [
        archived,
        stored,
    ]
    assert believed(three.acme) == ["acme", "initech"]
    assert three.at(three.acme, SOUTH) == south
    assert seen(three.acme) == before
    three.acme.desk.create("Bug", "later")
    three.tell(SOUTH)
    assert "later" in seen(three.initech)
    assert "north" not in type_(three.acme, "status")[1]
    assert "ExchangeEnded" in {one["event"] for one in json.loads(type_(three.acme, "log", "--json")[1])}


def test_it_is_told_what_a_partner_sends_on_an_ended_exchange(three: Three) -> None:
    three.settle()
    for name in (NORTH, SOUTH):  # one inbox, which the exchange that is left still looks into
        x = three.at(three.acme, name)
        with three.acme.site.ledger.begin() as conn:
            streams.update_exchange(conn, x.id, inbox="")
    unpair(three.acme.site, three.at(three.acme, NORTH))
    three.globex.desk.create("Bug", "Pump")
    three.export(three.globex)
    (file,) = three.globex.config.folders.outbox.iterdir()
    arrived = Path(file.rename(three.acme.config.folders.inbox / file.name))
    for name in (SOUTH,):
        told = [one for one in three.import_(three.acme, name).events if isinstance(one, UnknownStream)]
        assert "is from globex, on an exchange that was ended here on 2026-11-23" in told[0].sentence()
        assert three.import_(three.acme, name).events == (), "it is told once"
    assert arrived.exists()
    assert seen(three.acme) == {}


def test_a_key_that_another_exchange_with_the_partner_goes_by_stays(three: Three) -> None:
    bind(three.acme.site, "again", three.globex.site, "again")
    unpair(three.acme.site, three.at(three.acme, NORTH))
    assert believed(three.acme) == ["acme", "globex", "initech"]
    unpair(three.acme.site, three.at(three.acme, "again"))
    assert believed(three.acme) == ["acme", "initech"]


def test_an_offer_that_nobody_accepted_can_be_taken_back(three: Three, type_: Type) -> None:
    assert type_(three.acme, "pair", "export", "--exchange", "third")[0] == ExitCode.DONE
    status, out, _ = type_(three.acme, "unpair", "--yes", "--json", "third")
    assert status == ExitCode.DONE
    assert json.loads(out)["exchange"] == "third"
    assert "third" not in type_(three.acme, "status")[1]


def test_what_the_ended_partner_brought_is_told_to_the_next(three: Three) -> None:
    three.globex.desk.comment(three.globex.desk.create("Bug", "Pump"), "since Monday")
    three.hear(NORTH)
    unpair(three.acme.site, three.at(three.acme, NORTH))
    three.tell(SOUTH)
    assert seen(three.initech) == seen(three.globex)


# ── made again ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def apart() -> Iterator[World]:
    """Two sites that worked together, ended it, and went on alone."""
    with two_sites(contract="", encrypt=True) as world:
        for side in world.sides:
            for n in range(2):
                issue = side.desk.create("Bug", f"{side.name} {n}", {"labels:field": True})
                side.desk.comment(issue, f"said at {side.name}")
        world.settle()
        for side in world.sides:
            for one in side.desk.list():
                side.desk.comment(one.key, f"{side.name} to {one.fields['summary']}")
        world.settle()
        for side in world.sides:
            unpair(side.site, side.exchange())
        yield world


def again(world: World) -> None:
    bind(world.acme.site, "main", world.globex.site, "main")
    for side in world.sides:
        side.reopen()


def shown(side: Side) -> list[tuple[object, ...]]:
    """Everything a person sees, also if it is there twice."""
    pages = [side.desk.show(one.key) for one in side.desk.list()]
    return sorted(
        (
            str(page.issue.fields["summary"]),
            str(page.issue.fields.get("status")),
            *sorted(str(c.fields["body"]) for c in page.comments),
        )
        for page in pages
    )


def test_paired_again_nothing_doubles_and_what_was_done_meanwhile_meets(apart: World) -> None:
    acme, globex = apart.sides
    together = shown(acme)
    assert together == shown(globex)
    assert len(together) == 4
    again(apart)
    first = {side.name: side.export() for side in apart.sides}
    for done in first.values():
        assert not any(isinstance(event, Unpaired) for event in done.events), "no warning for each of thousands"
        (told,) = [event for event in done.events if isinstance(event, PairedBefore)]
        assert "They are not sent as new" in told.sentence()
    apart.settle()
    apart.assert_in_step()
    assert shown(acme) == shown(globex) == together
    acme.desk.edit(acme.desk.list()[0].key, {"summary": "edited after"})
    globex.desk.comment(globex.desk.list()[0].key, "said after")
    apart.settle()
    apart.assert_in_step()
    assert "edited after" in str(shown(globex))
    assert "said after" in str(shown(acme))


def test_edits_of_the_time_between_meet_by_the_contract_when_paired_again(apart: World) -> None:
    acme, globex = apart.sides
    keys = {side.name: {str(one.fields["summary"]): one.key for one in side.desk.list()} for side in apart.sides}
    acme.desk.edit(keys["acme"]["acme 0"], {"summary": "acme says"})
    globex.desk.edit(keys["globex"]["acme 0"], {"summary": "globex says"})
    globex.desk.comment(keys["globex"]["acme 1"], "said alone")
    globex.desk.create("Task", "made alone")
    acme.desk.delete(keys["acme"]["globex 1"])
    again(apart)
    apart.settle()
    apart.settle()
    here, there = shown(acme), [row for row in shown(globex) if row[0] != "globex 1"]
    assert here == there
    assert len(there) == len(shown(globex)) - 1, "a deletion of the time between is told to nobody: each keeps what it has"
    assert [row[0] for row in here] == ["acme 1", "acme says", "globex 0", "made alone"]
    assert "said alone" in str(here)


def test_a_fork_can_be_left_behind_by_ending_the_exchange_on_both_sides(tmp_path: Path) -> None:
    with two_sites() as world:
        acme, globex = world.sides
        issue = acme.desk.create("Bug", "Pump")
        world.send(acme)
        other = forge(acme, tmp_path, seq=1, prev=NO_BUNDLE)
        shutil.copy(other, globex.config.folders.inbox)
        assert [type(one) for one in globex.import_().events if one.severity == "stop"] == [Stopped]
        acme.desk.comment(issue, "meanwhile")
        acme.export()
        for side in world.sides:
            unpair(side.site, side.exchange())
        again(world)
        world.settle()
        world.assert_in_step()
        assert shown(acme) == shown(globex) == [("Pump", "To Do", "meanwhile")]


# ── cut off, and afterwards ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["after outbox cleared", "before commit", "after commit"])
def test_an_end_that_is_cut_off_is_done_again_or_is_done(three: Three, place: str) -> None:
    busy(three)
    hits: list[str] = []

    def strike(there: str) -> None:
        hits.append(there)
        if there == place and (place == "after outbox cleared" or "after outbox cleared" in hits):
            raise Crash

    three.acme.faults.strike = strike
    with pytest.raises(Crash):
        unpair(three.acme.site, three.at(three.acme, NORTH))
    three.acme.faults.strike = lambda _place: None
    three.acme.reopen()
    with three.acme.site.ledger.begin() as conn:
        left = streams.exchange_named(conn, NORTH)
    assert (left is None) == (place == "after commit")
    if left is not None:
        unpair(three.acme.site, left)
    assert believed(three.acme) == ["acme", "initech"]
    assert list(three.box("outbox", NORTH).iterdir()) == []
    three.settle_one(SOUTH)
    assert "not fetched yet" in seen(three.initech)


def test_what_is_remembered_of_another_exchange_stays_whatever_number_its_folder_ends_with(three: Three) -> None:
    north, south = three.at(three.acme, NORTH), three.at(three.acme, SOUTH)
    of_south = {f"inbox {south.id} /srv/in {north.id}", f"inbox {south.id} /srv/{north.id} {north.id} in", f"paired {south.id}"}
    of_north = {f"inbox {north.id} /srv/in {south.id}", f"paired {north.id}", f"told fields {north.id}"}
    with three.acme.site.ledger.begin() as conn:
        for name in of_south | of_north | {f"inbox {north.id}{south.id} /srv"}:
            streams.set_site_fact(conn, name, "known")
    unpair(three.acme.site, north)
    with three.acme.site.ledger.begin() as conn:
        left = set(conn.execute(sa.select(site.c.name)).scalars())
    assert of_south <= left
    assert f"inbox {north.id}{south.id} /srv" in left
    assert not of_north & left


def test_a_ledger_that_is_lost_after_the_last_end_is_still_noticed(three: Three, type_: Type) -> None:
    busy(three)
    for name in (NORTH, SOUTH):
        unpair(three.acme.site, three.at(three.acme, name))
    three.acme.reopen()
    with three.acme.site.ledger.begin() as conn:
        assert {one.partner_name for one in endings.endings(conn)} == {"globex", "initech"}
    assert type_(three.acme, "check")[0] == ExitCode.CONFIG, "paired with nobody"
    ledger = three.acme.config.folders.ledger
    three.acme.site.close()
    for file in ledger.parent.glob("ledger.db*"):
        file.unlink()
    with pytest.raises(LedgerBehind):
        three.acme.reopen()


def test_prune_clears_up_after_an_ended_exchange_when_that_is_long_ago(three: Three) -> None:
    busy(three)
    unpair(three.acme.site, three.at(three.acme, NORTH))
    assert Place.ENDED not in {one.place for one in prune(three.acme.site, SOUTH, dry_run=True)}
    three.clock.advance(days=31)
    mine = {one.path.name for one in prune(three.acme.site, SOUTH) if one.place is Place.ENDED}
    assert len(mine) > 3
    unpair(three.acme.site, three.at(three.acme, SOUTH))
    three.clock.advance(days=31)
    assert prune_ended(three.acme.site, dry_run=True)
    prune_ended(three.acme.site)
    folders = three.acme.config.folders
    assert [path for folder in (folders.archive, folders.store) for path in folder.glob("fs1_*")] == []


def test_one_that_ended_it_alone_is_told_how_to_go_on(three: Three, tmp_path: Path) -> None:
    three.settle()
    three.globex.desk.create("Bug", "Pump")
    three.hear(NORTH)
    unpair(three.acme.site, three.at(three.acme, NORTH))
    with pytest.raises(PairingError) as caught:
        bind(three.acme.site, NORTH, three.globex.site, "main")
    assert "end that first: filesync unpair main" in caught.value.hint
