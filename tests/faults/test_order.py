"""Bundles lost, late, doubled and out of order: what a person is told, and what becomes of them."""

from __future__ import annotations

import hashlib
import random
import shutil

import pytest

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Duplicate, NameDiffers
from filesync.agent.incoming.bundles import Held
from filesync.agent.outgoing.again import resend
from filesync.errors import ExitCode, PairingError, StreamStopped
from filesync.ledger import streams
from filesync.ledger.streams import State
from filesync.model.ids import BundleId
from tests.faults.scene import Terminal, change_settings, deliver, inbox, only, quarantined, sent, sentences, summaries
from tests.support.forged import first, forge, head_of
from tests.support.two_sites import World, two_sites


def test_f1_the_same_bundle_twice_is_a_success_and_is_applied_once(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["Pump"])
    for _ in range(2):
        deliver(plain.globex, one)
        done = plain.globex.import_()
    assert only(done, Duplicate) == f"{one.name} is bundle 1, applied already; nothing to do"
    assert (done.bundles, inbox(plain.globex), quarantined(plain.globex)) == (0, [], [])
    deliver(plain.globex, one)
    assert terminal(plain.globex, "import")[0] == ExitCode.DONE
    assert len(plain.globex.desk.list()) == 1


def test_f1_a_bundle_that_is_held_is_a_duplicate_too_and_stays_held(plain: World) -> None:
    _, second = sent(plain, ["one", "two"])
    deliver(plain.globex, second)
    plain.globex.import_()
    deliver(plain.globex, second)
    done = plain.globex.import_()
    assert only(done, Duplicate) == f"{second.name} is bundle 2, held already; nothing to do"
    assert done.held == 1


