"""What few may see is never carried to where all do: comments, worklogs, whole issues."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from filesync.agent.contract.propose import accept, propose
from filesync.agent.contract.turn import Turn
from filesync.agent.outgoing.departures import Withheld
from filesync.model.change import Set, Told
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue, Item
from filesync.trackers.base import Tracker
from tests.merge.scene import comments, contract, keys, shared, value
from tests.rules.build import ACME, rules
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

SECRET = "secret"


class Restricting:
    """The real tracker, which shows to few what has a certain word in it, as Jira does with roles and security levels."""

    def __init__(self, real: Tracker) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def offered(self) -> Collection[str]:
        return {*self._real.offered(), "security"}

    def get(self, issue: str) -> Issue | None:
        found = self._real.get(issue)
        return None if found is None else _restricted(found)

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        for local, found in self._real.get_all(issues):
            yield local, None if found is None else _restricted(found)


def _restricted(issue: Issue) -> Issue:
    return replace(
        issue,
        item=_item(issue.item, "summary", "security"),
        children=tuple(_item(one, "body", "visibility") for one in issue.children),
    )


def _item(item: Item, text: str, restriction: str) -> Item:
    seen_by = {restriction: "Staff"} if SECRET in str(item.fields.get(text)) else {}
    return replace(item, fields={**item.fields, **seen_by})


def restricting(side: Side) -> None:
    side.site.tracker.real = Restricting(side.site.tracker.real)  # type: ignore[attr-defined]


def withheld(world: World) -> list[tuple[str, str]]:
    return [(one.key, one.kind) for one in world.acme.export().events if isinstance(one, Withheld)]


def test_trap32_a_comment_that_few_may_see_stays_at_home_until_all_may() -> None:
    with two_sites() as world:
        restricting(world.acme)
        key = shared(world)
        number = world.acme.desk.comment(key, "a secret")
        world.acme.desk.comment(key, "said to all")
        assert withheld(world) == [(key, "comment")]
        world.carry(to=world.globex)
        world.globex.import_()
        assert comments(world.globex, key) == ["said to all"]
        world.acme.desk.edit_comment(key, number, "known to all")
        world.send(world.acme)
        assert sorted(map(str, comments(world.globex, key))) == ["known to all", "said to all"]
        world.assert_in_step()


def test_trap32_what_became_restricted_is_neither_edited_nor_deleted_at_the_partner() -> None:
    with two_sites() as world:
        restricting(world.acme)
        key = shared(world)
        number = world.acme.desk.comment(key, "said to all")
        world.send(world.acme)
        world.acme.desk.edit_comment(key, number, "now a secret")
        world.send(world.acme)
        assert comments(world.globex, key) == ["said to all"]
        world.acme.desk.delete_comment(key, number)
        world.send(world.acme)
        assert comments(world.globex, key) == []


def test_trap32_of_an_issue_that_few_may_see_nothing_is_told() -> None:
    with two_sites() as world:
        restricting(world.acme)
        key = world.acme.desk.create("Bug", "a secret")
        world.acme.desk.comment(key, "said on it")
        assert (key, "issue") in withheld(world)
        world.carry(to=world.globex)
        world.globex.import_()
        assert keys(world.globex) == []
        world.acme.desk.edit(key, {"summary": "known"})
        world.send(world.acme)
        assert value(world.globex, key, "summary") == "known"
        assert comments(world.globex, key) == ["said on it"]
        world.assert_in_step()


def test_trap32_an_issue_that_becomes_restricted_falls_silent_and_still_takes() -> None:
    with two_sites() as world:
        restricting(world.acme)
        key = shared(world)
        world.acme.desk.edit(key, {"summary": "a secret", "description": "x"})
        world.acme.desk.comment(key, "said on it")
        world.send(world.acme)
        assert (value(world.globex, key, "summary"), comments(world.globex, key)) == ("first", [])
        world.globex.desk.edit(key, {"environment": "lab"})
        world.send(world.globex)
        assert value(world.acme, key, "environment") == "lab"


CARRIED = contract(("  parent: {kind: parent}\n", "  parent: {kind: parent}\n  security: {kind: option, options: [Staff]}\n"))


def test_trap32_an_issue_for_few_is_not_made_where_all_would_see_it() -> None:
    with two_sites(contract=CARRIED) as world:
        restricting(world.acme)
        world.acme.desk.create("Bug", "a secret")
        world.acme.desk.create("Bug", "known")
        assert withheld(world) == []  # the contract has a word for who may see it
        world.carry(to=world.globex)
        world.globex.import_()
        assert [value(world.globex, key, "summary") for key in keys(world.globex)] == ["known"]
        (stuck,) = world.globex.stuck()
        assert "it is not made, for all would see it" in str(stuck.reason)


def test_trap32_an_issue_is_not_edited_where_the_level_that_came_with_the_edit_cannot_be_kept() -> None:
    with two_sites(contract=CARRIED) as world:
        restricting(world.acme)
        key = shared(world)
        world.acme.desk.edit(key, {"summary": "a secret", "environment": "the vault"})
        world.send(world.acme)
        assert (value(world.globex, key, "summary"), value(world.globex, key, "environment")) == ("first", None)
        (stuck,) = world.globex.stuck()
        assert "nothing of this change is written, for others would see it" in str(stuck.reason)


def test_trap32_what_few_may_see_and_waits_is_not_made_for_all_by_another_contract() -> None:
    """The contract that comes into force has no word any more for who may see them."""
    few = CARRIED.replace("# visibilities: [partners] ", "visibilities: [Staff] ")
    assert few != CARRIED
    with two_sites(contract=few) as world:
        restricting(world.acme)
        key = shared(world)
        number = world.acme.desk.comment(key, "said to all")
        world.settle()
        world.acme.desk.edit_comment(key, number, "now a secret")
        world.acme.desk.comment(key, "a secret from the start")
        world.acme.desk.create("Bug", "a secret issue")
        world.acme.desk.edit(key, {"summary": "a secret, too", "environment": "the vault"})
        world.send(world.acme)
        assert len(world.globex.stuck()) == 4
        (world.acme.folder / "new.yaml").write_text(contract(("version: 1 ", "version: 2 ")))
        propose(world.acme.site, EXCHANGE, world.acme.folder / "new.yaml", mapping=None, message="so")
        world.carry(to=world.globex)
        world.globex.import_()
        accept(world.globex.site, EXCHANGE)
        world.globex.retry()
        assert [value(world.globex, one, "summary") for one in keys(world.globex)] == ["first"]
        assert value(world.globex, key, "environment") is None
        assert comments(world.globex, key) == ["said to all"]
        assert len(world.globex.stuck()) == 4


def test_trap32_who_may_see_what_waits_is_said_in_the_words_of_the_contract_that_comes(tmp_path: Path) -> None:
    text = "version: 1\ntypes: [Bug]\nvisibilities: [{}]\nfields: {{}}\n"
    old = rules(tmp_path, text.format("ours, both, gone"), "visibilities: {Staff: ours, Users: both, Boss: gone}\n")
    new = rules(tmp_path, text.format("team, both, all"), "visibilities: {Staff: team, Users: both, Boss: all, Public: all}\n")
    gid = Gid(f"{ACME.id}/comment/4/1")
    said = {}
    for word in ("ours", "both", "gone", "never"):
        edit = Set(n=1, gid=gid, fields={"visible_to": Told(word), "body": Told("hush")})
        now = Turn(old, new).change(edit, {})
        assert isinstance(now, Set)
        assert now.fields["body"] == Told("hush")
        said[word] = now.fields["visible_to"].now
    assert said == {"ours": "team", "both": "both", "gone": "all", "never": "never"}


def test_trap32_a_word_that_stands_for_others_by_then_shows_them_nothing_that_waits(tmp_path: Path) -> None:
    text = "version: 1\ntypes: [Bug]\nvisibilities: [a, b]\nfields: {}\n"
    old = rules(tmp_path, text, "visibilities: {Staff: a, Public: b}\n")
    edit = Set(n=1, gid=Gid(f"{ACME.id}/comment/4/1"), fields={"visible_to": Told("a"), "body": Told("hush")})
    said = []
    for mapping in ("{Staff: b, Public: a}", "{Public: a}"):
        new = rules(tmp_path, text, f"visibilities: {mapping}\n")
        now = Turn(old, new).change(edit, {})
        assert isinstance(now, Set)
        said.append(new.inward(Kind.COMMENT, {"visible_to": now.fields["visible_to"].now}, lambda _: None))
    assert list(said[0].fields.values()) == ["Staff"]
    assert (list(said[1].fields), list(said[1].refused)) == ([], ["visible_to"])
