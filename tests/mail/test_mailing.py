"""What needs a person is mailed once, and once more when it is over; and mail that fails holds up nothing and loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.agent.contract.propose import decline, propose
from filesync.agent.events import Event
from filesync.agent.mailing.digest import Digest, digest, lines, subject
from filesync.agent.mailing.events import Mailed as Sent
from filesync.agent.mailing.events import NotMailed
from filesync.agent.mailing.found import Finding, Found
from filesync.agent.mailing.post import mail_failure
from filesync.agent.mailing.remembered import Remembered, Row
from filesync.agent.running.loop import Loop
from filesync.agent.upkeep.stuck import retry
from filesync.errors import DiskProblem, Locked, StorageFailure, Unavailable
from filesync.ledger.journal import Conflict
from filesync.ledger.since import Place
from filesync.mail.settings import Topic
from filesync.model.ids import Gid, Mark
from tests.loop.play import Play, nothing
from tests.mail.office import Office
from tests.mail.scene import EVERY, Mailed, told_to_mail
from tests.merge.scene import DEFAULT
from tests.support.two_sites import EXCHANGE, Crash, Side, World

OURS, THEIRS = "Bearing too hot\nBcc: otto@globex.example\n\nGrüße", "Pump overheats\x1b[31m\n.\nQUIT"


def share_a_bug(world: World) -> str:
    key = world.acme.desk.create("Bug", "Pump")
    world.send(world.acme)
    return key


def meet(world: World) -> None:
    """Edits of both sides of one text, of which acme's comes to globex."""
    key = share_a_bug(world)
    world.acme.desk.edit(key, {"description": THEIRS})
    world.globex.desk.edit(key, {"description": OURS})
    world.acme.export()
    world.carry(to=world.globex)


def test_f116_edits_that_met_are_mailed_once_and_their_values_stay_at_home(globex: Mailed) -> None:
    meet(globex.world)
    assert globex.once() == ["1 edit met"]
    assert (
        "- main: ABC-1: description was edited here, and not sent yet when theirs came; acme's value stands." in globex.text()
    )
    assert "filesync conflicts" in globex.text()
    assert not any(word in globex.text() for word in ("Bearing", "overheats"))
    assert globex.once() == globex.once() == []
    (letter,) = globex.office.letters
    assert letter["To"] == "anna@globex.example"
    assert [type(event) for event in globex.told if isinstance(event, Sent | NotMailed)] == []


def test_values_that_are_to_be_mailed_are_lines_of_ours_whatever_they_hold(globex: Mailed, made: Office) -> None:
    told_to_mail(globex.side, made, "  values: true\n")
    meet(globex.world)
    assert globex.once() == ["1 edit met"]
    (letter,) = made.letters
    assert {name.lower() for name in letter} <= {
        "subject", "from", "to", "date", "message-id", "auto-submitted", "content-type", "content-transfer-encoding",
        "mime-version", "x-peer", "x-mailfrom", "x-rcptto",
    }  # fmt: skip
    assert r"    ours:   Bearing too hot\nBcc: otto@globex.example\n\nGrüße" in globex.text().splitlines()
    assert r"    theirs: Pump overheats\x1b[31m\n.\nQUIT" in globex.text().splitlines()


def test_what_is_refused_is_mailed_once_and_once_more_when_it_is_over(globex: Mailed) -> None:
    globex.side.faults.refuse = lambda _call, _what: "no such component: Ka7narienvogel"
    globex.world.acme.desk.create("Bug", "Pump")
    globex.world.acme.export()
    globex.world.carry(to=globex.side)
    assert globex.once() == ["1 to look at"]
    assert "- main: ABC-1: change 0001.0000000001.000001 is refused" in globex.text()
    assert "filesync stuck retry 0001.0000000001.000001" in globex.text()
    assert "Ka7narienvogel" not in globex.text(), "the tracker's words may quote a value"
    retry(globex.side.site, EXCHANGE, None)
    globex.side.reopen()
    assert globex.once() == [], "it is refused still"
    globex.side.faults.refuse = lambda _call, _what: None
    retry(globex.side.site, EXCHANGE, None)
    assert globex.once() == ["1 over"]
    assert "Over: 1\n- main: ABC-1: change 0001.0000000001.000001 is refused" in globex.text()


def test_a_gap_is_mailed_after_the_grace_with_the_command_that_mends_it(globex: Mailed) -> None:
    acme = globex.world.acme
    acme.desk.create("Bug", "Pump")
    acme.export()
    (lost,) = acme.config.folders.outbox.iterdir()
    kept = shutil.move(lost, acme.folder / lost.name)
    acme.desk.create("Bug", "Valve")
    acme.export()
    globex.world.carry(to=globex.side)
    assert globex.once() == []
    globex.world.clock.advance(hours=2)
    assert globex.once() == ["1 to look at"]
    assert "Ask acme to run: filesync resend globex 1" in globex.text()
    globex.world.clock.advance(hours=2)
    assert globex.once() == []
    shutil.move(kept, globex.side.config.folders.inbox)
    assert globex.once() == ["1 over"]


