"""The loop, with real sites, in a world whose time the test makes."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from filesync.agent.events import LandedDifferently, Stopped
from filesync.agent.incoming.bundles import Held
from filesync.agent.running import loop as loop_module
from filesync.agent.running.lanes import POLL, RETRY
from filesync.agent.running.loop import Loop
from filesync.agent.running.news import Failing, LeftAlone, WorksAgain
from filesync.agent.running.schedule import Every, cron
from filesync.agent.site import Site
from filesync.errors import PairingError, StorageFailure, Unavailable
from filesync.ledger import streams
from filesync.ledger.streams import State
from tests.loop.play import SECOND, Play, nothing, with_a_second_partner
from tests.support.two_sites import World, two_sites

EVERY = Every(dt.timedelta(minutes=5))


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites() as made:
        yield made


def run(site: Site, play: Play, schedule: Any = EVERY) -> None:
    Loop(site, schedule=schedule, around=play.around()).run(changed=lambda: False)


def calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The exchanges for which import_once or export_once was called."""
    seen: list[str] = []
    real = getattr(loop_module, name)

    def counted(site: Site, exchange: str) -> Any:
        seen.append(exchange)
        return real(site, exchange)

    monkeypatch.setattr(loop_module, name, counted)
    return seen


def test_f63_f64_what_no_event_tells_of_is_imported_and_what_changed_is_exported_on_its_interval(world: World) -> None:
    acme, globex = world.sides
    acme.desk.create("Bug", "Pump runs hot")
    acme.export()
    play = Play(world.clock, [nothing, lambda: world.carry(to=globex), nothing, nothing])
    run(globex.site, play)
    assert play.kinds("main") == ["Received", "Applied", "BundleApplied"]
    assert len(globex.desk.list()) == 1

    globex.desk.create("Bug", "Valve leaks")
    play = Play(world.clock, [nothing] * 40)
    run(globex.site, play)
    assert play.kinds("main") == ["Exported"], "once, and an interval without changes makes nothing"


def test_without_arrivals_an_import_is_made_once_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    imports, exports = calls(monkeypatch, "import_once"), calls(monkeypatch, "export_once")
    play = Play(world.clock, [nothing] * 70)
    run(world.globex.site, play)
    minutes = sum(play.pauses) / 60
    assert minutes > 9
    assert minutes - 1 < len(imports) - 1 <= minutes
    assert len(exports) - 1 == minutes // 5
    assert max(play.pauses) == POLL
    assert play.kinds() == ["Started"], "nothing happened, so nothing is told"


def test_a_cron_line_waits_for_its_time_and_an_import_does_not(world: World) -> None:
    globex = world.globex
    globex.desk.create("Bug", "Valve leaks")
    play = Play(world.clock, [nothing] * 60)
    start = globex.site.clock()
    run(globex.site, play, cron("7 * * * *", dt.UTC))
    (event,) = [event for _, event in play.told if type(event).__name__ == "Exported"]
    x = globex.exchange().id
    with globex.site.ledger.begin() as conn:
        row = streams.sent(conn, x, generation=1, seq=1)
    assert row is not None
    assert start.minute == 0
    assert row.at // 60_000_000 % 60 == 7, event.sentence()


def test_f59_a_clock_that_is_set_back_holds_up_no_export(world: World) -> None:
    globex = world.globex
    acts = [lambda: world.clock.advance(days=-1095), lambda: globex.desk.create("Bug", "Valve leaks"), *[nothing] * 40]
    play = Play(world.clock, acts)
    run(globex.site, play)
    assert "Exported" in play.kinds()


def test_the_trouble_of_one_exchange_touches_no_other(world: World) -> None:
    acme, globex = world.sides
    inbox = with_a_second_partner(globex)
    acme.desk.create("Bug", "Pump runs hot")
    acme.export()
    acts = [
        lambda: inbox.rename(inbox.with_name("gone")),
        *[nothing] * 12,
        lambda: world.carry(to=globex),
        *[nothing] * 20,
        lambda: inbox.with_name("gone").rename(inbox),
        *[nothing] * 40,
    ]
    play = Play(world.clock, acts)
    run(globex.site, play)
    assert play.kinds("main") == ["Received", "Applied", "BundleApplied", "Reported"]
    troubles = [kind for kind in play.kinds(SECOND) if kind in {"Failing", "WorksAgain"}]
    assert troubles == ["Failing", "WorksAgain"], "each told once"
    assert "the inbox cannot be read" in play.sentences(Failing)[0]
    assert "other exchanges go on" in play.sentences(Failing)[0]
    assert "import works again" in play.sentences(WorksAgain)[0]


def test_f118_a_tracker_that_is_down_is_asked_less_and_less_often(world: World) -> None:
    acme, globex = world.sides
    acme.desk.create("Bug", "Pump runs hot")
    acme.export()
    world.carry(to=globex)
    tried: list[float] = []
    play = Play(world.clock, [])

    def down(place: str) -> None:
        if place == "before create":
            tried.append(play.now)
            raise Unavailable("the tracker does not answer", hint="Nothing to do: it is asked again.")

    def up() -> None:
        globex.faults.strike = lambda _place: None

    globex.faults.strike = down
    play.acts = [*[nothing] * 40, up, *[nothing] * 40]
    run(globex.site, play)
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps[:4] == [RETRY, 2 * RETRY, 4 * RETRY, 8 * RETRY]
    assert len(play.sentences(Failing)) == 1
    assert len(globex.desk.list()) == 1
    assert f"it had failed {len(tried)} times" in play.sentences(WorksAgain)[0]


