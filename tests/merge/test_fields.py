"""Edits of fields that meet. acme's name sorts first: under the contract that `filesync init` writes, its values win."""

from filesync.agent.events import LandedDifferently, Met
from tests.merge.scene import DRIFT, GUARD, contract, cross, events, only, shared, value
from tests.support.two_sites import World, two_sites

# globex keeps the contract's `environment` in a field of one line, from which its tracker cuts the blanks at the end
ONE_LINE = "fields: {customer_reference: environment, environment: customer_reference}\n"

LOSSY = contract(("options: [Critical, Major, Minor, Cosmetic]", "options: [High, Low]"))
BOTH_HIGH = "fields: {severity: {field: severity, options: {Critical: High, Major: High, Minor: Low, Cosmetic: Low}}}\n"


def test_keep_then_user_undoes_edit() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.acme.desk.edit(key, {"summary": "y"})
        world.globex.desk.edit(key, {"summary": "z"})
        done = world.send(world.globex)
        assert [event.winner for event in events(done, Met)] == ["acme"]
        assert value(world.acme, key, "summary") == "y"
        world.acme.desk.edit(key, {"summary": "x"})  # back to what the ledger knew before z came
        world.settle()
        assert value(world.globex, key, "summary") == "x"
        world.assert_in_step()


def test_told_then_user_sets_partners_value() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.acme.desk.edit(key, {"summary": "y"})
        world.globex.desk.edit(key, {"summary": "z"})
        world.acme.export()
        world.globex.export()
        world.acme.desk.edit(key, {"summary": "z"})  # by hand, before globex's z has come
        world.carry(to=world.acme)
        world.acme.import_()
        world.settle()
        assert value(world.globex, key, "summary") == value(world.acme, key, "summary") == "z"
        world.assert_in_step()


def test_crossing_edits_one_winner() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"summary": "y"}),
            globex=lambda: world.globex.desk.edit(key, {"summary": "z"}),
        )
        for side, ours, theirs in ((world.acme, "y", "z"), (world.globex, "z", "y")):
            met = only(side.conflicts())
            assert (met.ours, met.theirs, met.winner, met.rule, met.field) == (ours, theirs, "acme", "crossing", "summary")
            assert value(side, key, "summary") == "y"
        world.assert_in_step()


def test_an_edit_written_on_the_partners_value_does_not_cross() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        world.globex.desk.edit(key, {"summary": "z"})  # its author had seen y
        world.send(world.globex)
        assert value(world.acme, key, "summary") == "z"
        assert world.acme.conflicts() == world.globex.conflicts() == []
        world.assert_in_step()


def test_unsent_edit_loses_and_is_reported() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.globex.desk.edit(key, {"summary": "z"})
        world.acme.desk.edit(key, {"summary": "y"})
        done = world.send(world.acme)
        assert value(world.globex, key, "summary") == "y"
        met = only(world.globex.conflicts())
        assert (met.ours, met.theirs, met.winner, met.rule) == ("z", "y", "acme", "unsent")
        event = only(events(done, Met))
        assert event.sentence() == (
            f"{key}: summary was edited here, and not sent yet when theirs came; acme's value stands. Both are in: filesync conflicts"
        )
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_group_edit_mixed_winners() -> None:
    with two_sites(contract=contract(("description: {kind: text}", "description: {kind: text, winner: globex}"))) as world:
        key = shared(world, "x")
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"summary": "of acme", "description": "of acme"}),
            globex=lambda: world.globex.desk.edit(key, {"summary": "of globex", "description": "of globex"}),
        )
        for side in world.sides:
            assert value(side, key, "summary") == "of acme"
            assert value(side, key, "description") == "of globex"
            assert {met.field: met.winner for met in side.conflicts()} == {"summary": "acme", "description": "globex"}
        world.assert_in_step()


def test_elements_of_a_set_do_not_meet() -> None:
    with two_sites() as world:
        key = shared(world)
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"labels:a": True}),
            globex=lambda: world.globex.desk.edit(key, {"labels:b": True}),
        )
        for side in world.sides:
            assert value(side, key, "labels:a") is value(side, key, "labels:b") is True
            assert side.conflicts() == []
        world.assert_in_step()


def test_one_way_drift_is_silent() -> None:
    with two_sites(contract=DRIFT) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"cost_estimate": "10"})
        world.send(world.acme)
        world.globex.desk.edit(key, {"cost_estimate": "99"})
        assert world.globex.export().changes == 0
        assert value(world.globex, key, "cost_estimate") == "99"
        world.acme.desk.edit(key, {"cost_estimate": "11"})
        done = world.send(world.acme)
        assert value(world.globex, key, "cost_estimate") == "11"
        assert events(done, Met) == []
        world.assert_in_step()