def test_a_contract_that_waits_is_mailed_to_those_who_are_to_answer(globex: Mailed) -> None:
    acme, side = globex.world.sides

    def proposes(one: Side, version: int) -> None:
        (one.folder / "next.yaml").write_text(DEFAULT.replace("version: 1 ", f"version: {version} "))
        propose(one.site, EXCHANGE, one.folder / "next.yaml", mapping=None, message="we need it")

    proposes(acme, 2)
    acme.export()
    globex.world.carry(to=side)
    assert globex.once() == ["1 to look at"]
    assert "filesync contract show" in globex.text()
    assert globex.once() == globex.once() == []
    decline(side.site, EXCHANGE, message="not now")
    assert globex.once() == ["1 over"]
    proposes(side, 3)
    assert globex.once() == globex.once() == [], "it is theirs to answer"


def test_a_damaged_file_is_mailed(globex: Mailed) -> None:
    acme = globex.world.acme
    acme.desk.create("Bug", "Pump")
    acme.export()
    globex.world.carry(to=globex.side)
    (file,) = globex.side.config.folders.inbox.iterdir()
    file.write_bytes(file.read_bytes().replace(b"Pump", b"Pimp")[:-1] + b"x")
    assert globex.once() == ["1 to look at"]
    assert f"{file.name} cannot be taken" in globex.text()
    globex.world.clock.advance(hours=2)
    assert globex.once() == []


def test_f8_a_partner_that_is_silent_for_too_long_is_mailed(globex: Mailed) -> None:
    share_a_bug(globex.world)
    assert globex.once() == []
    globex.world.clock.advance(days=2)
    assert globex.once() == ["1 partner silent"]
    assert "nothing has come from acme since 2026-11-23 09:00 UTC" in globex.text()
    globex.world.clock.advance(days=1)
    assert globex.once() == []
    globex.world.acme.desk.create("Bug", "Valve")
    globex.world.acme.export()
    globex.world.carry(to=globex.side)
    assert globex.once() == ["1 over"]


def test_a_partner_of_whom_nothing_ever_came_is_silent_too(globex: Mailed) -> None:
    assert globex.once() == []
    globex.world.clock.advance(days=1, hours=23)
    assert globex.once() == []
    globex.world.clock.advance(hours=1)
    assert globex.once() == ["1 partner silent"]
    assert "nothing has come from acme yet, ever." in globex.text()
    share_a_bug(globex.world)
    assert globex.once() == ["1 over"]


def test_a_tracker_that_is_away_is_mailed_when_that_lasts(globex: Mailed) -> None:
    def down(place: str) -> None:
        if place == "before changed":
            raise Unavailable("the tracker does not answer", hint="Is it up?")

    globex.side.faults.strike = down
    assert globex.once() == []
    globex.world.clock.advance(minutes=16)
    assert globex.once() == ["1 to look at"]
    assert "- main: export fails: the tracker does not answer." in globex.text()
    globex.world.clock.advance(minutes=16)
    assert globex.once() == []
    globex.side.faults.strike = lambda _: None
    assert globex.once() == ["1 over"]
    globex.side.faults.strike = down
    assert globex.once() == []
    globex.side.faults.strike = lambda _: None
    assert globex.once() == [], "over before anybody heard of it"


def test_mail_that_fails_is_told_holds_up_nothing_and_comes_with_the_next_pass(globex: Mailed) -> None:
    globex.office.refuses = {"anna@globex.example"}
    meet(globex.world)
    assert globex.once() == []
    (told,) = [event for event in globex.told if isinstance(event, NotMailed)]
    assert "takes no mail for anna@globex.example (550 no such person here)" in told.sentence()
    assert "It is tried again after the next import or export" in told.sentence()
    (item,) = globex.side.issues()
    assert item.fields["description"] == THEIRS, "what came is applied"
    globex.office.refuses = set()
    globex.side.reopen()
    assert globex.once() == ["1 edit met"]
    assert globex.once() == []


def test_a_crash_between_letter_and_ledger_doubles_it_and_loses_nothing(globex: Mailed) -> None:
    meet(globex.world)

    def crash(place: str) -> None:
        if place == "before commit" and globex.office.letters:
            raise Crash

    globex.side.faults.strike = crash
    with pytest.raises(Crash):
        globex.once()
    globex.side.faults.strike = lambda _: None
    globex.side.reopen()
    assert globex.once() == ["1 edit met"]
    assert globex.office.subjects() == ["1 edit met", "1 edit met"]
    assert globex.once() == []


def test_a_run_writes_while_it_works_and_tells_of_a_server_that_takes_nothing_once(globex: Mailed) -> None:
    globex.office.full = True
    meet(globex.world)
    play = Play(globex.world.clock, [*[nothing] * 30, lambda: setattr(globex.office, "full", False), *[nothing] * 10])
    Loop(globex.side.site, schedule=EVERY, around=play.around()).run(changed=lambda: False)
    assert [kind for kind in play.kinds() if kind in {"Mailed", "NotMailed"}] == ["NotMailed", "Mailed"]
    assert globex.office.subjects() == ["1 edit met"]


