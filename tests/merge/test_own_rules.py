"""What one site's mapping decides for itself, and the partner need not know: defaults, one way, at creation alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.asked.coverage import coverage
from filesync.agent.incoming.arrivals import KeptOut
from filesync.agent.outgoing.departures import RuleFails
from filesync.model.values import Value
from tests.merge.scene import contract, crash, cross, events, refuse, refuse_nothing, shared, value
from tests.support.two_sites import EXCHANGE, World, two_sites

CONTRACT = contract(
    ("options: [Highest, High, Medium, Low, Lowest]", "options: [Highest, High, Medium, Low]"),
    ("cost_estimate: {kind: number}\n  occurred", "cost_estimate: {kind: number, from: acme, mode: guard}\n  occurred"),
)
MAPPING = """\
fields:
  priority: {field: priority, options: {High: Highest, Medium: Medium}, default: {out: Medium, in: Low}}
  environment: {field: environment, way: out}
  cost_estimate: {field: cost_estimate, way: out}
  customer_reference: {field: customer_reference, way: in}
  labels: {field: labels, way: in}
  due_date: {field: due_date, only: create}
  location: {field: location, when: "type == 'Bug' and not fix_versions"}
  story_points: {field: story_points, when: "owner_component > 3"}
  reviewers: {field: description, way: out, text: "{{ value | join(', ') }} ({{ key }})"}