def test_one_way_guard_answers_once() -> None:
    with two_sites(contract=GUARD) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"cost_estimate": "10"})
        world.send(world.acme)
        world.globex.desk.edit(key, {"cost_estimate": "99"})
        done = world.send(world.globex)
        assert [(event.winner, event.rule) for event in events(done, Met)] == [("acme", "one-way")]
        assert value(world.acme, key, "cost_estimate") == "10"
        assert world.acme.export().changes == 1
        world.carry(to=world.globex)
        world.globex.import_()
        assert value(world.globex, key, "cost_estimate") == "10"
        assert world.globex.export().changes == world.acme.export().changes == 0
        world.assert_in_step()


def test_a_crossing_edit_at_the_source_of_a_guarded_field_is_the_answer() -> None:
    with two_sites(contract=GUARD) as world:
        key = shared(world)
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"cost_estimate": "10"}),
            globex=lambda: world.globex.desk.edit(key, {"cost_estimate": "99"}),
        )
        assert value(world.globex, key, "cost_estimate") == value(world.acme, key, "cost_estimate") == "10"
        assert world.acme.export().changes == 0
        world.assert_in_step()


def test_lossy_option_keeps_local_choice() -> None:
    with two_sites(contract=LOSSY, mappings=(BOTH_HIGH, BOTH_HIGH)) as world:
        key = shared(world)
        cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"severity": "Critical"}),
            globex=lambda: world.globex.desk.edit(key, {"severity": "Major"}),  # the same word of the contract
        )
        assert value(world.acme, key, "severity") == "Critical"
        assert value(world.globex, key, "severity") == "Major"
        assert world.acme.conflicts() == world.globex.conflicts() == []
        world.acme.desk.edit(key, {"severity": "Major"})  # still the same word: nothing to tell
        assert world.acme.export().changes == 0
        world.assert_in_step()
        world.acme.desk.edit(key, {"severity": "Cosmetic"})
        world.send(world.acme)
        assert value(world.globex, key, "severity") == "Minor"  # the one named first
        world.assert_in_step()


def _sent_with_blanks(world: World) -> str:
    key = shared(world)
    world.acme.desk.edit(key, {"environment": "pump 7   "})
    done = world.send(world.acme)
    assert value(world.globex, key, "customer_reference") == "pump 7"
    event = only(events(done, LandedDifferently))
    assert event == LandedDifferently(key=key, field="environment")
    return key


def test_normalised_value_does_not_echo() -> None:
    with two_sites(mappings=("", ONE_LINE)) as world:
        key = _sent_with_blanks(world)
        assert world.globex.export().changes == 0
        assert value(world.acme, key, "environment") == "pump 7   "


def test_shortened_value_is_reported() -> None:
    with two_sites(mappings=("", ONE_LINE)) as world:
        key = _sent_with_blanks(world)
        world.globex.desk.edit(key, {"customer_reference": "pump 7, north"})
        world.send(world.globex)
        assert value(world.acme, key, "environment") == "pump 7, north"
        world.assert_in_step()


def test_a_value_born_in_another_form_is_reported_and_does_not_echo() -> None:
    with two_sites(mappings=("", ONE_LINE)) as world:
        key = world.acme.desk.create("Bug", "x", {"environment": "pump 7   "})
        done = world.send(world.acme)
        assert events(done, LandedDifferently) == [LandedDifferently(key=key, field="environment")]
        assert world.globex.export().changes == 0


def test_edits_at_one_side_only_are_never_echoed_nor_rolled_back() -> None:
    with two_sites(contract=contract(("issue: mark ", "issue: mirror "))) as world:
        world.acme.faults.forbid_writes = True
        desk, made = world.acme.desk, []

        def heard() -> None:
            world.send(world.acme)
            assert world.globex.export().changes == 0
            world.assert_in_step()
            world.acme.faults.forbid_writes = True

        for number, status in enumerate(("In Progress", "Blocked", "Done", "Won't Do")):
            key = desk.create("Task", f"task {number}  ", {"labels:a": True, "location": ["Pump", "Bearing"]})
            made.append(key)
            for step in (*{"Blocked": ["In Progress"], "Done": ["In Progress", "In Review"]}.get(status, ()), status):
                desk.transition(key, step)
            heard()
        for field, new in (("summary", "s"), ("labels:a", None), ("location", ["Pump", "Housing"]), ("story_points", "3")):
            desk.edit(made[0], {field: new})
            desk.edit(made[1], {"description": f"with {field}", "due_date": "2026-12-01", field: new})
            heard()
        one, two = desk.comment(made[0], "one"), desk.comment(made[0], "two")
        heard()
        desk.edit_comment(made[0], one, "one and a half")
        desk.delete_comment(made[0], two)
        desk.delete(made[3])
        desk.transition(made[2], "Reopen")
        heard()


def test_an_issue_born_at_the_receiver_brings_its_guarded_value_along() -> None:
    with two_sites(contract=GUARD) as world:
        key = world.globex.desk.create("Bug", "x", {"cost_estimate": "99"})  # the source has no value of its own yet
        world.send(world.globex)
        assert value(world.acme, key, "cost_estimate") == "99"
        world.acme.desk.edit(key, {"cost_estimate": "10"})
        world.send(world.acme)
        assert value(world.globex, key, "cost_estimate") == "10"
        world.assert_in_step()
