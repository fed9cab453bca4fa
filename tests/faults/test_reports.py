"""Position reports: how each side knows how far the other is, what it lacks, and that it is alive."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Behind, ReportLate
from filesync.agent.outgoing.again import resend
from filesync.agent.outgoing.departures import Asked
from filesync.agent.upkeep.prune import prune
from filesync.bundle.header import BundleKind, Place, Position, Report, encode_report, file_name
from filesync.bundle.layout import REPORT
from filesync.bundle.write import NAMESPACE, data_bytes, pack, tar
from filesync.cli.status import lines
from filesync.errors import ExitCode, PairingError
from filesync.ledger.streams import State
from filesync.model.ids import NO_BUNDLE, BundleId
from tests.faults.scene import Terminal, change_settings, deliver, inbox, only, quarantined, sent, sentences, summaries
from tests.support.forged import head_of, header
from tests.support.two_sites import Side, World, two_sites


def outbox(side: Side) -> list[Path]:
    return sorted(side.config.folders.outbox.iterdir())


def said_by(side: Side, **different: object) -> Report:
    """What this side would report next, but for what is different."""
    x = side.exchange()
    honest = Report(
        no=x.report_no + 1,
        of_stream=x.in_stream,
        generation=Place(x.in_generation.n, x.in_generation.id),
        received_to=x.in_seq,
        applied_to=x.in_seq,
        applied_id=x.in_id,
        own=Position(Place(x.out_generation.n, x.out_generation.id), x.out_seq, x.out_id) if x.out_seq else None,
    )
    return msgspec.structs.replace(honest, **different)


def report_file(side: Side, **different: object) -> Path:
    """A report as a file, signed by the side's own key."""
    report = said_by(side, **different)
    head = header(side, kind=BundleKind.REPORT, seq=0, prev=NO_BUNDLE, counts={}, report=report)
    bag = pack(head, [data_bytes(REPORT, encode_report(report))])
    path = side.folder / file_name(bag.header, bag.bundle_id, encrypted=False)
    path.write_bytes(b"".join(tar(bag, side.site.signer().sign(bag.tagmanifest, namespace=NAMESPACE))))
    return path


