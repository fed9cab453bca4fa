"""What is removed, and that nothing is which anybody may still need."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from filesync.agent.asked.look import history
from filesync.agent.outgoing.again import resend
from filesync.agent.upkeep.prune import Place, prune
from filesync.errors import ExitCode, PairingError, StreamStopped
from filesync.ledger import streams
from filesync.ledger.streams import State
from filesync.model.ids import BundleId
from tests.faults.scene import Terminal, change_settings, deliver, put, quarantined, sent, summaries
from tests.support.two_sites import Side, World


@pytest.fixture
def hasty(plain: World) -> World:
    """Both sides keep nothing for longer than they must."""
    for side in plain.sides:
        change_settings(side, keep_bundles="0", keep_for="0s")
    return plain


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def everything_needed_is_there(world: World) -> None:
    """What the partner has not applied is in our archive; what we have not applied is in our store."""
    for side in world.sides:
        other, x = world.other(side).exchange(), side.exchange()
        with side.site.ledger.begin() as conn:
            for seq in range(other.in_seq + 1, x.out_seq + 1):
                made = streams.sent(conn, x.id, generation=1, seq=seq)
                assert made is not None
                assert (side.config.folders.archive / made.file).exists(), f"{side.name} pruned {seq}"
            assert all((side.config.folders.store / one.file).exists() for one in streams.held(conn, x.id))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_unacknowledged_is_ever_removed_whatever_the_carrier_does(hasty: World, seed: int) -> None:
    luck = random.Random(seed)
    bag = hasty.acme.folder.parent / "carrier"
    bag.mkdir()
    for step in range(40):
        side = luck.choice(hasty.sides)
        match luck.randrange(5):
            case 0:
                side.desk.create("Bug", f"{step}")
                side.export()
            case 1:
                side.export()
            case 2:  # some of it arrives, some is lost
                for file in side.config.folders.outbox.iterdir():
                    if luck.random() < 0.6:
                        shutil.copy(file, hasty.other(side).config.folders.inbox / file.name)
                    file.unlink()
            case 3:
                side.import_()
            case _:
                hasty.clock.advance(hours=luck.randrange(30))
                prune(side.site, "main")
        everything_needed_is_there(hasty)
    for _ in range(6):  # every number that is missing can still be had
        hasty.clock.advance(hours=25)
        hasty.round()
    hasty.settle()
    hasty.round()
    hasty.assert_in_step()
    for side in hasty.sides:
        side.export()
        x = side.exchange()
        with side.site.ledger.begin() as conn:
            made = [streams.sent(conn, x.id, generation=1, seq=n + 1) for n in range(x.out_seq)]
        assert all(
            one is not None and one.pruned and one.id for one in made
        )  # it can fail: pruned they are, and their ids stay
        assert names(side.config.folders.archive) == []


def test_what_is_acknowledged_leaves_outbox_archive_and_store_and_a_duplicate_is_still_known(hasty: World) -> None:
    (one,) = sent(hasty, ["Pump"])
    shutil.copy(one, hasty.acme.config.folders.outbox)  # a carrier that copies and never clears
    deliver(hasty.globex, one)
    hasty.globex.import_()
    hasty.send(hasty.globex)
    hasty.acme.export()
    assert [names(hasty.acme.config.folders.outbox), names(hasty.acme.config.folders.archive)] == [[], []]
    assert names(hasty.globex.config.folders.store) == []
    deliver(hasty.globex, one)
    hasty.globex.import_()
    assert (summaries(hasty.globex), hasty.globex.exchange().state) == ({"Pump"}, State.PAIRED)


def test_a_file_of_our_name_with_other_bytes_in_the_outbox_is_not_ours_to_remove(hasty: World) -> None:
    (one,) = sent(hasty, ["Pump"])
    deliver(hasty.globex, one)
    hasty.globex.import_()
    (hasty.acme.config.folders.outbox / one.name).write_bytes(b"somebody else's")
    hasty.globex.export()
    for file in hasty.globex.config.folders.outbox.iterdir():
        deliver(hasty.acme, file)
    hasty.acme.import_()
    prune(hasty.acme.site, "main")
    assert names(hasty.acme.config.folders.outbox) == [one.name]


def acknowledged(world: World, count: int) -> None:
    for n in range(count):
        world.acme.desk.create("Bug", f"{n}")
        world.send(world.acme)
    world.send(world.globex)


def test_the_newest_are_kept_and_what_is_young(plain: World) -> None:
    change_settings(plain.acme, keep_bundles="2", keep_for="30d")
    acknowledged(plain, 5)
    archive = plain.acme.config.folders.archive
    assert prune(plain.acme.site, "main") == []
    plain.clock.advance(days=31)
    would = prune(plain.acme.site, "main", dry_run=True)
    assert [one.bundle.seq for one in would if one.bundle is not None] == [1, 2, 3]
    assert len(names(archive)) == 5
    plain.acme.export()
    assert len(names(archive)) == 2
    assert any("pruned from the archive: 3 bundles that globex applied, up to 3" in one for one in told(plain.acme))


def told(side: Side) -> list[str]:
    with side.site.ledger.begin() as conn:
        return [one.sentence for one in history(conn, limit=50)]


def test_an_acknowledgement_whose_id_is_not_ours_removes_nothing(hasty: World) -> None:
    change_settings(hasty.acme, keep_for="9d")
    acknowledged(hasty, 2)
    x = hasty.acme.exchange()
    with hasty.acme.site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, acked_id=BundleId("ab" * 32))
    hasty.clock.advance(days=10)
    assert prune(hasty.acme.site, "main") == []


def test_what_a_person_resends_is_not_taken_out_of_the_outbox_again(plain: World) -> None:
    acknowledged(plain, 1)
    resend(plain.acme.site, "main", [1])
    plain.acme.export()
    assert len(names(plain.acme.config.folders.outbox)) == 1


def test_where_a_stream_stands_still_files_are_evidence(hasty: World) -> None:
    change_settings(hasty.acme, keep_for="9d")
    acknowledged(hasty, 1)
    x = hasty.acme.exchange()
    with hasty.acme.site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, state=State.STOPPED)
    hasty.clock.advance(days=10)
    with pytest.raises(StreamStopped):
        prune(hasty.acme.site, "main")
    assert len(names(hasty.acme.config.folders.archive)) == 1


def test_copies_of_what_arrived_are_removed_by_age_and_quarantine_never(hasty: World) -> None:
    change_settings(hasty.globex, inbox_policy="move", keep_for="30d")
    put(hasty.globex, "note.txt", b"hello\n" * 200)
    (one,) = sent(hasty, ["Pump"])
    deliver(hasty.globex, one)
    hasty.globex.import_()
    arrived = hasty.globex.config.folders.store / "arrived"
    assert names(arrived) == sorted([one.name, "note.txt"])
    for path in arrived.iterdir():
        os.utime(path, (0, 0))
    assert {one.place for one in prune(hasty.globex.site, "main")} == {Place.ARRIVED}
    assert names(arrived) == []
    assert len(quarantined(hasty.globex)) == 1


def test_the_verb_says_what_it_would_remove_and_then_removes_it(plain: World, terminal: Terminal) -> None:
    acknowledged(plain, 3)
    assert terminal(plain.acme, "prune")[0] == ExitCode.NOTHING
    x = plain.acme.exchange()
    with plain.acme.site.ledger.begin() as conn:
        for seq in (1, 2, 3):
            made = streams.sent(conn, x.id, generation=1, seq=seq)
            assert made is not None
            streams.update_sent(conn, x.id, made, at=0)
    change_settings(plain.acme, keep_bundles="1")
    status, out, _ = terminal(plain.acme, "prune", "--dry-run")
    assert (status, out.startswith("main: 2 acknowledged bundles in the archive, ")) == (ExitCode.DONE, True)
    assert out.endswith("would be removed\n")
    assert len(names(plain.acme.config.folders.archive)) == 3
    assert terminal(plain.acme, "prune")[1].endswith(", removed\n")
    assert len(names(plain.acme.config.folders.archive)) == 1
    with pytest.raises(PairingError, match="bundle 1-2 for globex was pruned here"):
        resend(plain.acme.site, "main", [1, 2])


def test_what_happened_long_ago_goes_from_the_log(plain: World) -> None:
    acknowledged(plain, 1)
    plain.clock.advance(days=300)
    acknowledged(plain, 1)
    plain.clock.advance(days=100)
    before = told(plain.acme)
    prune(plain.acme.site, "main", dry_run=True)
    assert told(plain.acme) == before
    plain.acme.export()
    assert [one for one in before if one.startswith("exported")] != []
    assert [one for one in told(plain.acme) if one.startswith("exported")] == [
        one for one in before if one.startswith("exported bundle 2")
    ]
