"""What is looked at for a letter: all that lasts, wanted or not, and of what happened nothing that is looked up elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from filesync.agent.events import Stuck, Warned
from filesync.agent.mailing import found
from filesync.agent.mailing.digest import digest
from filesync.agent.mailing.events import NotMailed
from filesync.agent.mailing.found import Found
from filesync.agent.mailing.remembered import Remembered, Row
from filesync.agent.partners.unpairing import unpair
from filesync.ledger import journal, since, streams
from filesync.ledger.journal import Conflict
from filesync.ledger.since import Place
from filesync.ledger.streams import State
from filesync.model.ids import Gid, Mark, StreamId
from tests.mail.office import Office
from tests.mail.scene import Mailed, told_to_mail
from tests.support.two_sites import EXCHANGE


def _comes(globex: Mailed, summary: str) -> None:
    globex.world.acme.desk.create("Bug", summary)
    globex.world.acme.export()
    globex.world.carry(to=globex.side)


def test_nothing_is_said_to_be_over_where_nobody_asks_for_it_any_more_or_it_is_paused(globex: Mailed, made: Office) -> None:
    _comes(globex, "Pump")
    assert globex.once() == []
    globex.world.clock.advance(days=2)
    assert globex.once() == ["1 partner silent"]
    told_to_mail(globex.side, made, "  what: [trouble]\n")
    assert globex.once() == []
    told_to_mail(globex.side, made)
    exchange = globex.side.exchange().id
    for state in (State.PAUSED, State.PAIRED):
        with globex.side.site.ledger.begin() as conn:
            streams.update_exchange(conn, exchange, state=state)
        assert globex.once() == []
    _comes(globex, "Valve")
    assert globex.once() == ["1 over"]


def test_what_is_looked_up_elsewhere_crowds_out_nothing_that_happened(globex: Mailed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert globex.once() == []
    monkeypatch.setattr(found, "MOST", 2)
    record = globex.side.site.record(EXCHANGE)
    for number in range(3):
        record.add(Stuck(mark=Mark(str(number)), key="ABC-1", why="no"))
    record.add(Warned(what="the clock went back"))
    with globex.side.site.ledger.begin() as conn:
        record.write(conn)
    assert globex.once() == ["1 to look at"]
    assert "the clock went back" in globex.text()


def test_a_letter_that_may_have_been_taken_is_not_sent_with_each_pass(globex: Mailed) -> None:
    _comes(globex, "Pump")
    assert globex.once() == []
    globex.world.clock.advance(days=2)
    globex.office.hangs_up = True
    assert globex.once() == ["1 partner silent"]
    (told,) = [event for event in globex.told if isinstance(event, NotMailed)]
    assert "It may have been taken all the same, and is sent once more in an hour" in told.sentence()
    globex.office.hangs_up = False
    globex.side.reopen()
    assert globex.once() == globex.once() == []
    globex.world.clock.advance(hours=1)
    assert globex.once() == ["1 partner silent"]
    globex.world.clock.advance(hours=1)
    assert globex.once() == []


def test_of_a_long_value_no_more_is_read_than_a_letter_shows(globex: Mailed, made: Office) -> None:
    told_to_mail(globex.side, made, "  values: true\n")
    _comes(globex, "Pump")
    assert globex.once() == []
    globex.world.acme.desk.edit("ABC-1", {"description": "t" * 2_000})
    globex.world.acme.export()
    globex.side.desk.edit("ABC-1", {"description": "o" * 2_000})
    globex.world.carry(to=globex.side)
    assert globex.once() == ["1 edit met"]
    assert f"    ours:   {'o' * found.VALUE}…" in globex.text().splitlines()
    assert f"    theirs: {'t' * found.VALUE}…" in globex.text().splitlines()
    with globex.side.site.ledger.begin() as conn:
        (one,) = since.conflicts(conn, Place(), exchange_id=1, limit=9, longest=501)
    assert (len(one.ours), len(one.theirs)) == (501, 501)


def _met(conn: sa.Connection, exchange_id: int, *marks: str) -> None:
    said: dict[str, Any] = {
        "gid": Gid("g"),
        "key": "ABC-1",
        "field": "summary",
        "ours": "o",
        "theirs": "t",
        "winner": "acme",
        "rule": "unsent",
    }
    journal.add_conflicts(conn, exchange_id, [Conflict(at=0, mark=Mark(one), **said) for one in marks])


def test_the_end_of_an_exchange_makes_nothing_old_news_and_hides_nothing_new(globex: Mailed) -> None:
    assert globex.once() == []
    x, site = globex.side.exchange(), globex.side.site
    with site.ledger.begin() as conn:
        other = streams.add_exchange(conn, "other", stream=StreamId("0" * 32), generation=x.out_generation)
        _met(conn, x.id, "1", "2")
        _met(conn, other.id, "3", "4", "5")
    assert globex.once() == ["2 edits met"]
    unpair(site, other)
    with site.ledger.begin() as conn:
        _met(conn, x.id, "6")
    assert globex.once() == ["1 edit met"]


def test_of_what_has_no_end_only_the_newest_is_remembered() -> None:
    passing = Row(exchange="main", text="a damaged file", ends="", since=0, seen=0, sent=1)
    rows = {f"main {seen}": replace(passing, seen=seen) for seen in range(6_000)}
    rows["main gap"] = replace(passing, ends="import")
    nothing = Found(place=Place(), met=(), findings={}, whole=frozenset())
    kept = digest(Remembered(place=Place(), rows=rows), nothing, now=6_000).told.rows
    assert kept.keys() == {"main gap", *(f"main {seen}" for seen in range(1_000, 6_000))}
