"""Several exchanges of one site: what comes from one partner goes to the other, and no trouble does."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from filesync.agent.asked.why import why
from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Damaged, Foreign
from filesync.agent.outgoing.departures import Unpaired
from filesync.agent.upkeep.by_hand import say
from filesync.errors import DiskProblem, ExitCode, FilesyncError, StreamStopped
from filesync.ledger import streams
from filesync.ledger.streams import State
from filesync.model.by_hand import Hand
from filesync.model.ids import Gid, home
from filesync.model.issue import Issue
from tests.many.scene import NORTH, SOUTH, Three, seen
from tests.merge.scene import crash
from tests.support.disk import small_disk
from tests.support.two_sites import Side

Type = Callable[..., tuple[int, str, str]]


def key(side: Side, summary: str) -> str:
    (found,) = [one.key for one in side.desk.list() if one.fields["summary"] == summary]
    return found


def test_an_issue_of_one_partner_is_told_to_the_other_and_edits_of_it_go_through_both_ways(three: Three) -> None:
    pump = three.globex.desk.create("Bug", "Pump")
    three.globex.desk.comment(pump, "since Monday")
    three.hear(NORTH)
    three.tell(SOUTH)
    assert seen(three.initech) == seen(three.globex)
    three.globex.desk.edit(pump, {"summary": "Pump runs hot"})
    three.hear(NORTH)
    three.tell(SOUTH)
    there = key(three.initech, "Pump runs hot")
    three.initech.desk.comment(there, "a bearing is on its way")
    three.initech.desk.transition(there, "In Progress")
    three.hear(SOUTH)
    three.tell(NORTH)
    assert seen(three.globex) == {"Pump runs hot": ("In Progress", ("since Monday", "a bearing is on its way"))}
    three.settle()
    assert seen(three.acme) == seen(three.globex) == seen(three.initech)
    three.globex.desk.delete(pump)
    three.settle()
    assert seen(three.globex) == {}
    assert seen(three.acme) == seen(three.initech), "by the contract it is marked here, and stays with us and whom we told"


def test_of_what_was_born_at_a_third_site_keys_are_told_and_deletions_carried_out_as_of_what_the_partner_made(
    three: Three,
) -> None:
    for side in three.sides:
        contract, mapping = side.folder / "contract.yaml", side.folder / "mapping.yaml"
        contract.write_text(contract.read_text().replace("# keys: true ", "keys: true "))
        mapping.write_text("deletes: {comment: origin}\n")
        side.reopen()
    pump = three.globex.desk.create("Bug", "Pump")
    three.globex.desk.comment(pump, "of globex")
    three.initech.desk.create("Bug", "another, which takes the first number")
    three.settle()
    there, here = key(three.initech, "Pump"), key(three.acme, "Pump")
    assert [one.theirs for one in why(three.acme.site, here).exchanges] == [pump, there]
    assert [one.theirs for one in why(three.globex.site, pump).exchanges] == [here]
    assert three.export(three.initech).changes == three.export(three.acme, SOUTH).changes == 0

    (comment,) = three.initech.desk.show(there).comments
    three.initech.desk.delete_comment(there, comment.id)
    three.settle()
    assert seen(three.globex)["Pump"] == seen(three.acme)["Pump"] == ("To Do", ("of globex",)), "initech did not make it"
    (comment,) = three.globex.desk.show(pump).comments
    three.globex.desk.delete_comment(pump, comment.id)
    three.settle()
    assert seen(three.acme)["Pump"] == seen(three.initech)["Pump"] == ("To Do", ())


def test_an_issue_that_is_stopped_with_one_partner_goes_on_with_the_other(three: Three) -> None:
    pump = three.globex.desk.create("Bug", "Pump")
    three.settle()
    with three.acme.site.ledger.begin() as conn:
        south = streams.exchange_named(conn, SOUTH)
    assert south is not None
    say(three.acme.site, south, [key(three.acme, "Pump")], Hand.STOPPED, apply=True)
    three.globex.desk.edit(pump, {"summary": "Pump runs hot"})
    three.initech.desk.comment(key(three.initech, "Pump"), "a bearing is on its way")
    three.settle()
    assert seen(three.acme) == seen(three.globex) == {"Pump runs hot": ("To Do", ())}
    say(three.acme.site, south, [key(three.acme, "Pump runs hot")], Hand.AS_SCOPE, apply=True)
    three.settle()
    assert seen(three.acme) == seen(three.globex) == seen(three.initech)
    assert seen(three.acme) == {"Pump runs hot": ("To Do", ("a bearing is on its way",))}


def test_an_attachment_whose_mark_is_lost_is_told_to_others_as_what_it_is(three: Three) -> None:
    pump = three.globex.desk.create("Bug", "Pump")
    three.settle()
    three.globex.desk.attach(pump, "pump.png", [b"12 bar"])
    three.hear(NORTH)
    tracker = three.acme.site.tracker
    real, claimed = tracker.get, list[Gid]()

    def get(issue: str) -> Issue | None:
        found = real(issue)
        assert found is not None
        return found if claimed else replace(found, children=tuple(replace(one, origin=None) for one in found.children))

    tracker.get = get  # type: ignore[method-assign]  # as after another process wrote over the mark
    tracker.claim = lambda ref, origin: claimed.append(origin)  # type: ignore[method-assign]  # and it is there again
    three.tell(SOUTH)
    there = key(three.initech, "Pump")
    (file,) = three.initech.desk.show(there).attachments
    assert [home(one) for one in claimed] == [three.globex.site.config.site]
    three.settle()
    assert [one.id for one in three.initech.desk.show(there).attachments] == [file.id], "neither made anew nor twice"


def test_nothing_goes_back_to_whom_it_came_from_and_then_all_are_quiet(three: Three) -> None:
    for side in three.sides:
        side.desk.create("Bug", f"born at {side.name}")
    three.settle()
    assert seen(three.acme) == seen(three.globex) == seen(three.initech)
    assert len(seen(three.acme)) == 3
    for side in three.sides:
        side.faults.forbid_writes = True
    three.settle()


def trouble(three: Three, work: Callable[[], object], kind: type[FilesyncError]) -> None:
    """The work fails on the north; the south is served before and after, both ways."""
    for n in range(2):
        three.initech.desk.create("Bug", f"south {n}")
        three.acme.desk.create("Bug", f"middle {n}")
        three.hear(SOUTH)
        three.tell(SOUTH)
        assert {f"south {n}", f"middle {n}"} <= set(seen(three.initech)) & set(seen(three.acme))
        with pytest.raises(kind):
            work()


def test_the_fork_of_one_partner_touches_no_other(three: Three) -> None:
    three.tell(NORTH)
    three.globex.site.close()
    shutil.copytree(three.globex.folder, three.acme.folder.parent / "clone")
    three.globex.reopen()
    clone = Side(three.acme.folder.parent / "clone", three.clock, three.globex._random)
    for side, summary in ((three.globex, "one"), (clone, "other")):
        side.desk.create("Bug", summary)
        three.export(side)
        for file in side.config.folders.outbox.iterdir():
            shutil.move(file, three.box("inbox", NORTH) / file.name)
    clone.close()
    (stopped,) = [one for one in three.import_(three.acme, NORTH).events if isinstance(one, Stopped)]
    assert "FORK" in stopped.why
    trouble(three, lambda: three.export(three.acme, NORTH), StreamStopped)
    assert three.at(three.acme, SOUTH).state is State.PAIRED


def test_the_full_outbox_of_one_partner_touches_no_other(three: Three) -> None:
    with small_disk(three.box("outbox", NORTH), kilobytes=4):
        (three.box("outbox", NORTH) / "full").write_bytes(bytes(4_096))
        trouble(three, lambda: three.export(three.acme, NORTH), DiskProblem)
    three.settle()
    assert set(seen(three.globex)) == set(seen(three.acme)) == set(seen(three.initech)), "it goes on by itself"


def test_a_contract_that_cannot_be_used_on_one_exchange_touches_no_other_and_the_worst_status_is_told(
    three: Three, type_: Type
) -> None:
    config = three.acme.config.path
    text = config.read_text()
    assert "exchanges: {}" in text
    config.write_text(text.replace("exchanges: {}", "exchanges: {north: {contract: missing.yaml}}"))
    three.acme.desk.create("Bug", "Pump")
    status, out, err = type_(three.acme, "export")
    assert status == ExitCode.CONFIG
    assert "missing.yaml" in err
    assert "north: failed: " in out
    assert "south: 1 bundle with 1 change exported" in out
    assert type_(three.acme, "export", "--exchange", SOUTH)[0] == ExitCode.NOTHING
    status, out, err = type_(three.acme, "import")
    assert status == ExitCode.CONFIG
    assert "north: failed: " in out


def test_a_damaged_file_of_one_partner_touches_no_other(three: Three, type_: Type) -> None:
    for side in (three.globex, three.initech):
        side.desk.create("Bug", f"from {side.name}")
        three.export(side)
    (damaged,) = three.back(NORTH)
    three.back(SOUTH)
    damaged.write_bytes(damaged.read_bytes()[:-7] + b"changed")
    status, out, err = type_(three.acme, "import")
    assert status == ExitCode.PARTNER
    assert f"{damaged.name} cannot be taken" in err
    assert "south: 1 bundle applied" in out
    assert set(seen(three.acme)) == {"from initech"}


def shared_inbox(three: Three) -> None:
    """Both exchanges of acme's use one inbox."""
    for name in (NORTH, SOUTH):
        with three.acme.site.ledger.begin() as conn:
            x = streams.exchange_named(conn, name)
            assert x is not None
            streams.update_exchange(conn, x.id, inbox="")


