"""Folders that are watched, and the files that a site is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filesync.agent.events import Event
from filesync.agent.running.lanes import STILL
from filesync.agent.running.loop import Loop, listing
from filesync.agent.running.news import NotRead, NotWatched, ReadAgain
from filesync.agent.running.service import Bell
from filesync.agent.running.watch import Files, watching
from tests.loop.play import Play, nothing
from tests.loop.test_loop import EVERY
from tests.support.two_sites import EXCHANGE, World, two_sites


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites() as made:
        yield made


class Made:
    """Files of a site, under a clock of the test's."""

    def __init__(self, path: Path) -> None:
        self.now = 0.0
        self.told: list[Event] = []
        self.files = Files(path, lambda: self.now)

    def changed(self) -> bool:
        """Two looks, with a moment between them."""
        assert not self.files.changed([EXCHANGE], self.told.append), "not yet: it may be half written"
        self.now += STILL
        return self.files.changed([EXCHANGE], self.told.append)


def test_a_file_that_comes_into_a_watched_folder_rings(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "file").write_text("x")
    with Bell() as bell, watching([inbox], bell.ring, lambda event: pytest.fail(event.sentence())):
        (tmp_path / "file").rename(inbox / "file")
        bell.wait(600)  # ends with the ring


def test_f63_a_folder_that_cannot_be_watched_is_told_and_the_others_are_watched(tmp_path: Path) -> None:
    told: list[Event] = []
    with Bell() as bell, watching([tmp_path / "gone", tmp_path], bell.ring, told.append):
        (tmp_path / "file").write_text("x")
        bell.wait(600)
    assert [type(event) for event in told] == [NotWatched]
    assert "is found by a look every 10 s instead" in told[0].sentence()


def test_a_listing_leaves_out_what_is_hidden_and_a_folder_that_is_gone_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("four")
    (tmp_path / ".a.tmp").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert {(one.name, one.size) for one in listing(tmp_path)} >= {("a.tar", 4)}
    assert {one.name for one in listing(tmp_path)} == {"a.tar", "dangling"}
    assert listing(tmp_path / "gone") == frozenset()


@pytest.mark.parametrize("name", ["filesync.yaml", "contract.yaml", "mapping.yaml"])
def test_what_a_site_is_made_of_is_read_again_when_it_changed(world: World, name: str) -> None:
    path = world.globex.folder / name
    made = Made(world.globex.config.path)
    assert not made.changed()
    path.write_text(path.read_text() + "# looked through\n")
    assert made.changed()
    assert [event.sentence() for event in made.told if isinstance(event, ReadAgain)] == [
        f"changed: {name}; the site is opened again with what they say now"
    ]


@pytest.mark.parametrize("name", ["filesync.yaml", "contract.yaml", "mapping.yaml"])
def test_what_cannot_be_used_is_told_once_and_what_was_read_before_holds(world: World, name: str) -> None:
    path = world.globex.folder / name
    good = path.read_text()
    made = Made(world.globex.config.path)
    path.write_text(good + "nonsense: true\n")
    assert not made.changed()
    assert not made.changed()
    (event,) = made.told
    assert isinstance(event, NotRead)
    assert name in event.sentence()
    assert "What was read before holds" in event.sentence()
    path.write_text(good)
    assert made.changed()


def test_a_contract_that_goes_away_stops_nothing_and_one_that_comes_back_is_read(world: World) -> None:
    path = world.globex.folder / "contract.yaml"
    made = Made(world.globex.config.path)
    path.rename(path.with_suffix(".away"))
    assert not made.changed()
    path.with_suffix(".away").rename(path)
    assert made.changed()
    assert [type(event).__name__ for event in made.told] == ["NotRead", "ReadAgain"]


def test_rules_that_changed_end_the_loop_and_hold_from_the_next_one_on(world: World) -> None:
    globex = world.globex
    before = globex.site.paired(EXCHANGE).basis
    path = globex.folder / "mapping.yaml"
    edit = lambda: path.write_text(path.read_text() + "# looked through\n")  # noqa: E731 - an act
    play = Play(world.clock, [edit, nothing, nothing, nothing])
    files = Files(globex.config.path, lambda: play.now)
    loop = Loop(globex.site, schedule=EVERY, around=play.around())
    loop.run(changed=lambda: files.changed(loop.exchanges, lambda event: loop.say("", event)))
    assert not play.over, "it ended by itself"
    assert globex.site.paired(EXCHANGE).basis == before, "what this site was opened with holds to its end"
    assert play.kinds()[-1] == "ReadAgain"
    globex.reopen()
    assert globex.site.paired(EXCHANGE).basis != before