def test_what_happened_before_there_was_mail_is_no_news(world: World, made: Office) -> None:
    meet(world)
    world.globex.import_()
    told_to_mail(world.globex, made)
    globex = Mailed(world, made)
    assert globex.once() == []


def test_only_what_was_asked_for_is_mailed(globex: Mailed, made: Office) -> None:
    told_to_mail(globex.side, made, "  what: [silence]\n  silence: 5d\n")
    meet(globex.world)
    globex.side.faults.refuse = lambda call, _what: "no" if call == "apply" else None
    assert globex.once() == []
    globex.world.clock.advance(days=4)
    assert globex.once() == []
    globex.world.clock.advance(days=1)
    assert globex.once() == ["1 partner silent"]


def test_a_site_that_cannot_be_opened_is_mailed_once_and_over_when_it_can(globex: Mailed) -> None:
    side, told = globex.side, list[Event]()

    def fails(error: DiskProblem | Locked) -> list[str]:
        before = len(globex.office.letters)
        mail_failure(side.config, error, clock=globex.world.clock, random=side.site.random, tell=told.append)
        return globex.office.subjects()[before:]

    gone = DiskProblem("no folder 'archive'", hint="Is the share connected?")
    assert fails(gone) == [], "whoever works there tells it"
    side.site.close()
    assert fails(Locked("in use")) == []
    assert fails(gone) == ["1 to look at"]
    assert "- nothing is sent or applied: no folder 'archive'. Is the share connected?" in globex.text()
    assert fails(gone) == []
    assert fails(StorageFailure("the disk failed")) == ["1 to look at"], "and nothing is written to it"
    side.reopen()
    assert globex.once() == ["1 over"]
    assert [event.sentence() for event in told] == ["mailed to 1 address: 1 to look at"] * 2
    side.site.close()
    side.config.folders.ledger.unlink()
    assert [fails(gone), fails(gone)] == [["1 to look at"]] * 2, "there is nothing that remembers"
    side.site = side.open_site()


def test_a_day_without_the_same_words_makes_them_news_again_and_nothing_grows_for_ever() -> None:
    warned = Finding(exchange="main", topic=Topic.TROUBLE, text="a file could not be moved")
    day, hour = 86_400_000_000, 3_600_000_000

    def judged(before: Remembered, *, now: int, there: bool = True) -> Digest:
        found = Found(place=Place(), met=(), findings={"main x": warned} if there else {}, whole=frozenset())
        return digest(before, found, now=now)

    first = judged(Remembered(place=Place()), now=hour)
    assert first.new == [warned]
    again = judged(first.told, now=day)
    assert again.empty
    assert judged(again.told, now=day + 23 * hour).empty, "it was found meanwhile"
    assert judged(again.told, now=day + 23 * hour, there=False).told.rows
    assert not judged(again.told, now=2 * day, there=False).told.rows


def test_what_lasted_on_an_exchange_that_was_ended_is_forgotten() -> None:
    lasts = Row(exchange="main", text="a gap", ends="import", since=1, seen=1, sent=1)
    before = Remembered(place=Place(), rows={"main x": lasts})

    def left(exchanges: frozenset[str] | None) -> Mapping[str, Row]:
        found = Found(place=Place(), met=(), findings={}, whole=frozenset(), exchanges=exchanges)
        one = digest(before, found, now=2)
        assert one.empty
        return one.told.rows

    assert left(None) == left(frozenset({"main"})) == before.rows
    assert left(frozenset({"other"})) == {}


@given(sizes=st.lists(st.integers(0, 400), min_size=3, max_size=3))
def test_a_letter_of_much_says_how_much_and_stays_short(sizes: list[int]) -> None:
    trouble, over, met = sizes
    conflict = Conflict(
        at=0, mark=Mark("m"), gid=Gid("g"), key="ABC-1", field="f", ours="o", theirs="t", winner="acme", rule="crossing"
    )
    row = Row(exchange="main", text="a gap", ends="import", since=0, seen=0, sent=1)
    nothing_known = Remembered(place=Place())
    one = Digest(
        met=[("main", conflict)] * met,
        new=[Finding(exchange="main", topic=Topic.TROUBLE, text="a thing")] * trouble,
        over=[row] * over,
        more=False,
        told=nothing_known,
        untold=nothing_known,
    )
    text = list(lines(one, values=False))
    assert len([line for line in text if line.startswith("- ")]) <= 3 * 101
    more = {int(line.split()[2]) for line in text if line.startswith("- and ")}
    assert more == {size - 100 for size in sizes if size > 100}
    assert {int(word) for part in subject(one).split(", ") for word in part.split() if word.isdigit()} == {
        s for s in sizes if s
    }