def test_f54_f73_two_partners_on_one_inbox_take_nothing_from_each_other(three: Three) -> None:
    shared_inbox(three)
    for side in (three.globex, three.initech):
        side.desk.create("Bug", f"from {side.name}")
        three.export(side)
        for file in side.config.folders.outbox.iterdir():
            shutil.move(file, three.acme.config.folders.inbox / file.name)
    done = [three.import_(three.acme, name) for name in (NORTH, SOUTH)]
    assert [one.bundles for one in done] == [1, 1]
    assert set(seen(three.acme)) == {"from globex", "from initech"}
    assert not any(isinstance(event, Foreign | Damaged) for one in done for event in one.events), "both are ours"
    assert list(three.acme.config.folders.inbox.glob("[!.]*")) == []


def test_f54_f73_a_damaged_file_in_a_shared_inbox_is_told_of_by_whom_it_is_for(three: Three) -> None:
    shared_inbox(three)
    three.globex.desk.create("Bug", "Pump")
    three.export(three.globex)
    (file,) = three.globex.config.folders.outbox.iterdir()
    (three.acme.config.folders.inbox / file.name).write_bytes(file.read_bytes()[:-40])
    told = {
        name: [type(event) for event in three.import_(three.acme, name).events if isinstance(event, Damaged)]
        for name in (SOUTH, NORTH)
    }
    assert told == {SOUTH: [], NORTH: [Damaged]}


def test_what_is_in_doubt_on_one_exchange_is_told_to_the_other_once_it_is_not(three: Three) -> None:
    """The import of the north died, or is under way in another thread, while the export of the south looks."""
    three.initech.desk.create("Bug", "Fan")
    three.settle()
    three.globex.desk.create("Bug", "Pump")
    three.export(three.globex)
    three.back(NORTH)
    with crash(three.acme, "after create"):
        three.import_(three.acme, NORTH)
    assert not any(isinstance(event, Unpaired) for event in three.export(three.acme, SOUTH).events)
    three.import_(three.acme, NORTH)
    three.tell(SOUTH)
    assert seen(three.initech) == seen(three.globex)
