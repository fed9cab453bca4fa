"""A winner that follows the value of another field: whoever is responsible for an issue, and how that is handed over."""

from __future__ import annotations

import pytest

from filesync.agent.contract.propose import accept, propose
from filesync.agent.events import Met
from filesync.agent.paired import Paired
from filesync.agent.upkeep.resync import resync
from tests.merge.scene import DEFAULT, contract, cross, only, refuse, refuse_create, refuse_nothing, shared, value
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

# acme settles; while an issue is minor, it is globex's
BY_SEVERITY = contract(
    ("\nwinner: first ", "\nwinner: {field: severity, acme: [Critical, Major], globex: [Minor], else: acme} "),
)
ACMES, GLOBEXS = "Major", "Minor"


def issue_of(world: World, severity: str) -> str:
    key = shared(world, "x")
    world.acme.desk.edit(key, {"severity": severity})
    world.send(world.acme)
    return key


def edit(side: Side, key: str, text: str) -> None:
    side.desk.edit(key, {"summary": text})


def told_at_once(world: World, key: str) -> None:
    """Both edit the summary and tell it; neither has heard of the other's yet."""
    for side, text in ((world.acme, "y"), (world.globex, "z")):
        edit(side, key, text)
        side.export()
    for side in world.sides:
        world.carry(to=side)


def stands(world: World, key: str, text: str) -> None:
    assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == text
    world.assert_in_step()


def test_a_crossing_is_won_by_whom_the_value_names_and_its_words_are_never_gone() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        key = issue_of(world, GLOBEXS)
        cross(world, acme=lambda: edit(world.acme, key, "y"), globex=lambda: edit(world.globex, key, "z"))
        assert [only(side.conflicts()).winner for side in world.sides] == ["globex", "globex"]
        stands(world, key, "z")  # at once, and with nothing more to tell

        key = issue_of(world, ACMES)
        cross(world, acme=lambda: edit(world.acme, key, "y"), globex=lambda: edit(world.globex, key, "z"))
        assert [side.conflicts()[-1].winner for side in world.sides] == ["acme", "acme"]
        world.settle()
        stands(world, key, "y")


def test_what_is_not_told_yet_stands_where_its_side_is_responsible() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        for severity, text in ((ACMES, "y"), (GLOBEXS, "z")):
            for first in world.sides:
                key = issue_of(world, severity)
                edit(world.acme, key, "y")
                edit(world.globex, key, "z")
                world.send(first)
                world.settle()
                stands(world, key, text)


def test_sides_that_hold_different_values_end_with_what_one_of_them_says() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        key = issue_of(world, ACMES)
        told_at_once(world, key)
        world.acme.desk.edit(key, {"severity": GLOBEXS})  # handed over, and globex does not know yet
        world.acme.import_()
        world.globex.import_()
        world.settle()
        stands(world, key, "z")

        key = issue_of(world, GLOBEXS)
        told_at_once(world, key)
        world.globex.desk.edit(key, {"severity": ACMES})  # given back, and acme, who settles, does not know yet
        world.acme.import_()
        world.globex.import_()
        world.settle()
        stands(world, key, "z")


def test_whoever_is_handed_an_issue_wins_with_the_edit_that_hands_it_over() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        key = issue_of(world, ACMES)
        cross(
            world,
            acme=lambda: edit(world.acme, key, "y"),
            globex=lambda: world.globex.desk.edit(key, {"summary": "z", "severity": GLOBEXS}),
        )
        world.settle()
        stands(world, key, "z")


def test_who_wins_the_value_that_decides_is_always_the_same_side() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        key = issue_of(world, GLOBEXS)
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"summary": "y", "severity": ACMES}),
            globex=lambda: world.globex.desk.edit(key, {"summary": "z", "severity": "Cosmetic"}),
        )
        world.settle()
        assert value(world.globex, key, "severity") == ACMES
        stands(world, key, "y")


def test_a_crossing_that_is_skipped_by_the_side_that_settles_sends_its_value() -> None:
    with two_sites(contract=BY_SEVERITY) as world:
        key = issue_of(world, GLOBEXS)
        told_at_once(world, key)
        refuse(world.acme, "summary")
        world.acme.import_()
        refuse_nothing(world.acme)
        world.globex.import_()
        assert (value(world.acme, key, "summary"), value(world.globex, key, "summary")) == ("y", "z")
        world.acme.skip(only(world.acme.stuck()).mark)
        world.settle()
        stands(world, key, "y")


@pytest.mark.parametrize(("before", "after", "text"), [(DEFAULT, BY_SEVERITY, "y"), (BY_SEVERITY, DEFAULT, "z")])
def test_what_one_side_decided_under_another_winner_the_other_does_not_decide_anew(before: str, after: str, text: str) -> None:
    with two_sites(contract=before) as world:
        acme, globex = world.sides
        key = issue_of(world, GLOBEXS)
        globex.desk.edit(key, {"environment": "refused at acme"})
        globex.export()
        refuse(acme, "environment")
        told_at_once(world, key)
        globex.import_()
        acme.import_()
        assert len(acme.queued()) == 2, "globex's summary waits behind what is stuck"
        (acme.folder / "new.yaml").write_text(after.replace("version: 1 ", "version: 2 "))
        propose(acme.site, EXCHANGE, acme.folder / "new.yaml", mapping=None, message="")
        world.carry(to=globex)
        globex.import_()
        accept(globex.site, EXCHANGE, mapping=None)
        world.carry(to=acme)
        told = [one for one in acme.import_().events if isinstance(one, Met)]
        met = only(acme.conflicts())
        assert (met.key, met.field, met.ours, met.theirs, met.rule) == (key, "summary", "y", "z", "crossing")
        assert [one.field for one in told] == ["summary"]
        assert met.winner == only(globex.conflicts()).winner
        world.settle()
        stands(world, key, text)
        assert len(acme.conflicts()) == 1