def test_f2_f30_another_name_is_told_and_makes_no_difference(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    for name in ("417 (1).tar", one.name.upper(), "FS1_5A~1.TAR"):
        deliver(plain.globex, one.rename(one.with_name(name)))
        done = plain.globex.import_()
        assert only(done, NameDiffers) == f"bundle 1 came under another name, {name}; it was recognised by its content"
        one = one.with_name(name)
    assert summaries(plain.globex) == {"Pump"}


def test_f3_f28_two_histories_under_one_number_stop_the_stream_and_keep_both_files(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["Pump"])
    other = forge(plain.acme, one.parent, **first(plain.acme))
    deliver(plain.globex, one)
    plain.globex.import_()
    deliver(plain.globex, other)
    told = only(plain.globex.import_(), Stopped)
    assert "FORK: two bundles 1: " in told
    ids = [head_of(path, plain.globex).bundle_id[:8] for path in (one, other)]
    assert all(each in told for each in ids)
    assert "Nothing more is applied on this exchange; others go on" in told
    assert "Was acme restored from a backup, or cloned? Settle that with them first." in told
    assert [path.read_bytes() for path in quarantined(plain.globex)] == [other.read_bytes()]
    assert [path.read_bytes() for path in plain.globex.config.folders.store.glob("*.tar")] == [one.read_bytes()]
    assert terminal(plain.globex, "status")[0] == ExitCode.STOPPED
    assert summaries(plain.globex) == {"Pump"}


def test_f3_a_fork_is_told_once_by_the_import_that_meets_it(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["Pump"])
    deliver(plain.globex, one, forge(plain.acme, one.parent, **first(plain.acme)))
    plain.globex.site.close()
    status, out, err = terminal(plain.globex, "import")
    assert status == ExitCode.STOPPED
    assert (out + err).count("FORK") == 1


def test_f28_the_second_of_two_candidates_for_a_held_number_stops_the_stream(plain: World) -> None:
    _, second = sent(plain, ["one", "two"])
    other = forge(plain.acme, second.parent, seq=2, prev=head_of(second, plain.globex).header.prev)
    deliver(plain.globex, second, other)
    assert "two bundles 2" in only(plain.globex.import_(), Stopped)
    assert plain.globex.exchange().in_seq == 0


def test_f3_a_fork_that_there_is_no_room_to_keep_stops_the_stream_all_the_same(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    other = forge(plain.acme, one.parent, **first(plain.acme))
    deliver(plain.globex, one)
    plain.globex.import_()
    deliver(plain.globex, other)
    quarantine = plain.globex.config.folders.quarantine
    quarantine.rmdir()
    assert "the second in the inbox as fs1_" in only(plain.globex.import_(), Stopped)
    quarantine.mkdir()
    assert plain.globex.exchange().state is State.STOPPED
    assert [path.read_bytes() for path in inbox(plain.globex)] == [other.read_bytes()]


def test_f4_f33_bundles_in_any_order_are_held_each_gap_is_named_and_all_are_applied_in_order(plain: World) -> None:
    files = sent(plain, [f"Bug {n}" for n in range(1, 8)])
    deliver(plain.globex, files[6], files[2], files[0], files[5])
    done = plain.globex.import_()
    told = [event.sentence() for event in done.events if isinstance(event, Held)]
    assert told[0].startswith("Missing bundle 2 from acme (have 1, holding 3, 6-7, since 2026-11-23 ")
    assert told[1].startswith("Missing bundles 4-5 from acme (have 1, holding 3, 6-7, since 2026-11-23 ")
    assert all(one.endswith("Issues already applied are fine. Applied as soon as it comes.") for one in told)
    deliver(plain.globex, files[1], files[3], files[4])
    assert plain.globex.import_().bundles == 6
    assert [one.fields["summary"] for one in plain.globex.desk.list()] == [f"Bug {n}" for n in range(1, 8)]
    plain.carry(to=plain.globex)
    plain.assert_in_step()


def test_f5_after_the_grace_the_exact_command_is_told_and_it_mends_the_gap(plain: World, terminal: Terminal) -> None:
    files = sent(plain, [f"Bug {n}" for n in range(1, 6)])
    deliver(plain.globex, files[0], files[4])
    plain.globex.import_()
    plain.clock.advance(minutes=59)
    assert "filesync resend" not in only(plain.globex.import_(), Held)
    plain.clock.advance(minutes=2)
    told = only(plain.globex.import_(), Held)
    assert "Missing bundles 2-4 from acme" in told
    verb, *words = told.rpartition("Ask acme to run: filesync ")[2].split()
    assert (verb, words) == ("resend", ["globex", "2-4"])
    assert terminal(plain.acme, verb, *words)[0] == ExitCode.DONE
    assert plain.carry(to=plain.globex) == 3
    assert plain.globex.import_().bundles == 4
    plain.assert_in_step()


def test_f5_a_gap_is_as_old_as_what_came_behind_it_not_as_what_is_held_for_another_reason(plain: World) -> None:
    files = sent(plain, ["1", "2", "3", "4"])
    deliver(plain.globex, files[1])
    plain.globex.import_()
    plain.clock.advance(hours=5)
    deliver(plain.globex, files[3])
    one, three = [event for event in plain.globex.import_().events if isinstance(event, Held)]
    assert (one.ask, three.ask) == (True, False)


def test_f6_a_stream_that_starts_late_says_so_and_what_to_ask_for(plain: World) -> None:
    files = sent(plain, [f"Bug {n}" for n in range(1, 6)])
    deliver(plain.globex, files[4])
    plain.globex.import_()
    plain.clock.advance(hours=2)
    told = only(plain.globex.import_(), Held)
    assert told.startswith("The stream starts at 5 here. Missing bundles 1-4 from acme (have none, holding 5")
    assert told.endswith("Ask acme to run: filesync resend globex 1-4")


def test_f7_f35_what_the_partner_does_not_acknowledge_is_a_backlog_that_the_sender_sees(
    plain: World, terminal: Terminal
) -> None:
    sent(plain, ["one", "two"])
    assert "2 made, none acknowledged, backlog 2" in terminal(plain.acme, "status")[1]


def test_f7_a_lost_tail_is_named_when_the_next_bundle_comes(plain: World) -> None:
    first_one, _lost, third = sent(plain, ["one", "two", "three"])
    deliver(plain.globex, first_one)
    assert not [event for event in plain.globex.import_().events if isinstance(event, Held)]
    deliver(plain.globex, third)
    assert "Missing bundle 2 from acme" in only(plain.globex.import_(), Held)


def test_f9_an_acknowledgement_that_is_lost_is_covered_by_the_next(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    plain.globex.desk.create("Bug", "of globex")
    plain.globex.export()
    (lost,) = plain.globex.config.folders.outbox.iterdir()
    lost.rename(lost.parent.parent / lost.name)
    plain.acme.desk.create("Bug", "two")
    plain.send(plain.acme)
    plain.globex.desk.create("Bug", "again")
    plain.send(plain.globex)
    assert plain.acme.exchange().acked_seq == 2  # the bundle is held, but what it acknowledges holds already
    deliver(plain.acme, lost.parent.parent / lost.name)
    plain.acme.import_()
    assert plain.acme.exchange().acked_seq == 2


def test_f10_a_report_older_than_the_last_is_ignored(plain: World) -> None:
    for _ in range(2):
        plain.acme.desk.create("Bug", "one")
        plain.send(plain.acme)
        plain.globex.desk.create("Bug", "two")
        plain.send(plain.globex)
    archived = sorted(plain.globex.config.folders.archive.iterdir())
    old = head_of(archived[0], plain.acme).header.report
    assert old is not None
    assert (old.applied_to, plain.acme.exchange().acked_seq) == (1, 2)
    deliver(plain.acme, forge(plain.globex, plain.globex.folder, report=old, seen=f"0001.{2:010}.000001"))
    plain.acme.import_()
    assert plain.acme.exchange().acked_seq == 2


def test_f11_two_sites_with_nothing_to_tell_are_quiet_for_ever(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.globex.desk.create("Bug", "two")
    plain.settle()
    assert [plain.round() for _ in range(5)] == [0] * 5
    assert list(plain.acme.config.folders.outbox.iterdir()) == []


def test_f12_an_acknowledgement_of_what_we_never_made_stops_and_asks_whether_we_were_restored(plain: World) -> None:
    acme = plain.acme
    plain.acme.desk.create("Bug", "one")
    plain.send(acme)
    acme.close()
    backup = acme.folder.with_name("backup")
    shutil.copytree(acme.folder, backup)  # the whole machine: ledger, guard and archive
    plain.acme = type(acme)(acme.folder, plain.clock, acme._random)
    plain.acme.desk.create("Bug", "two")
    plain.send(plain.acme)
    plain.globex.desk.create("Bug", "three")
    plain.globex.export()
    plain.acme.close()
    shutil.rmtree(acme.folder)
    backup.rename(acme.folder)
    plain.acme = type(acme)(acme.folder, plain.clock, acme._random)
    plain.carry(to=plain.acme)
    told = only(plain.acme.import_(), Stopped)
    assert "globex acknowledges bundle 2 (" in told
    assert "which we never made (we made 1): was this site restored from a backup?" in told
    with pytest.raises(StreamStopped):
        plain.acme.export()
    assert list(plain.acme.config.folders.outbox.iterdir()) == []


def test_f14_an_export_of_nothing_makes_no_file_and_uses_no_number(plain: World) -> None:
    assert plain.acme.export().bundles == 0
    assert plain.acme.exchange().out_seq == 0
    assert list(plain.acme.config.folders.outbox.iterdir()) == []


def test_f16_what_is_oldest_goes_first_however_much_there_is(plain: World) -> None:
    change_settings(plain.acme, max_changes="2")
    for n in range(7):
        plain.acme.desk.create("Bug", f"Bug {n}")
    assert plain.acme.export().bundles == 4
    plain.carry(to=plain.globex)
    plain.globex.import_()
    assert [one.fields["summary"] for one in plain.globex.desk.list()] == [f"Bug {n}" for n in range(7)]


def test_f17_a_change_larger_than_a_bundle_should_be_goes_alone_and_holds_up_nothing(plain: World) -> None:
    change_settings(plain.acme, max_bundle_bytes="64 KiB")
    labels = {f"labels:{hashlib.shake_256(b'%d' % n).hexdigest(100)}": True for n in range(400)}
    for name, fields in (("small", {}), ("large", labels), ("last", {})):
        plain.acme.desk.create("Bug", name, fields)
    assert plain.acme.export().bundles == 3
    plain.carry(to=plain.globex)
    plain.globex.import_()
    assert summaries(plain.globex) == {"small", "large", "last"}
    plain.assert_in_step()


def test_f18_what_is_far_ahead_is_held_within_the_window_and_refused_beyond_it(plain: World) -> None:
    change_settings(plain.globex, window="3")
    files = sent(plain, [f"Bug {n}" for n in range(1, 6)])
    deliver(plain.globex, *files[1:])
    done = plain.globex.import_()
    assert done.held == 2
    assert any("SEQ_IMPLAUSIBLE" in one and "number 4 is not within 3 after 0" in one for one in sentences(done))
    assert len(quarantined(plain.globex)) == 2


@pytest.mark.parametrize("encrypt", [False, True])
def test_f35_no_file_is_larger_than_the_carrier_takes_however_little_it_can_be_compressed(encrypt: bool) -> None:
    with two_sites(encrypt=encrypt) as world:
        change_settings(world.acme, max_bundle_bytes="64 KiB")
        noise = random.Random(7)
        for number in range(30):
            world.acme.desk.create("Bug", f"Pump {number}", {"description": noise.randbytes(4_000).hex()})
        world.acme.export()
        sizes = [path.stat().st_size for path in world.acme.config.folders.outbox.iterdir()]
        assert len(sizes) > 1
        assert max(sizes) <= 64 << 10
        world.carry(to=world.globex)
        assert world.globex.import_().bundles == len(sizes)


def test_f19_a_number_from_nowhere_is_in_quarantine(plain: World) -> None:
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, seq=9_999_999_999, prev=BundleId("ab" * 32)))
    (told,) = sentences(plain.globex.import_())
    assert "cannot be taken (SEQ_IMPLAUSIBLE)" in told
    assert "raise limits.window and run: filesync quarantine retry. Else ask the sender" in told
    assert len(quarantined(plain.globex)) == 1


def test_f20_a_bundle_of_an_older_generation_is_in_quarantine(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    x = plain.globex.exchange()
    with plain.globex.site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, in_generation=2, in_generation_id="d0" * 16)
    deliver(plain.globex, one)
    (told,) = sentences(plain.globex.import_())
    assert "cannot be taken (STALE_GENERATION)" in told
    assert "1 of generation 1: made before a reset, 2 is current" in told
    assert "Drop it (filesync quarantine drop), or ask the sender why it came" in told
    assert len(quarantined(plain.globex)) == 1


def test_resend_tells_everything_that_is_not_there_and_sends_nothing_then(plain: World) -> None:
    sent(plain, ["one"])
    with pytest.raises(PairingError, match=r"bundle 2 for globex is not in the archive \(we made 1\)"):
        resend(plain.acme.site, "main", range(1, 10**9))
    assert list(plain.acme.config.folders.outbox.iterdir()) == []
