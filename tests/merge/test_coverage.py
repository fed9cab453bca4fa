"""What falls short between two sites is counted once for each item, and not any more when it was put right."""

from __future__ import annotations

import msgspec
import pytest

from filesync.agent.asked.coverage import Coverage, coverage
from filesync.agent.discreet import without_values
from filesync.agent.outgoing import exporter
from filesync.agent.outgoing.departures import NotTold
from filesync.bundle.changes import encode_change
from filesync.model.change import Change, Set, Told
from tests.merge.scene import contract, crash, refuse, refuse_create, refuse_nothing, shared, value
from tests.support.two_sites import Side, two_sites

LACKS = contract(("Highest, ", ""))


def covered(side: Side, *, examples: int = 3) -> Coverage:
    x = side.exchange()
    with side.site.ledger.begin() as conn:
        return coverage(conn, x, examples=examples, limit=100)


def sending(side: Side) -> dict[tuple[str, str], tuple[int, tuple[str, ...]]]:
    return {(one.field, one.cause): (one.items, one.issues) for one in covered(side).sending}


def taking(side: Side) -> dict[tuple[str, str], tuple[int, tuple[str, ...]]]:
    return {(one.field, one.cause): (one.items, one.issues) for one in covered(side).taking}


def there(side: Side) -> dict[tuple[str, str], int]:
    return {(one.field, one.cause): one.items for one in covered(side).there}


def test_f76_a_value_without_a_word_is_counted_once_however_often_the_issue_is_looked_at() -> None:
    with two_sites(contract=LACKS) as world:
        key = world.acme.desk.create("Bug", "hot", {"priority": "Highest"})
        other = world.acme.desk.create("Bug", "hotter", {"priority": "Highest"})
        world.acme.export()
        (first,) = covered(world.acme).sending
        for number in range(3):
            world.acme.desk.edit(key, {"summary": f"hot {number}"})
            world.acme.export()
        (again,) = covered(world.acme).sending
        assert (again.field, again.cause, again.items, set(again.issues)) == ("priority", "no-word", 2, {key, other})
        assert again.first == first.first
        assert again.last > first.last
        world.acme.desk.edit(key, {"priority": "Low"})
        world.acme.desk.delete(other)
        world.acme.export()
        assert sending(world.acme) == {}


def test_of_an_issue_that_is_not_exchanged_the_type_alone_is_counted_and_out_of_scope_nothing() -> None:
    with two_sites(
        contract=contract(("Highest, ", ""), ("Story, Bug, Task", "Story, Task")), scopes=("{labels: [shared]}", "")
    ) as world:
        key = world.acme.desk.create("Bug", "hot", {"priority": "Highest", "labels:shared": True})
        world.acme.desk.create("Story", "ours", {"priority": "Highest"})
        done = world.acme.export()
        [told] = [one for one in done.events if isinstance(one, NotTold)]
        assert told.sentence() == (
            f'{key} is not sent at all: the contract has no type "Bug". Other issues go on. See: filesync why {key}'
        )
        assert without_values(told).sentence() == told.sentence().replace('no type "Bug"', "no such type")
        assert sending(world.acme) == {("type", "no-word"): (1, (key,))}


def test_words_of_which_several_stand_for_one_are_counted() -> None:
    with two_sites(
        mappings=("types: {Story: Task}\nfields: {priority: {field: priority, options: {Highest: High}}}\n", "")
    ) as world:
        key = world.acme.desk.create("Story", "hot", {"priority": "Highest"})
        world.acme.desk.create("Bug", "cold", {"priority": "Low"})
        world.acme.export()
        assert sending(world.acme) == {("type", "merged"): (1, (key,)), ("priority", "merged"): (1, (key,))}


def test_what_only_has_another_name_is_not_counted() -> None:
    renamed = "types: {Bug: Defect}\nstatuses: {To Do: Open}\nusers: {j.becker: joerg}\n"
    words = contract(("types: [", "types: [Defect, "), ("statuses: [", "statuses: [Open, "), ("Medium, Low", "Urgent, Low"))
    options = "fields: {priority: {field: priority, options: {Medium: Urgent}}}\n"
    with two_sites(contract=words, mappings=(renamed + options, "")) as world:
        world.acme.desk.create("Bug", "hot", {"priority": "Medium", "assignee": "j.becker"})
        world.acme.export()
        assert sending(world.acme) == {}


def test_what_is_told_as_the_default_is_counted() -> None:
    options = "fields: {priority: {field: priority, options: {High: High}, default: {out: Low}}}\n"
    with two_sites(contract=LACKS, mappings=(options, "")) as world:
        key = world.acme.desk.create("Bug", "hot", {"priority": "Highest"})
        world.acme.desk.create("Bug", "cold", {"priority": "Low"})
        world.acme.export()
        assert sending(world.acme) == {("priority", "stand-in"): (1, (key,))}
        world.acme.desk.edit(key, {"priority": "High"})
        world.acme.export()
        assert sending(world.acme) == {}