# ── one side alone may edit: the pen ────────────────────────────────────────────────────────────────────────────────

WITH_PEN = BY_SEVERITY.replace("else: acme}", "else: acme, pen: true}")


@pytest.mark.parametrize("severity", [ACMES, GLOBEXS])
def test_an_edit_of_the_side_without_the_pen_is_put_back_once(severity: str) -> None:
    with two_sites(contract=WITH_PEN) as world:
        key = issue_of(world, severity)
        holds, other = world.sides if severity == ACMES else reversed(world.sides)
        edit(other, key, "y")
        world.send(other)
        assert [(met.winner, met.rule) for met in holds.conflicts()] == [(holds.name, "one-way")]
        assert holds.export().changes == 1
        world.carry(to=other)
        other.import_()
        stands(world, key, "x")
        edit(holds, key, "z")
        world.settle()
        stands(world, key, "z")


def test_the_pen_is_handed_over_and_taken_with_an_edit_of_the_value() -> None:
    with two_sites(contract=WITH_PEN) as world:
        key = issue_of(world, ACMES)
        world.acme.desk.edit(key, {"summary": "y", "severity": GLOBEXS})  # the last word of acme's
        world.settle()
        stands(world, key, "y")
        edit(world.acme, key, "acme's no more")
        world.settle()
        stands(world, key, "y")
        world.acme.desk.edit(key, {"summary": "z", "severity": ACMES})
        world.settle()
        stands(world, key, "z")


def test_what_cannot_be_told_and_so_is_not_put_back_is_shown_where_it_was_set_until_the_side_with_the_pen_speaks() -> None:
    with two_sites(contract=WITH_PEN.replace("[Highest, ", "[")) as world:
        key = issue_of(world, ACMES)
        world.acme.desk.edit(key, {"priority": "High"})
        world.send(world.acme)
        for summary in ("at acme", "and once more"):  # acme's to edit, too, and put back
            world.globex.desk.edit(key, {"priority": "Highest", "summary": summary})
            told = only([one for one in world.globex.export().events if isinstance(one, Met)])
            world.settle()
        assert "each side keeps its own until acme edits it" in told.sentence()
        met = only(world.globex.conflicts())
        assert (met.key, met.field, met.ours, met.winner) == (key, "priority", "Highest", "acme")
        assert [value(side, key, "priority") for side in world.sides] == ["High", "Highest"]
        resync(world.acme.site, EXCHANGE, query="", fields=["priority"], status=False)
        world.settle()
        assert value(world.globex, key, "priority") == "High"
        world.globex.desk.edit(key, {"severity": GLOBEXS, "priority": "Highest"})  # takes the pen with it
        assert [one for one in world.globex.export().events if isinstance(one, Met)] == []


def test_two_sides_that_both_hold_the_pen_do_not_answer_each_other_for_ever() -> None:
    own = "fields: {severity: {field: severity, way: out}}\n"  # globex never hears who holds it
    with two_sites(contract=WITH_PEN, mappings=("", own)) as world:
        key = shared(world, "x")
        for side, severity in ((world.globex, GLOBEXS), (world.acme, ACMES)):
            side.desk.edit(key, {"severity": severity})
            world.settle()
        for side, text in ((world.acme, "y"), (world.globex, "z")):
            edit(side, key, text)
            world.settle()
            assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "y"
            assert world.round() == 0


def test_nobody_but_the_site_of_else_has_the_last_word_whatever_a_bundle_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites(contract=WITH_PEN) as world:
        key = issue_of(world, ACMES)
        edit(world.globex, key, "y")
        with monkeypatch.context() as lying:
            lying.setattr(Paired, "holds", lambda _paired, _fields: frozenset({"summary"}))
            world.send(world.globex)
        world.settle()
        stands(world, key, "x")


def test_what_is_left_of_an_edit_is_put_back_too() -> None:
    with two_sites(contract=WITH_PEN) as world:
        key = issue_of(world, ACMES)
        refuse_create(world.acme, "late")
        other = world.globex.desk.create("Bug", "late")
        world.send(world.globex)
        edit(world.globex, key, "y")
        world.globex.desk.link(key, "blocks", other)
        world.send(world.globex)
        refuse_nothing(world.acme)
        world.acme.retry()
        world.settle()
        stands(world, key, "x")
        assert [side.desk.show(key).links for side in world.sides] == [(), ()]


def test_an_issue_is_made_and_walked_where_the_other_side_has_the_pen() -> None:
    with two_sites(contract=WITH_PEN) as world:
        key = world.globex.desk.create("Bug", "new", {"severity": ACMES})
        world.globex.desk.transition(key, "In Progress")
        world.settle()
        (there,) = world.acme.issues()
        assert (there.fields["summary"], there.fields["status"]) == ("new", "In Progress")
        world.assert_in_step()
