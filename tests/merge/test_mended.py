"""Bundles, reports and restores that once led somewhere else: what the importer keeps, refuses and remembers."""

import pytest

from filesync.agent import staged
from filesync.agent.events import Stopped
from filesync.agent.outgoing.departures import NotTold
from filesync.bundle.limits import Limits
from filesync.errors import LedgerBehind
from filesync.ledger import journal
from filesync.model.ids import Gid, Mark
from tests.merge.scene import contract, crash, shared, value
from tests.support.two_sites import Side, World, two_sites


def _put_back(side: Side, kept: dict[str, bytes]) -> None:
    side.site.close()
    state = side.config.folders.state
    for file in state.glob("ledger.db*"):
        file.unlink()
    for name, data in kept.items():
        (state / name).write_bytes(data)


def _kept(side: Side) -> dict[str, bytes]:
    side.site.close()
    kept = {file.name: file.read_bytes() for file in side.config.folders.state.glob("ledger.db*")}
    side.reopen()
    return kept


def test_a_ledger_older_than_the_trackers_own_memory_sends_nothing() -> None:
    with two_sites(contract=contract(("winner: first ", "winner: globex "))) as world:
        key = shared(world)
        kept = _kept(world.globex)
        world.acme.desk.edit(key, {"summary": "newer"})
        world.send(world.acme)
        _put_back(world.globex, kept)
        world.globex.reopen()
        for act in (world.globex.export, world.globex.import_):
            with pytest.raises(LedgerBehind, match="up to 1, but the tracker remembers 2"):
                act()
        assert list(world.globex.config.folders.outbox.iterdir()) == []


def test_a_report_is_taken_from_a_bundle_that_has_to_wait() -> None:
    with two_sites() as world:
        shared(world)
        for summary in ("first", "second"):
            world.globex.desk.create("Bug", summary)
            world.globex.export()
        first, _ = sorted(world.globex.config.folders.outbox.iterdir())
        first.unlink()
        world.carry(to=world.acme)
        done = world.acme.import_()
        assert (done.bundles, done.held) == (0, 1)
        assert world.acme.exchange().acked_seq == 1


def test_a_partner_that_falls_behind_its_own_word_stops_the_exchange() -> None:
    with two_sites() as world:
        shared(world)
        world.globex.desk.create("Bug", "of globex")
        world.send(world.globex)
        assert world.acme.exchange().acked_seq == 1
        x = world.globex.exchange()
        with world.globex.site.ledger.begin() as conn:  # globex restored its ledger, and its tracker with it
            conn.exec_driver_sql("update exchange set in_seq = 0, in_id = ?", ("0" * 64,))
        assert x.in_seq == 1
        world.globex.site.tracker.write_checkpoint(f"filesync-{x.in_stream[:8]}", "")
        world.globex.desk.create("Bug", "another")
        (stopped,) = [one for one in world.send(world.globex).events if isinstance(one, Stopped)]
        assert "had applied our bundle 1, and now says that it is at 0" in stopped.why


def test_one_issue_too_long_for_a_line_stays_and_the_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filesync.agent.outgoing.exporter.LIMITS", Limits(line=2_000))
    assert staged.LIMITS.line > 2_000
    with two_sites() as world:
        long = world.acme.desk.create("Bug", "long", {"description": "x" * 3_000})
        world.acme.desk.comment(long, "belongs to it")
        world.acme.desk.create("Bug", "short")
        done = world.acme.export()
        assert done.changes == 1
        assert [event.key for event in done.events if isinstance(event, NotTold)] == [long]
        world.carry(to=world.globex)
        world.globex.import_()
        assert [one.fields["summary"] for one in world.globex.desk.list()] == ["short"]
        assert world.globex.queued() == []


def test_a_stand_in_that_landed_before_a_crash_is_nobodys_edit() -> None:
    with two_sites(
        contract=contract(("winner: first ", "winner: globex ")),
        mappings=("", "users_default: h.tanaka\nusers: {c.okafor: c.okafor}\n"),
    ) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"assignee": "m.silva"})
        with crash(world.globex, "after apply"):
            world.send(world.acme)
        world.globex.import_()
        assert world.globex.conflicts() == []
        world.round()
        assert value(world.acme, key, "assignee") == "m.silva"


def test_both_values_of_a_conflict_outlive_a_crash() -> None:
    with two_sites() as world:
        key = shared(world)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.acme.desk.edit(key, {"summary": "of acme"})
        with crash(world.globex, "after apply"):
            world.send(world.acme)
        world.globex.import_()
        (met,) = world.globex.conflicts()
        assert (met.ours, met.theirs, met.winner) == ("of globex", "of acme", "acme")


def test_what_waits_for_something_that_never_comes_can_be_skipped() -> None:
    with two_sites() as world:
        shared(world)
        x = world.globex.exchange().id
        nobody = Gid(f"{world.acme.config.site}/issue/999/1795424400000")
        mark = Mark("0001.0000000001.000009")
        line = b'{"about":{},"change":"set","fields":{"summary":{"now":"of nothing"}},"gid":"' + nobody.encode() + b'","n":9}'
        with world.globex.site.ledger.begin() as conn:
            row = journal.Queued(mark=mark, gid=nobody, change=line, state=journal.Wait.WAITS, waits_for=nobody)
            journal.put_queued(conn, x, [row])
        world.globex.import_()
        assert [one.mark for one in world.globex.queued()] == [mark]
        world.globex.skip(mark)
        assert world.globex.queued() == []


def test_the_queue_is_read_in_step_with_what_waits() -> None:
    """Not with its square: each change behind a stuck one is looked at once."""
    with two_sites() as world:
        read = _rows_read(world, comments=40)
        assert _rows_read(world, comments=80) < 2.5 * read


def _rows_read(world: World, *, comments: int) -> int:
    world.globex.faults.refuse = lambda call, _what: "no room" if call == "create" else None
    key = world.acme.desk.create("Bug", f"with {comments} comments")
    for n in range(comments):
        world.acme.desk.comment(key, f"{n}")
    world.send(world.acme)
    world.globex.faults.refuse = lambda _call, _what: None
    rows = 0
    real = journal._queued

    def counted(row: object) -> journal.Queued:
        nonlocal rows
        rows += 1
        return real(row)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "_queued", counted)
        world.globex.retry()
    assert world.globex.queued() == []
    return rows


def test_a_value_without_a_word_in_the_contract_gives_way_and_is_kept_for_people() -> None:
    with two_sites(contract=contract(("[Highest, High,", "[High,"))) as world:
        key = shared(world)
        world.globex.desk.edit(key, {"priority": "Highest"})
        assert world.globex.export().changes == 0
        world.acme.desk.edit(key, {"priority": "Low"})
        world.send(world.acme)
        assert value(world.globex, key, "priority") == "Low"
        (met,) = world.globex.conflicts()
        assert (met.ours, met.theirs, met.winner, met.rule) == ("Highest", "Low", "acme", "untold")
        world.settle()
        world.assert_in_step()