def test_of_what_is_not_told_by_our_own_rule_no_word_is_counted() -> None:
    options = "options: {Highest: High, High: High}, default: {out: Low}, when: \"type == 'Bug'\""
    with two_sites(contract=LACKS, mappings=(f"fields: {{priority: {{field: priority, {options}}}}}\n", "")) as world:
        world.acme.desk.create("Task", "hot", {"priority": "Highest"})
        world.acme.desk.create("Task", "lukewarm", {"priority": "Lowest"})
        world.acme.export()
        assert sending(world.acme) == {}


def test_of_cascading_options_several_that_stand_for_one_are_counted() -> None:
    options = "{Pump/Bearing: Pump/Housing, Pump/Housing: Pump/Housing}"
    with two_sites(mappings=(f"fields: {{location: {{field: location, options: {options}}}}}\n", "")) as world:
        key = world.acme.desk.create("Bug", "hot", {"location": ["Pump", "Bearing"]})
        world.acme.desk.create("Bug", "cold", {"location": ["Pump", "Impeller"]})
        world.acme.export()
        assert sending(world.acme) == {("location", "merged"): (1, (key,))}


def test_what_is_refused_is_counted_here_and_told_to_the_partner_until_it_is_taken() -> None:
    with two_sites() as world:
        key = shared(world)
        refuse(world.globex, "summary")
        world.acme.desk.edit(key, {"summary": "second"})
        world.send(world.acme)
        world.globex.retry()
        assert taking(world.globex) == {("summary", "refused"): (1, (key,))}
        world.send(world.globex)
        assert there(world.acme) == {("summary", "refused"): 1}
        refuse_nothing(world.globex)
        world.globex.retry()
        assert taking(world.globex) == {}
        world.send(world.globex)
        assert there(world.acme) == {}


def test_an_issue_that_is_refused_is_counted_as_a_whole_by_the_partners_key() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "hot")
        world.acme.desk.create("Bug", "hot")
        world.send(world.acme)
        assert taking(world.globex) == {("issue", "refused"): (1, ("ABC-1@acme",))}
        refuse_nothing(world.globex)
        world.globex.retry()
        assert taking(world.globex) == {}


def test_a_word_that_nothing_here_stands_for_is_not_the_trackers_refusal() -> None:
    with two_sites(mappings=("", "fields: {priority: {field: priority, options: {Highest: High}}}\n")) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"priority": "Highest"})
        world.send(world.acme)
        assert taking(world.globex) == {("priority", "no-word"): (1, (key,))}


def test_a_stand_in_is_counted() -> None:
    with two_sites(mappings=("", "users: {t.weber: t.weber}\nusers_default: t.weber\n")) as world:
        user = next(name for name in world.acme.desk.definition.users if name != "t.weber")
        key = shared(world)
        world.acme.desk.edit(key, {"assignee": user})
        world.send(world.acme)
        assert taking(world.globex)["assignee", "stand-in"] == (1, (key,))


def test_a_change_that_was_skipped_is_not_short_any_more() -> None:
    with two_sites() as world:
        key = shared(world)
        refuse(world.globex, "summary")
        world.acme.desk.edit(key, {"summary": "second"})
        world.send(world.acme)
        (stuck,) = world.globex.stuck()
        world.globex.skip(stuck.mark)
        assert taking(world.globex) == {}


def test_what_a_deletion_takes_with_it_is_not_counted_any_more() -> None:
    with two_sites(contract=contract(("issue: mark ", "issue: mirror "))) as world:
        key = shared(world)
        refuse(world.globex, "summary")
        world.acme.desk.edit(key, {"summary": "second"})
        world.send(world.acme)
        refuse_nothing(world.globex)
        world.acme.desk.delete(key)
        world.send(world.acme)
        world.globex.retry()
        assert taking(world.globex) == {}


def test_a_crash_counts_nothing_twice() -> None:
    with two_sites(contract=LACKS) as world:
        key = world.acme.desk.create("Bug", "hot", {"priority": "Highest"})
        for place in ("before commit", "after X3", "after X8"):
            with crash(world.acme, place):
                world.acme.desk.edit(key, {"summary": place})
                world.acme.export()
        world.acme.export()
        assert sending(world.acme) == {("priority", "no-word"): (1, (key,))}


def test_no_element_of_a_set_is_named() -> None:
    with two_sites(mappings=("", "fields: {components: {field: components, options: {X: Pump}}}\n")) as world:
        refuse(world.globex, "labels:secret")
        key = shared(world)
        world.acme.desk.edit(key, {"labels:secret": True})
        world.send(world.acme)
        assert {field for field, _ in taking(world.globex)} == {"labels"}
        world.send(world.globex)
        assert {field for field, _ in there(world.acme)} == {"labels"}


def test_a_field_that_no_contract_has_is_in_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """The partner may call it anything; were it counted, no report of ours could be read, and none of our bundles."""

    def forged(change: Change) -> bytes:
        if isinstance(change, Set):
            change = msgspec.structs.replace(change, fields={**change.fields, "\x1b[31m" + "x" * 1_000: Told("v")})
        return encode_change(change)

    with two_sites() as world:
        key = shared(world)
        world.acme.desk.edit(key, {"summary": "and more"})
        monkeypatch.setattr(exporter, "encode_change", forged)
        world.send(world.acme)
        monkeypatch.undo()
        assert taking(world.globex) == {}
        world.globex.desk.edit(key, {"priority": "High"})
        world.settle()
        assert value(world.acme, key, "priority") == "High"
