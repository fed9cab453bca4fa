"""What came damaged is told to the partner who sent it, until a good copy has come."""

from __future__ import annotations

from pathlib import Path

from filesync.agent.incoming.arrivals import NotTakenThere
from filesync.agent.outgoing.again import resend
from filesync.agent.outgoing.departures import Asked
from filesync.bundle.header import Refused
from filesync.errors import ExitCode
from tests.faults.scene import Terminal, deliver, only, put, quarantined, sent
from tests.support.two_sites import Side, World


def damaged(file: Path) -> bytes:
    """One bit in its last file of data."""
    content = bytearray(file.read_bytes())
    place = content.index(b"\x28\xb5\x2f\xfd") + 12  # inside the zstd frame
    content[place] ^= 1
    return bytes(content)


def report_comes(world: World) -> None:
    world.globex.export()
    world.carry(to=world.acme)


def said(side: Side) -> list[Refused]:
    """What its next report would name."""
    from filesync.agent import position

    x = side.exchange()
    with side.site.ledger.begin() as conn:
        return position.report(conn, x, now=side.clock(), grace=side.config.limits.grace).refused


def test_f22_f23_f85_the_sender_hears_what_was_refused_and_how_to_mend_it(plain: World, terminal: Terminal) -> None:
    one, two = sent(plain, ["one", "two"])
    put(plain.globex, one.name, damaged(one))
    deliver(plain.globex, two)
    plain.globex.import_()
    assert len(quarantined(plain.globex)) == 1
    status, out, _ = terminal(plain.globex, "-q", "status")
    assert status == ExitCode.WORK_LEFT
    assert "REFUSED: 1 (BAD_HASH) came and could not be taken; ask acme to run: filesync resend globex 1" in out
    report_comes(plain)
    told = only(plain.acme.import_(), NotTakenThere)
    assert "globex could not take what came there as our 1 (BAD_HASH)." in told
    status, out, _ = terminal(plain.acme, "-q", "status")
    assert status == ExitCode.WORK_LEFT
    assert "globex refused 1: BAD_HASH since 2026-11-23 09:00:00Z; send it again: filesync resend globex 1" in out
    resend(plain.acme.site, "main", [1])
    plain.carry(to=plain.globex)
    assert plain.globex.import_().bundles == 2
    assert terminal(plain.globex, "status")[0] == ExitCode.DONE
    report_comes(plain)
    assert not [event for event in plain.acme.import_().events if isinstance(event, NotTakenThere)]
    status, out, _ = terminal(plain.acme, "status")
    assert status == ExitCode.DONE
    assert "refused" not in out


def test_f7_f23_the_last_bundle_that_came_damaged_is_not_taken_for_all_is_well(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["one"])
    put(plain.globex, one.name, damaged(one))
    plain.globex.import_()
    assert terminal(plain.globex, "status")[0] == ExitCode.WORK_LEFT
    deliver(plain.globex, one)
    plain.globex.import_()
    assert terminal(plain.globex, "status")[0] == ExitCode.DONE


def test_f23_what_came_damaged_is_asked_for_after_the_grace_and_the_next_export_sends_it_again(plain: World) -> None:
    (one,) = sent(plain, ["one"])
    put(plain.globex, one.name, damaged(one))
    plain.globex.import_()
    report_comes(plain)
    plain.acme.import_()
    assert plain.acme.export().events == ()
    plain.clock.advance(hours=2)
    report_comes(plain)
    plain.acme.import_()
    (asked,) = [event for event in plain.acme.export().events if isinstance(event, Asked)]
    assert asked.sentence() == "globex asks for 1 again; that goes out with this export"
    plain.carry(to=plain.globex)
    assert plain.globex.import_().bundles == 1


def test_request_asks_at_once_for_what_came_damaged(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["one"])
    put(plain.globex, one.name, damaged(one))
    plain.globex.import_()
    assert "asks acme for 1; its next export brings that" in terminal(plain.globex, "request", "acme")[1]


def test_a_refusal_is_told_once_and_keeps_its_time(plain: World, terminal: Terminal) -> None:
    one, two = sent(plain, ["one", "two"])
    put(plain.globex, one.name, damaged(one))
    plain.globex.import_()
    report_comes(plain)
    assert only(plain.acme.import_(), NotTakenThere)
    plain.clock.advance(hours=3)
    deliver(plain.globex, two)
    plain.globex.import_()
    report_comes(plain)
    assert not [event for event in plain.acme.import_().events if isinstance(event, NotTakenThere)]
    assert "1: BAD_HASH since 2026-11-23 09:00:00Z" in terminal(plain.acme, "status")[1]


def test_a_good_copy_that_came_first_or_later_makes_a_damaged_one_nobodys_matter(plain: World) -> None:
    one, two = sent(plain, ["one", "two"])
    deliver(plain.globex, one)
    plain.globex.import_()
    put(plain.globex, one.name, damaged(one))
    put(plain.globex, two.name, damaged(two))
    plain.globex.import_()
    assert [(each.seq, each.code) for each in said(plain.globex)] == [(2, "BAD_HASH")]
    deliver(plain.globex, two)
    plain.globex.import_()
    assert said(plain.globex) == []


def test_a_name_alone_says_nothing_of_other_streams_or_of_numbers_from_nowhere(plain: World) -> None:
    (one,) = sent(plain, ["one"])
    stream = one.name[:13]
    content = damaged(one)
    for name in (f"{stream}g0001_9999999999_00000000.tar", f"{stream}g0002_0000000001_00000000.tar", "fs1_1.tar", "x.tar"):
        put(plain.globex, name, content)
        plain.globex.import_()
    assert said(plain.globex) == []