constants: {target_version: "2.0"}
presets: {severity: Minor, platforms: [HPC-200, Simulator]}
"""
MONDAY, TUESDAY, FRIDAY = "2026-11-23", "2026-11-24", "2026-11-27"


@pytest.fixture
def world() -> Iterator[World]:
    """Acme has the mapping; globex, who knows nothing of it, has none."""
    with two_sites(contract=CONTRACT, mappings=(MAPPING, "")) as made:
        yield made


def test_a_word_that_nothing_here_stands_for_lands_as_the_default_and_is_not_sent_back(world: World) -> None:
    key = world.globex.desk.create("Bug", "Pump", {"priority": "High"})
    world.send(world.globex)
    assert value(world.acme, key, "priority") == "Low"
    world.settle()
    assert world.acme.exchange().out_seq == 0
    world.globex.desk.edit(key, {"priority": "Highest"})
    world.settle()
    assert value(world.acme, key, "priority") == "High"


def test_values_of_ours_without_a_word_go_out_as_the_default_and_are_equal(world: World) -> None:
    key = world.acme.desk.create("Bug", "Pump", {"priority": "Lowest"})
    world.send(world.acme)
    assert value(world.globex, key, "priority") == "Medium"
    world.acme.desk.edit(key, {"priority": "Medium"})
    assert world.acme.export().changes == 0
    world.globex.desk.edit(key, {"priority": "Highest"})
    world.settle()
    assert value(world.acme, key, "priority") == "High"
    world.assert_in_step()


def test_what_goes_out_only_is_never_written_here_and_our_next_edit_overwrites_theirs(world: World) -> None:
    key = shared(world)
    world.acme.desk.edit(key, {"environment": "lab"})
    world.send(world.acme)
    world.globex.desk.edit(key, {"environment": "field", "summary": "both"})
    done = world.send(world.globex)
    assert (value(world.acme, key, "environment"), value(world.acme, key, "summary")) == ("lab", "both")
    assert [one.fields for one in events(done, KeptOut)] == [["environment"]]
    world.globex.desk.edit(key, {"environment": "yard"})
    assert events(world.send(world.globex), KeptOut) == []  # told once
    world.settle()
    assert value(world.globex, key, "environment") == "yard"
    world.acme.desk.edit(key, {"environment": "bench"})
    world.settle()
    assert value(world.globex, key, "environment") == "bench"
    assert world.acme.conflicts() == world.globex.conflicts() == []


def test_edits_that_cross_where_ours_goes_out_only_leave_both_sites_quiet(world: World) -> None:
    key = shared(world)
    cross(
        world,
        acme=lambda: world.acme.desk.edit(key, {"environment": "a"}),
        globex=lambda: world.globex.desk.edit(key, {"environment": "g"}),
    )
    world.settle()
    assert value(world.acme, key, "environment") == "a"
    world.acme.desk.edit(key, {"environment": "a2"})
    world.settle()
    assert value(world.globex, key, "environment") == "a2"


def test_an_issue_of_theirs_is_made_without_what_goes_out_only(world: World) -> None:
    key = world.globex.desk.create("Bug", "theirs", {"environment": "field"})
    world.send(world.globex)
    assert value(world.acme, key, "summary") == "theirs"
    assert value(world.acme, key, "environment") is None
    world.settle()
    assert value(world.globex, key, "environment") == "field"
    assert world.acme.exchange().out_seq == 0


def test_what_comes_in_only_is_never_told_and_never_wins(world: World) -> None:
    key = world.acme.desk.create("Bug", "ours", {"customer_reference": "P-7", "labels:mine": True})
    world.send(world.acme)
    assert value(world.globex, key, "customer_reference") is None
    assert value(world.globex, key, "labels:mine") is None
    world.acme.desk.edit(key, {"customer_reference": "P-8"})
    assert world.acme.export().changes == 0
    world.globex.desk.edit(key, {"customer_reference": "order 12", "labels:theirs": True})
    world.settle()
    assert value(world.acme, key, "customer_reference") == "order 12"
    assert value(world.acme, key, "labels:theirs") is True
    assert value(world.globex, key, "labels:mine") is None
    assert world.acme.conflicts() == []


def test_a_creation_that_comes_again_empties_nothing_that_its_site_never_tells(world: World) -> None:
    """A set is named by its bare name: its elements there are left alone too."""
    key = world.acme.desk.create("Bug", "ours", {"labels:mine": True})
    for status in ("In Progress", "In Review"):
        world.acme.desk.transition(key, status)
    world.acme.export()
    world.carry(to=world.globex)
    with crash(world.globex, "before apply", nth=2):  # half-way to its status: it is there, and decided anew
        world.globex.import_()
    world.globex.desk.edit(key, {"customer_reference": "order 12", "labels:theirs": True})
    world.globex.import_()
    assert value(world.globex, key, "labels:theirs") is True
    world.settle()
    assert value(world.globex, key, "customer_reference") == value(world.acme, key, "customer_reference") == "order 12"
    assert value(world.acme, key, "labels:theirs") is True


def test_what_is_set_at_creation_only_goes_both_ways_once(world: World) -> None:
    for side, day in ((world.acme, MONDAY), (world.globex, TUESDAY)):
        side.desk.create("Bug", side.name, {"due_date": day})
        world.send(side)
    for side in world.sides:
        assert {one.fields["summary"]: one.fields["due_date"] for one in side.issues()} == {"acme": MONDAY, "globex": TUESDAY}
        for one in side.issues():
            side.desk.edit(f"ABC-{one.ref.local}", {"due_date": FRIDAY if side is world.acme else None})
    world.settle()
    assert {one.fields.get("due_date") for one in world.acme.issues()} == {FRIDAY}
    assert {one.fields.get("due_date") for one in world.globex.issues()} == {None}


def test_what_was_refused_at_creation_is_written_when_it_is_tried_again(world: World) -> None:
    refuse(world.acme, "due_date")
    key = world.globex.desk.create("Bug", "theirs", {"due_date": MONDAY})
    world.send(world.globex)
    assert value(world.acme, key, "due_date") is None
    assert len(world.acme.stuck()) == 1
    refuse_nothing(world.acme)
    world.acme.retry()
    assert value(world.acme, key, "due_date") == MONDAY
    world.globex.desk.edit(key, {"due_date": FRIDAY})
    world.settle()
    assert value(world.acme, key, "due_date") == MONDAY


def test_the_source_of_a_guarded_field_answers_whatever_its_own_mapping_says(world: World) -> None:
    key = shared(world)
    world.acme.desk.edit(key, {"cost_estimate": "100"})
    world.send(world.acme)
    world.globex.desk.edit(key, {"cost_estimate": "250"})
    world.settle()
    assert value(world.globex, key, "cost_estimate") == "100"
    world.assert_in_step()


def test_a_constant_goes_with_every_issue_of_ours_and_with_none_of_theirs(world: World) -> None:
    ours = world.acme.desk.create("Bug", "ours")
    world.send(world.acme)
    theirs = world.globex.desk.create("Bug", "theirs", {"target_version": "1.0"})
    world.settle()
    assert value(world.globex, ours, "target_version") == "2.0"
    assert value(world.globex, theirs, "target_version") == "1.0"
    assert value(world.acme, theirs, "target_version") is None
    world.globex.desk.edit(ours, {"target_version": "1.0"})
    world.settle()
    assert value(world.globex, ours, "target_version") == "1.0"
    assert world.acme.exchange().out_seq == 1


def test_what_is_made_here_has_the_presets_where_it_brings_nothing_for_them(world: World) -> None:
    bare = world.globex.desk.create("Bug", "bare")
    full = world.globex.desk.create("Bug", "full", {"severity": "Major", "platforms:HPC-400": True})
    with crash(world.acme, "after create"):
        world.send(world.globex)
    world.acme.import_()
    world.settle()
    assert (value(world.acme, bare, "severity"), value(world.acme, full, "severity")) == ("Minor", "Major")
    platforms = [value(world.acme, bare, f"platforms:{one}") for one in ("HPC-200", "Simulator", "HPC-400")]
    assert platforms == [True, True, None]
    assert value(world.acme, full, "platforms:HPC-200") is None
    assert len(world.acme.issues()) == 2
    assert world.acme.exchange().out_seq == 0
    world.globex.desk.edit(bare, {"severity": "Critical"})
    world.settle()
    assert value(world.acme, bare, "severity") == "Critical"


def test_a_preset_is_no_edit_until_somebody_edits_it(world: World) -> None:
    key = world.globex.desk.create("Bug", "bare")
    world.send(world.globex)
    assert value(world.globex, key, "severity") is None
    world.acme.desk.edit(key, {"severity": "Major"})
    world.settle()
    assert value(world.globex, key, "severity") == "Major"


def test_a_field_flows_both_ways_only_for_issues_of_which_its_condition_is_true(world: World) -> None:
    bug = world.acme.desk.create("Bug", "bug", {"location": ["Pump"]})
    task = world.acme.desk.create("Task", "task", {"location": ["Controller"]})
    world.send(world.acme)
    assert (value(world.globex, bug, "location"), value(world.globex, task, "location")) == (["Pump"], None)
    for key in (bug, task):
        world.globex.desk.edit(key, {"location": ["Hydraulics"], "summary": f"of {key}"})
    theirs = world.globex.desk.create("Task", "theirs", {"location": ["Pump"]})
    done = world.send(world.globex)
    assert (value(world.acme, bug, "location"), value(world.acme, task, "location")) == (["Hydraulics"], ["Controller"])
    assert (value(world.acme, task, "summary"), value(world.acme, theirs, "location")) == (f"of {task}", None)
    assert [one.fields for one in events(done, KeptOut)] == [["location"]]
    world.settle()
    assert world.globex.conflicts() == world.acme.conflicts() == []
    assert value(world.globex, task, "location") == ["Hydraulics"]  # nothing of it was told, nor taken for empty


def test_what_is_edited_while_a_condition_is_false_goes_out_once_it_is_true(world: World) -> None:
    key = world.acme.desk.create("Bug", "bug", {"location": ["Pump"]})
    world.send(world.acme)
    world.acme.desk.edit(key, {"fix_versions:2.0": True, "location": ["Controller"]})
    world.settle()
    assert value(world.globex, key, "location") == ["Pump"]
    world.acme.desk.edit(key, {"fix_versions:2.0": None})
    world.settle()
    assert value(world.globex, key, "location") == ["Controller"]


def test_an_edit_is_judged_with_what_comes_with_it(world: World) -> None:
    key = world.globex.desk.create("Task", "task")
    world.send(world.globex)
    world.globex.desk.edit(key, {"type": "Bug", "location": ["Pump"]})
    world.settle()
    assert (value(world.acme, key, "type"), value(world.acme, key, "location")) == ("Bug", ["Pump"])


def test_a_condition_that_fails_is_told_without_a_value_and_holds_up_nothing_else(world: World) -> None:
    key = world.acme.desk.create("Bug", "ours", {"story_points": "3", "owner_component": "Firmware"})
    world.acme.desk.create("Bug", "too", {"story_points": "3", "owner_component": "Firmware"})
    failed = [one for one in world.acme.export().events if isinstance(one, RuleFails)]
    assert [(one.key, one.field) for one in failed] == [(key, "story_points")]
    assert "'>' not supported between instances of 'str' and 'int'" in failed[0].sentence()
    assert "Firmware" not in failed[0].sentence()
    x = world.acme.exchange()
    with world.acme.site.ledger.begin() as conn:
        counted = coverage(conn, x, examples=0, limit=10).sending
    assert [(one.field, one.cause, one.items) for one in counted if one.field == "story_points"] == [
        ("story_points", "failed", 2)
    ]
    world.carry(to=world.globex)
    world.globex.import_()
    assert (value(world.globex, key, "summary"), value(world.globex, key, "story_points")) == ("ours", None)
    world.globex.desk.edit(key, {"story_points": "5", "summary": "both"})
    done = world.send(world.globex)
    assert (value(world.acme, key, "summary"), value(world.acme, key, "story_points")) == ("both", "3")
    assert "story_points (its condition (when) cannot be answered: '>' not" in events(done, KeptOut)[0].sentence()
    world.settle()


def test_any_value_is_told_as_a_text_and_never_taken_back(world: World) -> None:
    fields: dict[str, Value] = {"reviewers:w.chen": True, "reviewers:j.becker": True, "description": "{{ 7 * 7 }}"}
    key = world.acme.desk.create("Bug", "ours", fields)
    world.send(world.acme)
    assert value(world.globex, key, "description") == f"j.becker, w.chen ({key})"
    world.globex.desk.edit(key, {"description": "{{ key }}"})
    world.settle()
    assert value(world.acme, key, "description") == "{{ 7 * 7 }}"
    world.acme.desk.edit(key, {"reviewers:w.chen": None})
    world.settle()
    assert value(world.globex, key, "description") == f"j.becker ({key})"
    world.acme.desk.edit(key, {"reviewers:j.becker": None})
    world.settle()
    assert value(world.globex, key, "description") is None


def test_what_is_made_here_may_show_the_partners_key() -> None:
    shows = 'presets: {customer_reference: "at acme {key}", labels: ["acme-{key}"]}\n'
    agreed = contract(("  customer_reference: {kind: text}\n", ""), ("  labels: {kind: label, many: true}\n", ""))
    with two_sites(contract=agreed, mappings=("", shows)) as world:
        world.globex.desk.create("Bug", "ours")
        key = world.acme.desk.create("Bug", "theirs")
        world.settle()
        made = next(one for one in world.globex.issues() if one.fields["summary"] == "theirs")
        assert made.fields["customer_reference"] == f"at acme {key}"
        assert made.fields[f"labels:acme-{key}"] is True
        world.assert_in_step()
        strange = world.globex.site.paired(EXCHANGE).rules.preset((), key="[a link|https://x.example]")
        assert strange == {}, "what is no key goes into no field"


def test_what_shows_the_partners_key_is_there_where_a_condition_asks_for_it() -> None:
    judged = """\
presets: {customer_reference: "at acme {key}"}
fields: {due_date: {field: due_date, when: "not customer_reference"}}
"""
    agreed = contract(("  customer_reference: {kind: text}\n", ""))
    with two_sites(contract=agreed, mappings=("", judged)) as world:
        world.acme.desk.create("Bug", "theirs", {"due_date": MONDAY})
        world.settle()
        assert [one.fields.get("due_date") for one in world.globex.issues()] == [None]