def test_the_tracker_s_own_time_to_wait_is_kept(world: World) -> None:
    globex, tried = world.globex, list[float]()
    play = Play(world.clock, [nothing] * 100)

    def busy(place: str) -> None:
        if place == "before changed":
            tried.append(play.now)
            raise Unavailable("the tracker is overloaded", retry_after=600.0)

    globex.faults.strike = busy
    run(globex.site, play)
    assert tried[1] - tried[0] == 600.0


def test_f3_a_stopped_stream_is_told_once_and_left_alone_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = world.globex
    with_a_second_partner(globex)
    x = globex.exchange().id
    with globex.site.ledger.begin() as conn:
        streams.update_exchange(conn, x, state=State.STOPPED, stopped_why="FORK: two histories")
    imports = calls(monkeypatch, "import_once")
    play = Play(world.clock, [nothing] * 40)
    run(globex.site, play)
    assert play.kinds("main") == ["LeftAlone"]
    assert "FORK: two histories" in play.sentences(LeftAlone)[0]
    assert imports.count("main") == 1
    assert imports.count(SECOND) > 3


def test_f3_a_stream_that_stops_while_it_runs_is_told_once(world: World) -> None:
    acme, globex = world.sides
    for n in range(2):
        acme.desk.create("Bug", f"Bug {n}")
        acme.export()
    world.carry(to=globex)
    x = globex.exchange().id
    with globex.site.ledger.begin() as conn:
        streams.update_exchange(conn, x, in_seq=1, in_id="0" * 64)
    play = Play(world.clock, [nothing] * 40)
    run(globex.site, play)
    assert len(play.sentences(Stopped)) == 1
    assert play.sentences(LeftAlone) == []


def test_f4_what_every_import_finds_again_is_told_when_it_comes_and_not_every_minute(world: World) -> None:
    acme, globex = world.sides
    for n in range(2):
        acme.desk.create("Bug", f"Bug {n}")
        acme.export()
    first, second = sorted(acme.config.folders.outbox.iterdir())
    second.rename(globex.config.folders.inbox / second.name)
    acts = [*[nothing] * 60, lambda: first.rename(globex.config.folders.inbox / first.name), *[nothing] * 10]
    play = Play(world.clock, acts)
    run(globex.site, play)
    assert len(play.sentences(Held)) == 1
    assert play.kinds().count("BundleApplied") == 2


def test_a_stop_asked_in_a_long_import_ends_it_between_two_changes_and_the_next_run_goes_on(world: World) -> None:
    acme, globex = world.sides
    for n in range(120):
        acme.desk.create("Bug", f"Bug {n}")
    acme.export()
    world.carry(to=globex)
    play = Play(world.clock, [])
    play.stopping = lambda: len(globex.desk.list()) > 0
    run(globex.site, play)
    some = len(globex.desk.list())
    assert some == 1, "what is in hand is finished, and nothing new is begun"
    assert globex.doubts() == {}, "no call to the tracker is left unrecorded"
    assert play.kinds().count("Applied") == some
    play = Play(world.clock, [])
    run(globex.site, play)
    assert play.kinds().count("Applied") == 120 - some
    assert len(globex.desk.list()) == 120


def test_a_stop_asked_in_an_export_finishes_the_bundle_in_hand(world: World) -> None:
    acme = world.acme
    acme.desk.create("Bug", "Pump runs hot")
    play = Play(world.clock, [])
    play.stopping = lambda: acme.exchange().out_seq > 0
    run(acme.site, play)
    assert len(list(acme.config.folders.outbox.iterdir())) == 1
    x = acme.exchange().id
    with acme.site.ledger.begin() as conn:
        assert streams.unpublished(conn, x) == []


def test_f47_a_disk_that_failed_ends_the_run(world: World) -> None:
    def broken(place: str) -> None:
        if place == "before changed":
            raise StorageFailure("the disk failed")

    world.globex.faults.strike = broken
    with pytest.raises(StorageFailure):
        run(world.globex.site, Play(world.clock, [nothing]))


def test_a_listener_that_cannot_listen_stops_nothing_and_hears_of_it_later(world: World) -> None:
    play = Play(world.clock, [])
    around = play.around()
    deaf = [OSError(28, "No space left on device")]
    heard: list[str] = []

    def tell(_site: str, _exchange: str, event: Any) -> None:
        if deaf:
            raise deaf.pop()
        heard.append(type(event).__name__)

    loop = Loop(
        world.globex.site,
        schedule=EVERY,
        around=type(around)(**{name: getattr(around, name) for name in around.__slots__ if name != "tell"}, tell=tell),
    )
    loop.say("main", LandedDifferently(key="A-1", field="summary"))
    loop.say("main", LandedDifferently(key="A-1", field="summary"))
    assert heard == ["Untold", "LandedDifferently"]


def test_a_site_that_is_paired_with_nobody_has_nothing_to_run(world: World) -> None:
    x = world.globex.exchange().id
    with world.globex.site.ledger.begin() as conn:
        streams.update_exchange(conn, x, state=State.OFFERED)
    with pytest.raises(PairingError, match="paired with nobody"):
        Loop(world.globex.site, schedule=EVERY, around=Play(world.clock, []).around())
