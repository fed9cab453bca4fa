"""An exchange that stands still because a person wants it so."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

from filesync.agent.asked.reading import reading
from filesync.agent.partners.pausing import pause, resume
from filesync.agent.record import Record
from filesync.agent.running.loop import Loop
from filesync.agent.running.news import GoesOn, PausedHere
from filesync.agent.running.schedule import Every
from filesync.errors import ExitCode
from filesync.ledger import streams
from filesync.ledger.streams import State
from filesync.model.moments import micros
from tests.loop.play import Play, nothing
from tests.many.scene import NORTH, SOUTH, Three, seen
from tests.support.two_sites import Side

Type = Callable[..., tuple[int, str, str]]


def test_a_paused_exchange_sends_and_takes_nothing_and_says_so_and_the_other_goes_on(three: Three, type_: Type) -> None:
    three.acme.desk.create("Bug", "Pump")
    three.globex.desk.create("Bug", "Valve")
    three.export(three.globex)
    (waiting,) = three.back(NORTH)
    status, out, _ = type_(three.acme, "pause", "--exchange", "globex", "--reason", "audit")
    assert status == ExitCode.DONE
    assert "exchange north with globex is paused (audit): nothing is sent or applied on it" in out

    status, out, _ = type_(three.acme, "export")
    assert status == ExitCode.DONE, "the other one had something to send"
    assert "exchange 'north' is paused since" in out
    assert "(audit)" in out
    assert "north: paused\nsouth: 1 bundle with 1 change exported\n" in out
    assert list(three.box("outbox", NORTH).iterdir()) == []

    status, out, _ = type_(three.acme, "import", "--exchange", NORTH)
    assert status == ExitCode.NOTHING
    assert "filesync resume --exchange north" in out
    assert waiting.exists()
    assert "Valve" not in seen(three.acme)

    status, out, _ = type_(three.acme, "status")
    assert status == ExitCode.WORK_LEFT
    assert "PAUSED since 2" in out
    assert "(audit): filesync resume --exchange north" in out

    assert type_(three.acme, "pause", "--exchange", NORTH)[:2] == (ExitCode.NOTHING, "north: paused already\n")
    status, out, _ = type_(three.acme, "resume")
    assert status == ExitCode.DONE
    assert "goes on; it was paused since" in out
    assert type_(three.acme, "resume", "--exchange", NORTH)[:2] == (ExitCode.NOTHING, "north: not paused\n")
    three.settle()
    assert seen(three.acme).keys() == seen(three.globex).keys() == {"Pump", "Valve"}
    told = json.loads(type_(three.acme, "log", "--json")[1])
    assert {"ExchangePaused", "ExchangeResumed"} <= {one["event"] for one in told}


def test_without_a_name_all_exchanges_are_paused(three: Three, type_: Type) -> None:
    status, out, _ = type_(three.acme, "pause", "--json")
    assert (status, json.loads(out)) == (ExitCode.DONE, {"changed": [NORTH, SOUTH]})
    assert type_(three.acme, "export")[0] == ExitCode.NOTHING
    assert type_(three.acme, "run", "--once")[0] == ExitCode.NOTHING
    assert type_(three.acme, "resume", "--exchange", SOUTH)[0] == ExitCode.DONE
    status, _, err = type_(three.acme, "stuck", "retry")
    assert status == ExitCode.DONE, "the one that is paused holds up no other"
    assert "exchange 'north' is paused" in err


def test_a_name_that_is_none_is_told_with_those_there_are(three: Three, type_: Type) -> None:
    for verb in ("pause", "resume", "export", "import"):
        status, _, err = type_(three.acme, verb, "--exchange", "nowhere")
        assert status == ExitCode.USAGE
        assert "There are: north with globex, south with initech." in err


def test_a_stopped_exchange_is_neither_paused_nor_resumed(three: Three, type_: Type) -> None:
    x = three.at(three.acme, NORTH)
    with three.acme.site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, state=State.STOPPED, stopped_why="FORK: two histories")
    for verb in ("pause", "resume"):
        status, _, err = type_(three.acme, verb, "--exchange", NORTH)
        assert status == ExitCode.STOPPED
        assert "is stopped, not paused: FORK: two histories" in err
    assert type_(three.acme, "pause")[0] == ExitCode.DONE, "without a name those that can be paused are"


def test_a_run_at_work_leaves_a_paused_exchange_alone_and_goes_on_when_it_is_resumed(three: Three) -> None:
    acme = three.acme

    def decide(what: Callable[..., bool], **more: object) -> None:
        """As the verbs do it, beside the run that holds the site's lock."""
        with reading(acme.config) as conn:
            x = streams.exchange_named(conn, NORTH)
            assert x is not None
            assert what(conn, x, Record(NORTH, clock=three.clock), **more)

    def brought() -> None:
        three.globex.desk.create("Bug", "Valve")
        three.export(three.globex)
        three.back(NORTH)
        three.initech.desk.create("Bug", "Motor")
        three.export(three.initech)
        three.back(SOUTH)

    there = list[set[str]]()
    acts: list[Callable[[], object]] = [
        lambda: decide(pause, reason="audit", now=micros(three.clock())),
        brought,
        *[nothing] * 12,
        lambda: there.append(set(seen(acme))),
        lambda: decide(resume),
        *[nothing] * 12,
    ]
    play = Play(three.clock, acts)
    Loop(acme.site, schedule=Every(dt.timedelta(minutes=5)), around=play.around()).run(changed=lambda: False)
    assert there == [{"Motor"}]
    assert set(seen(acme)) == {"Motor", "Valve"}
    (said,) = play.sentences(PausedHere)
    assert "It is left alone until then; other exchanges go on. To go on with: filesync resume --exchange north" in said
    assert len(play.sentences(GoesOn)) == 1


def test_a_pause_holds_between_two_bundles_of_one_import(three: Three) -> None:
    for summary in ("Valve", "Motor"):
        three.globex.desk.create("Bug", summary)
        three.export(three.globex)
    three.back(NORTH)
    acme: Side = three.acme

    def strike(place: str) -> None:
        if place == "after I13":
            x = three.at(acme, NORTH)
            with acme.site.ledger.begin() as conn:
                pause(conn, x, Record(NORTH, clock=three.clock), reason="", now=1)
            acme.faults.strike = lambda _place: None

    acme.faults.strike = strike
    assert three.import_(acme, NORTH).held == 1
    assert set(seen(acme)) == {"Valve"}
