"""What is kept of events quotes no value, whatever a tracker said."""

from __future__ import annotations

import pytest

from filesync.agent.discreet import without_values
from filesync.agent.events import Event, LandedDifferently, LostEdit, Met, Stuck
from filesync.agent.outgoing.departures import NotTold
from filesync.cli.main import run as filesync
from filesync.errors import ExitCode
from filesync.ledger import journal
from filesync.model.ids import Mark
from tests.merge.scene import cross, shared
from tests.support.two_sites import two_sites

CANARY = "Ka7narienvogel"


def test_the_journal_and_the_log_keep_no_words_of_a_tracker_and_the_stuck_list_does(capsys: pytest.CaptureFixture[str]) -> None:
    with two_sites() as world:
        acme, globex = world.sides
        first, second = shared(world, "first"), shared(world, "second")
        cross(
            world,
            acme=lambda: acme.desk.edit(first, {"summary": f"{CANARY} ours", f"labels:{CANARY}": True}),
            globex=lambda: globex.desk.edit(first, {"summary": f"{CANARY} theirs", f"labels:{CANARY}": True}),
        )
        globex.faults.refuse = lambda _call, _what: f'there is no option "{CANARY}"'
        acme.desk.edit(second, {"description": CANARY})
        assert world.send(acme).counts.refused == 1
        for side in world.sides:
            with side.site.ledger.begin() as conn:
                entries = journal.entries(conn)
            assert entries
            assert [entry for entry in entries if CANARY.encode() in entry.detail] == []
        assert {"Stuck", "Met"} <= {entry.kind for entry in entries}
        config = str(globex.folder / "filesync.yaml")
        assert filesync(["-c", config, "log"]) == ExitCode.DONE
        said = capsys.readouterr()
        assert CANARY not in said.out + said.err
        assert "the reason is in `filesync stuck list`" in said.out
        filesync(["-c", config, "stuck", "list"])
        assert CANARY in capsys.readouterr().out
        filesync(["-c", config, "conflicts"])
        assert CANARY in capsys.readouterr().out


@pytest.mark.parametrize(
    "event",
    [
        Stuck(mark=Mark("1.1.1"), key="A-1", why=f'there is no option "{CANARY}"'),
        Met(mark=Mark("1.1.1"), key="A-1", field=f"labels:{CANARY}", winner="acme", rule="crossing"),
        LandedDifferently(key="A-1", field=f"labels:{CANARY}"),
        LostEdit(key="A-1", what=[f"labels:{CANARY}", "summary"]),
        NotTold(key="A-1", field=f"labels:{CANARY}", why=f'the contract has no label "{CANARY}"'),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_element_of_a_set_is_a_value_too(event: Event) -> None:
    assert CANARY in event.sentence()
    assert CANARY not in without_values(event).sentence()
    assert "A-1" in without_values(event).sentence()


def test_the_reason_is_told_without_the_word_that_is_missing() -> None:
    event = without_values(NotTold(key="A-1", field="priority", why=f'the contract has no option "{CANARY}"'))
    assert event.sentence() == (
        "A-1: priority was not sent: the contract has no such option; `filesync why A-1` names it. The rest of the issue goes on."
    )
