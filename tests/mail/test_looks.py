"""What is looked at for a letter: all that lasts, wanted or not, and of what happened nothing that is looked up elsewhere."""

from __future__ import annotations

import pytest

from filesync.agent.events import Stuck, Warned
from filesync.agent.mailing import found
from filesync.ledger import streams
from filesync.ledger.streams import State
from filesync.model.ids import Mark
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
