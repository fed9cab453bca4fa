"""Drafts of contract and mapping: whatever a tracker has, they can be read, and nothing in them is taken for what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filesync.agent.asked.fit import fit
from filesync.agent.drafts.contract import draft_contract
from filesync.agent.drafts.files import Made, draft_files
from filesync.agent.drafts.likeness import compare, wire_name
from filesync.agent.drafts.mapping import MappingDraft, draft_mapping
from filesync.config import template
from filesync.errors import ConfigError
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.contract import load_contract
from filesync.rules.load import load_rules
from filesync.rules.mapping import Rules
from filesync.trackers.base import Description
from tests.setup.test_fit import HAVE

# what people call things, with all that a settings file could mistake
words = st.one_of(
    st.sampled_from(
        ["Bug", "bug", "BUG ", "null", "true", "~", "-", "- a", "# x", "a: b", "a:b", "{a}", "[", "1", "1.5", "'", '"', "$x"]
    ),
    st.sampled_from(
        [
            "Größe",
            "日本",
            "A/b",
            "a/b/c",
            "/",
            "\u2028",
            "\x00",
            "\ufeff",
            "\U0001f600",
            "x" * 255,
            "x" * 256,
            "?",
            "!t",
            "*a",
            "&a",
        ]
    ),
    st.sampled_from(
        ["type", "status", "parent", "link", "body", "security", "customfield_1", "Due Date", "due_date", "Version/s"]
    ),
    st.text(max_size=12),
)
several = st.lists(words, max_size=6).map(tuple)
specs = st.builds(FieldSpec, words, st.sampled_from(FieldKind), many=st.booleans(), required=st.booleans(), options=several)
descriptions = st.builds(
    Description,
    name=words,
    fields=st.lists(specs, max_size=8, unique_by=lambda spec: spec.name).map(tuple),
    types=several.map(lambda some: ("Bug", *some)),
    statuses=several,
    users=several,
    links=several,
    left_out=st.dictionaries(words, words, max_size=3),
    labels=st.dictionaries(words, words, max_size=6),
    people=st.dictionaries(words, words, max_size=6),
)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def drafted(folder: Path, have: Description) -> Rules:
    """The rules that a site has which drafted both files and let them be."""
    found = draft_contract(have, template("draft-contract.yaml"))
    (folder / "contract.yaml").write_text(found.text)
    return mapped(folder, have, names=found.names)[0]


def mapped(folder: Path, have: Description, *, names: Mapping[str, str]) -> tuple[Rules, MappingDraft]:
    """The rules with a mapping that was drafted for the contract that is there."""
    contract, mapping = folder / "contract.yaml", folder / "mapping.yaml"
    found = draft_mapping(load_contract(contract), have, names, template("draft-mapping.yaml"), site="acme")
    mapping.write_text(found.text)
    return load_rules(contract, mapping, site="acme"), found


@quick
@given(descriptions)
def test_what_was_drafted_can_be_read_and_says_what_the_tracker_has(tmp_path: Path, have: Description) -> None:
    rules = drafted(tmp_path, have)
    assert set(rules.contract.types) <= set(have.types)
    assert set(rules.contract.statuses) <= set(have.statuses)
    here = {spec.name: spec for spec in have.fields}
    for name, field in rules.contract.fields.items():
        rule = rules.rule(name)
        assert rule is not None
        if name not in ("type", "status"):
            assert (here[rule.local].kind, here[rule.local].many) == (field.spec.kind, field.spec.many)
        assert all(rule.words.back(option) == (option,) for option in field.spec.options)
    own = [one for one in have.fields if one.name in ("type", "status") and one.kind == one.name]
    others = tuple(one for one in have.fields if one.name not in ("type", "status"))
    plain = replace(have, fields=(FieldSpec("type", FieldKind.TYPE), FieldSpec("status", FieldKind.STATUS), *others))
    if len(own) == len(have.fields) - len(others):
        assert fit(rules, plain, us="acme", receives=True, sends=True).refused == ()


@quick
@given(descriptions, descriptions)
def test_a_mapping_for_any_contract_can_be_read_and_takes_nothing_twice(
    tmp_path: Path, theirs: Description, ours: Description
) -> None:
    drafted(tmp_path, theirs)
    rules, told = mapped(tmp_path, ours, names={})
    kinds = rules.rule("type")
    assert kinds is not None
    absent = [word for word in rules.contract.types if not set(ours.types).intersection(kinds.words.back(word))]
    assert len([problem for problem in told.unmatched if problem.where == "types"]) == len(absent)


def test_a_name_that_travels_is_made_of_what_people_see() -> None:
    assert wire_name("Story Points", ()) == "story_points"
    assert wire_name("Fix Version/s", ()) == "fix_versions"
    assert wire_name("Größe (mm)", ()) == "grosse_mm"
    assert wire_name("3D model", ()) == "field_3d_model"
    assert wire_name("日本", {"field"}) == "field_2"
    assert wire_name("Team", {"team", "team_2"}) == "team_3"
    assert len(wire_name("x" * 300, ())) < 64


def test_words_are_the_same_whatever_their_case_and_marks_and_only_guessed_where_they_are_like() -> None:
    found = compare(
        ("in-progress", "Done", "to do", "TO-DO", "Blockd", "x"), ("In Progress", "Done", "To Do", "Blocked", "New"), labels={}
    )
    assert found.sure == {"in-progress": "In Progress"}  # which of the two is "To Do"?
    assert found.perhaps["Blocked"] == "Blockd"
    assert found.absent == ("To Do", "Blocked", "New")
    assert "New" not in found.perhaps


def test_a_field_whose_name_is_a_word_of_yaml_is_named_all_the_same(tmp_path: Path) -> None:
    fields = tuple(FieldSpec(name, FieldKind.TEXT) for name in ("True", "NULL", "No"))
    rules = drafted(tmp_path, replace(HAVE, fields=(*HAVE.fields, *fields)))
    assert [rules.local_names(name) for name in ("true", "null", "no")] == [("True",), ("NULL",), ("No",)]


def test_nobody_is_named_in_what_the_partner_gets_nor_where_our_tracker_is(tmp_path: Path) -> None:
    have = replace(HAVE, users=("5:ab-cd",), people={"5:ab-cd": "Anna Lindqvist"})
    drafted(tmp_path, replace(have, name="jira.acme.example, project PUMP"))
    shared, ours = ((tmp_path / name).read_text() for name in ("contract.yaml", "mapping.yaml"))
    assert "acme.example" not in shared
    assert "PUMP" not in shared
    assert "# A draft: the words of jira.acme.example, project PUMP" in ours
    assert "Lindqvist" not in shared
    assert "5:ab-cd" not in shared
    assert '\n  # "5:ab-cd": NAME    # Anna Lindqvist\n' in ours


def test_who_may_see_an_issue_travels_only_where_a_person_wants_that(tmp_path: Path) -> None:
    levels = FieldSpec("security", FieldKind.OPTION, options=("Staff",))
    rules = drafted(tmp_path, replace(HAVE, fields=(*HAVE.fields, levels)))
    assert "security" not in rules.contract.fields
    assert "\n  # security: {kind: option, options: [Staff]}\n" in (tmp_path / "contract.yaml").read_text()


def test_what_cannot_be_carried_stands_there_with_its_reason(tmp_path: Path) -> None:
    odd = (FieldSpec("lists", FieldKind.OPTION), FieldSpec("steps", FieldKind.CASCADE, many=True, options=("a",)))
    have = replace(HAVE, fields=(*HAVE.fields, *odd), left_out={"Rank": "says nothing", "customfield_9": "says nothing"})
    rules = drafted(tmp_path, have)
    assert not {"lists", "steps"} & rules.contract.fields.keys()
    text = (tmp_path / "contract.yaml").read_text()
    for line in (
        "# Rank, customfield_9: says nothing",
        "# lists: the tracker does not tell its options",
        "# steps: a set of the kind cascade",
    ):
        assert f"\n{line}" in text


def test_what_nobody_writes_is_in_no_draft_unless_the_contract_has_it_from_us(tmp_path: Path) -> None:
    made = FieldSpec("made", FieldKind.DATETIME, read_only=True)
    have = replace(HAVE, fields=(*HAVE.fields, made), labels={"made": "Made on"})
    assert "made_on" not in drafted(tmp_path, have).contract.fields
    assert "\n# made: nobody writes it here" in (tmp_path / "contract.yaml").read_text()
    contract = tmp_path / "theirs.yaml"
    for source, absent in {"acme": [], "globex": ['nothing here stands for "made_on"']}.items():
        contract.write_text(f"version: 1\ntypes: [Bug]\nfields:\n  made_on: {{kind: datetime, from: {source}}}\n")
        found = draft_mapping(load_contract(contract), have, {}, template("draft-mapping.yaml"), site="acme")
        assert [one.what for one in found.unmatched if one.where == "fields"] == absent
        assert ("\n  made: made_on\n" in found.text) is (source == "acme")


def test_the_partners_contract_is_held_against_what_we_have(tmp_path: Path) -> None:
    contract = tmp_path / "theirs.yaml"
    contract.write_text(
        "version: 1\ntypes: [Defect, Task]\nstatuses: [open, Done]\nusers: [anna.li]\nlinks: [Blocks]\nfields:\n"
        "  title: {kind: text}\n  priority: {kind: option, options: [HIGH, Low, Blocker]}\n  due: {kind: date}\n  ownr: {kind: user}\n"
        "  cost: {kind: text}\n  site_name: {kind: text}\n"
    )
    have = replace(HAVE, labels={"site": "Site name"}, users=("5:a",), people={"5:a": "Anna Li"})
    found = draft_files(tmp_path / "contract.yaml", tmp_path / "mapping.yaml", have, site="globex", agreed=contract)
    assert (found.contract, found.mapping) == (Made.TAKEN, Made.DRAFTED)
    assert (tmp_path / "contract.yaml").read_bytes() == contract.read_bytes()
    assert [str(one) for one in found.unmatched] == [
        'types: nothing here stands for "Defect"',
        'priority: nothing here stands for "Blocker"',
        'fields: nothing here stands for "title"',
        'fields: nothing here stands for "ownr"; did you mean our "owner"?',
        'fields: nothing here stands for "cost"',
    ]
    lines = (tmp_path / "mapping.yaml").read_text().splitlines()
    for line in (
        "  Open: open",
        "  blocks: Blocks",
        "  site: site_name",
        "  priority:",
        "      High: HIGH",
        "  # owner: ownr    # perhaps",
        '  # the contract has no word for our "Bug"',
        '  # cost is a text there: our "cost" is a number',
        '  # "5:a": anna.li    # Anna Li',
    ):
        assert line in lines
    rules = load_rules(tmp_path / "contract.yaml", tmp_path / "mapping.yaml", site="globex")
    assert rules.local_names("site_name") == ("site",)


def test_what_a_person_wrote_is_kept_and_another_contract_is_refused(tmp_path: Path) -> None:
    contract, mapping, other = (tmp_path / name for name in ("contract.yaml", "mapping.yaml", "other.yaml"))
    contract.write_text(template("contract.yaml"))  # as `init` wrote them
    mapping.write_text(template("mapping.yaml"))
    first = draft_files(contract, mapping, HAVE, site="acme", agreed=None)
    assert (first.contract, first.mapping) == (Made.DRAFTED, Made.DRAFTED)
    contract.write_text(contract.read_text() + "# ours\n")
    before = contract.read_bytes(), mapping.read_bytes()
    again = draft_files(contract, mapping, HAVE, site="acme", agreed=None)
    assert (again.contract, again.mapping) == (Made.KEPT, Made.KEPT)
    other.write_text("version: 2\ntypes: [Bug]\nfields: {}\n")
    with pytest.raises(ConfigError, match="is there already, and is not the contract in"):
        draft_files(contract, mapping, HAVE, site="acme", agreed=other)
    other.write_text("version: 2\n")
    with pytest.raises(ConfigError, match="is missing"):
        draft_files(contract, mapping, HAVE, site="acme", agreed=other)
    assert (contract.read_bytes(), mapping.read_bytes()) == before


def test_a_project_without_types_of_issues_is_told() -> None:
    with pytest.raises(ConfigError, match="no type of issue"):
        draft_contract(replace(HAVE, types=("\x00",)), template("draft-contract.yaml"))


def test_too_many_words_on_both_sides_are_not_guessed_at() -> None:
    found = compare([f"ours {n}" for n in range(5_000)], [f"theirs {n}" for n in range(5_000)], labels={})
    assert len(found.absent) == len(found.left) == 5_000
    assert found.perhaps == {}