def test_f9_what_was_applied_is_acknowledged_though_there_is_nothing_else_to_send(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    done = plain.globex.export()
    assert (done.bundles, done.reported) == (0, True)
    (report,) = outbox(plain.globex)
    assert report.name.startswith(f"fs1_{plain.globex.exchange().out_stream[:8]}_g0001_r0000000001_")
    plain.carry(to=plain.acme)
    assert plain.acme.import_().bundles == 0
    assert (plain.acme.exchange().acked_seq, plain.acme.exchange().acked_id) == (1, plain.acme.exchange().out_id)
    assert (inbox(plain.acme), quarantined(plain.acme)) == ([], [])


def test_f11_two_sites_left_alone_are_quiet_after_two_rounds(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.globex.desk.create("Bug", "two")
    for _ in range(2):
        plain.round()
    for _ in range(5):
        assert plain.round() == 0
        assert (outbox(plain.acme), outbox(plain.globex)) == ([], [])
        for side in plain.sides:
            assert side.export().reported is False


def test_f11_a_heartbeat_is_answered_by_none(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.settle()
    for _ in range(2):
        plain.round()
    for side in plain.sides:
        side.export()
    plain.clock.advance(hours=25)
    assert plain.acme.export().reported
    plain.carry(to=plain.globex)
    plain.globex.import_()
    assert plain.globex.export().reported  # its own day is over, too
    plain.carry(to=plain.acme)
    plain.acme.import_()
    assert [side.export().reported for side in plain.sides] == [False, False]


def test_a_bundle_tells_what_a_report_would(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    plain.globex.desk.create("Bug", "two")
    done = plain.globex.export()
    assert (done.bundles, done.reported) == (1, False)


def test_an_encrypted_report_is_opened_and_read() -> None:
    with two_sites(encrypt=True) as world:
        world.acme.desk.create("Bug", "one")
        world.send(world.acme)
        world.globex.export()
        assert outbox(world.globex)[0].name.endswith(".tar.age")
        world.carry(to=world.acme)
        world.acme.import_()
        assert world.acme.exchange().acked_seq == 1


def test_the_older_reports_of_ours_leave_the_outbox_and_nothing_else_does(plain: World) -> None:
    stranger = plain.globex.config.folders.outbox / "fs1_00000000_g0001_r0000000001_00000000.tar"
    stranger.write_bytes(b"another exchange's")
    for name in ("one", "two"):
        (file,) = sent(plain, [name])
        deliver(plain.globex, file)
        plain.globex.import_()
        plain.globex.export()
    names = [path.name for path in outbox(plain.globex)]
    assert len(names) == 2
    assert stranger.name in names
    assert any("_r0000000002_" in name for name in names)


def test_f7_a_lost_tail_is_named_by_a_report_and_asked_for(plain: World, terminal: Terminal) -> None:
    first_one, _lost, _too = sent(plain, ["one", "two", "three"])
    deliver(plain.globex, first_one)
    plain.globex.import_()
    deliver(plain.globex, report_file(plain.acme))
    told = only(plain.globex.import_(), Behind)
    assert told.startswith("acme is at 3, we have 1 (since 2026-11-23 ")
    assert "filesync resend" not in told
    assert "waiting for 2-3" in terminal(plain.globex, "status")[1]
    plain.clock.advance(hours=2)
    told = only(plain.globex.import_(), Behind)
    verb, *words = told.rpartition("Ask acme to run: filesync ")[2].split()
    assert terminal(plain.acme, verb, *words)[0] == ExitCode.DONE
    plain.carry(to=plain.globex)
    assert not [event for event in plain.globex.import_().events if isinstance(event, Behind)]
    plain.assert_in_step()


def test_f8_a_partner_that_is_silent_is_told_of_by_status_and_blocks_nothing(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    assert not [line for _, line in lines(plain.globex.status()) if "SILENT" in line]
    plain.clock.advance(days=3, hours=1)
    (line,) = [line for _, line in lines(plain.globex.status()) if "SILENT" in line]
    assert line.endswith("SILENT for 3 d, expected every 1 d: ask the partner or the carrier")
    assert plain.globex.status().exchanges[0].exit_code is ExitCode.DONE
    deliver(plain.globex, report_file(plain.acme))
    plain.globex.import_()
    assert not [line for _, line in lines(plain.globex.status()) if "SILENT" in line]


def test_f10_a_report_that_comes_late_is_ignored_and_counted(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    old = report_file(plain.globex, no=1, applied_to=0, applied_id=NO_BUNDLE)
    deliver(plain.acme, report_file(plain.globex, no=5))
    plain.acme.import_()
    for late in (1, 2):
        deliver(plain.acme, old)
        told = only(plain.acme.import_(), ReportLate)
        assert told == f"report 1 of globex came after 5 and is ignored, which is harmless ({late} so far)"
    assert (plain.acme.exchange().acked_seq, inbox(plain.acme)) == (1, [])


def test_the_same_report_twice_says_nothing_new(plain: World) -> None:
    report = report_file(plain.globex)
    for _ in range(2):
        deliver(plain.acme, report)
        plain.acme.import_()
    assert (plain.acme.exchange().state, plain.acme.exchange().reports_late) == (State.PAIRED, 0)


def test_one_number_with_two_contents_stops_the_stream(plain: World) -> None:
    deliver(plain.acme, report_file(plain.globex, no=3))
    plain.acme.import_()
    deliver(plain.acme, report_file(plain.globex, no=3, held=[9]))
    assert "two different reports with the number 3: was it restored from a backup" in only(plain.acme.import_(), Stopped)


def test_f9_an_acknowledgement_that_is_taken_back_stops_the_stream(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    deliver(plain.acme, report_file(plain.globex, no=3))
    plain.acme.import_()
    deliver(plain.acme, report_file(plain.globex, no=4, applied_to=0, applied_id=NO_BUNDLE))
    assert "had applied our bundle 1, and now says that it is at 0" in only(plain.acme.import_(), Stopped)


def test_f12_a_report_alone_on_what_we_never_made_stops_the_stream(plain: World) -> None:
    deliver(plain.acme, report_file(plain.globex, applied_to=7, applied_id=BundleId("ab" * 32), received_to=7))
    told = only(plain.acme.import_(), Stopped)
    assert "acknowledges bundle 7 (abababab), which we never made (we made 0)" in told
    assert plain.acme.exchange().acked_seq == 0


def test_a_partner_that_falls_behind_what_is_applied_here_was_restored(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    x = plain.acme.exchange()
    other = Position(Place(x.out_generation.n, x.out_generation.id), 1, BundleId("ab" * 32))
    deliver(plain.globex, report_file(plain.acme, own=other))
    assert "its last bundle is 1 (abababab), but 1 is applied here" in only(plain.globex.import_(), Stopped)


def test_a_report_that_another_signed_is_no_report(plain: World) -> None:
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    forged = report_file(plain.globex)
    data = bytearray(forged.read_bytes())
    data[data.index(b"BEGIN SSH SIGNATURE") + 120] ^= 1
    forged.write_bytes(data)
    deliver(plain.acme, forged)
    (told,) = [one for one in sentences(plain.acme.import_()) if "cannot be taken" in one]
    assert "BAD_SIGNATURE" in told
    assert (plain.acme.exchange().acked_seq, len(quarantined(plain.acme))) == (0, 1)


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f5_after_the_grace_a_report_asks_and_the_next_export_answers_once(plain: World) -> None:
    files = sent(plain, ["1", "2", "3", "4"])
    deliver(plain.globex, files[0], files[3])
    plain.globex.import_()
    plain.globex.export()
    plain.carry(to=plain.acme)
    plain.acme.import_()
    plain.acme.export()
    assert outbox(plain.acme) == []  # not yet: they may be on their way
    plain.clock.advance(hours=2)
    plain.globex.export()
    plain.carry(to=plain.acme)
    plain.acme.import_()
    asked = [event for event in plain.acme.export().events if isinstance(event, Asked)]
    assert [one.sentence() for one in asked] == ["globex asks for 2-3 again; that goes out with this export"]
    assert [path.name for path in outbox(plain.acme)] == [path.name for path in files[1:3]]
    assert plain.carry(to=plain.globex) == 2
    plain.acme.export()
    assert outbox(plain.acme) == []  # an ask is answered once
    plain.globex.import_()
    assert summaries(plain.globex) == {"1", "2", "3", "4"}


def test_f5_who_asks_again_and_again_is_answered_once_a_day(plain: World) -> None:
    sent(plain, ["1"])
    for no in (1, 2, 3):
        deliver(plain.acme, report_file(plain.globex, no=no, want=[1]))
        plain.acme.import_()
        assert len([event for event in plain.acme.export().events if isinstance(event, Asked)]) == (no == 1)
        plain.clock.advance(hours=1)
    plain.clock.advance(hours=24)
    deliver(plain.acme, report_file(plain.globex, no=4, want=[1]))
    plain.acme.import_()
    assert [event for event in plain.acme.export().events if isinstance(event, Asked)]


def test_what_was_never_made_cannot_be_asked_for(plain: World) -> None:
    sent(plain, ["1"])
    deliver(plain.acme, report_file(plain.globex, want=[9]))
    plain.acme.import_()
    (told,) = [event.sentence() for event in plain.acme.export().events]
    assert told.startswith("globex asks for 9 again, which is not in the archive (we made 1).")


def test_request_asks_at_once(plain: World, terminal: Terminal) -> None:
    assert "nothing of acme is known to be missing" in terminal(plain.globex, "request", "acme")[1]
    files = sent(plain, ["1", "2"])
    deliver(plain.globex, files[1])
    plain.globex.import_()
    assert "asks acme for 1; its next export brings that" in terminal(plain.globex, "request", "acme")[1]
    (report,) = outbox(plain.globex)
    said = head_of(report, plain.acme).header.report
    assert said is not None
    assert (said.want, said.held) == ([1], [2])
    plain.carry(to=plain.acme)
    plain.acme.import_()
    plain.acme.export()
    assert [path.name for path in outbox(plain.acme)] == [files[0].name]


def test_f13_a_resend_of_what_was_pruned_says_when_and_that_it_was_acknowledged(plain: World) -> None:
    for side in plain.sides:
        change_settings(side, keep_bundles="0", keep_for="0s")
    plain.acme.desk.create("Bug", "one")
    plain.send(plain.acme)
    plain.send(plain.globex)
    prune(plain.acme.site, "main")
    with pytest.raises(
        PairingError, match="bundle 1 for globex was pruned here on 2026-11-23, after globex had acknowledged it"
    ):
        resend(plain.acme.site, "main", [1])
    assert outbox(plain.acme) == []
