"""Fields and words between a tracker and the contract: what is carried, what is refused, what is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Item, Ref
from filesync.model.values import FieldKind, Value
from filesync.rules.contract import DeletePolicy
from filesync.rules.ending import Ending
from filesync.rules.mapping import Inward, Outward, Rules
from filesync.rules.partner import Display, Pace
from filesync.rules.ways import Dropped
from tests.rules.build import comment, gid, issue, nobody, rules

CONTRACT = """\
version: 1
types: [Bug, Task]
statuses: [Open, Done]
users: any
fields:
  summary: {kind: text}
  points: {kind: number}
  due: {kind: date}
  seen_at: {kind: datetime}
  priority: {kind: option, options: [High, Low]}
  location: {kind: cascade, options: [Pump, Pump/Seal]}
  labels: {kind: label, many: true}
  platforms: {kind: option, many: true, options: [x, y]}
  assignee: {kind: user}
  reviewers: {kind: user, many: true}
  parent: {kind: parent}
"""
MAPPING = """\
types: {Fehler: Bug, Defekt: Bug}
statuses: {Offen: Open}
users: {jdoe: jane.doe}
users_default: import
deletes: {issue: ignore}
fields:
  Titel: summary
  Wichtigkeit:
    field: priority
    options: {Hoch: High, Sofort: High, Niedrig: Low}
  Ort:
    field: location
    options: {Pumpe: Pump, Pumpe/Dichtung: Pump/Seal}
  Plattformen: {field: platforms, options: {a: x, b: x}}
"""


@pytest.fixture
def german(tmp_path: Path) -> Rules:
    return rules(tmp_path, CONTRACT, MAPPING)


@pytest.fixture
def same(tmp_path: Path) -> Rules:
    return rules(tmp_path, CONTRACT)


def out(rules: Rules, fields: dict[str, Value]) -> Outward:
    return rules.outward(issue(fields), gid)


def into(rules: Rules, fields: dict[str, Value | None]) -> Inward:
    return rules.inward(Kind.ISSUE, fields, {gid("4"): "4"}.get)


def test_without_a_mapping_both_sides_use_the_contracts_words(same: Rules) -> None:
    fields: dict[str, Value] = {
        "type": "Bug",
        "status": "Open",
        "summary": "Leaks",
        "points": "2.5",
        "due": "2026-11-23",
        "seen_at": "2026-11-23T10:00:00.000Z",
        "priority": "High",
        "location": ["Pump", "Seal"],
        "labels:urgent": True,
        "platforms:x": True,
        "assignee": "jane.doe",
        "reviewers:b": True,
    }
    assert out(same, fields) == Outward(fields=fields, unresolved=(), dropped=(), untold=frozenset())
    assert into(same, dict(fields)) == Inward(fields=dict(fields), refused={}, waits=())


def test_our_words_go_out_as_the_contracts(german: Rules) -> None:
    assert out(
        german,
        {
            "type": "Defekt",
            "status": "Offen",
            "Titel": "Leckt",
            "Wichtigkeit": "Sofort",
            "Ort": ["Pumpe", "Dichtung"],
            "Plattformen:a": True,
            "Plattformen:b": True,
            "Plattformen:y": True,
            "assignee": "jdoe",
            "reviewers:jdoe": True,
            "reviewers:x": True,
        },
    ).fields == {
        "type": "Bug",
        "status": "Open",
        "summary": "Leckt",
        "priority": "High",
        "location": ["Pump", "Seal"],
        "platforms:x": True,
        "platforms:y": True,
        "assignee": "jane.doe",
        "reviewers:jane.doe": True,
        "reviewers:x": True,
    }


def test_the_contracts_words_come_in_as_the_first_of_ours(german: Rules) -> None:
    assert into(
        german,
        {
            "type": "Bug",
            "status": "Done",
            "summary": "Leaks",
            "priority": "High",
            "location": ["Pump", "Seal"],
            "platforms:x": True,
            "assignee": "jane.doe",
            "parent": gid("4"),
        },
    ) == Inward(
        fields={
            "type": "Fehler",
            "status": "Done",
            "Titel": "Leaks",
            "Wichtigkeit": "Hoch",
            "Ort": ["Pumpe", "Dichtung"],
            "Plattformen:a": True,
            "assignee": "jdoe",
            "parent": "4",
        },
        refused={},
        waits=(),
    )


def test_an_element_taken_out_takes_all_of_ours_that_stand_for_it(german: Rules) -> None:
    assert into(german, {"platforms:x": None}).fields == {"Plattformen:a": None, "Plattformen:b": None, "Plattformen:x": None}


def test_empty_comes_in_as_empty(german: Rules) -> None:
    emptied: dict[str, Value | None] = dict.fromkeys(("summary", "priority", "location", "parent", "assignee"))
    assert into(german, emptied).fields == dict.fromkeys(("Titel", "Wichtigkeit", "Ort", "parent", "assignee"))


def test_type_and_status_are_never_emptied(same: Rules) -> None:
    assert into(same, {"type": None, "status": None}) == Inward(
        fields={},
        refused={"type": "an issue is never without a type", "status": "an issue is never without a status"},
        waits=(),
    )


def test_fields_that_the_contract_does_not_name_stay_at_home(german: Rules) -> None:
    fields: dict[str, Value] = {"Titel": "x", "summary": "ours of that name is another", "rank": "7", "flags:a": True}
    assert out(german, fields) == Outward(fields={"summary": "x"}, unresolved=(), dropped=(), untold=frozenset())


def test_what_the_contract_has_no_word_for_is_dropped_and_named_and_not_taken_for_empty(same: Rules) -> None:
    told = out(same, {"type": "Epic", "priority": "Odd", "platforms:z": True, "location": ["Pump", "Fan"], "summary": "x"})
    assert told.fields == {"summary": "x"}
    assert told.dropped == (
        Dropped("type", FieldKind.TYPE, 'the contract has no type "Epic"'),
        Dropped("priority", FieldKind.OPTION, 'the contract has no option "Odd"'),
        Dropped("platforms", FieldKind.OPTION, 'the contract has no option "z"'),
        Dropped("location", FieldKind.CASCADE, 'the contract has no cascade "Pump/Fan"'),
    )
    assert told.untold == {"type", "priority", "location"}


@pytest.mark.parametrize("where", ["role:Developers", "group:staff", "internal"])
def test_trap32_a_comment_that_few_may_see_is_withheld(same: Rules, where: str) -> None:
    assert same.outward(comment({"body": "secret", "visibility": where}), nobody).withheld
    assert not same.outward(comment({"body": "said"}), nobody).withheld


def test_trap32_an_issue_that_few_may_see_is_withheld_unless_the_contract_says_who(tmp_path: Path) -> None:
    fields: dict[str, Value] = {"summary": "x", "security": "Staff"}
    assert out(rules(tmp_path, CONTRACT), fields).withheld
    carried = rules(tmp_path, CONTRACT + "  security: {kind: option, options: [Staff]}\n")
    assert not out(carried, fields).withheld
    assert not out(carried, {"summary": "x"}).withheld
    assert out(carried, {"summary": "x", "security": "Board"}).withheld


def test_values_of_another_shape_are_dropped(same: Rules) -> None:
    told = out(
        same,
        {
            "summary": True,
            "labels": "a",
            "priority:High": True,
            "location": "Pump",
            "parent": ["4"],
            "points": "many",
            "due": "soon",
        },
    )
    assert told.fields == {}
    assert [dropped.field for dropped in told.dropped] == [
        "summary",
        "labels",
        "priority",
        "location",
        "parent",
        "points",
        "due",
    ]


def test_a_cascade_with_a_slash_in_a_part_is_not_taken_for_another_option(same: Rules) -> None:
    assert out(same, {"location": ["Pump/Seal"]}).untold == {"location"}
    assert "location" in into(same, {"location": ["Pump/Seal"]}).refused
    assert "location" in into(same, {"location": ["Pump", "Seal", "Ring"]}).refused
    assert into(same, {"location": ["Pump"]}).fields == {"location": ["Pump"]}


def test_our_values_go_out_in_their_canonical_form(same: Rules) -> None:
    told = out(same, {"summary": "a\r\nb", "points": "2.50", "seen_at": "2026-11-23T11:00:00+01:00", "due": "2026-11-23"})
    assert told.fields == {"summary": "a\nb", "points": "2.5", "seen_at": "2026-11-23T10:00:00.000Z", "due": "2026-11-23"}


def test_an_empty_text_is_told_as_empty(same: Rules) -> None:
    assert out(same, {"summary": ""}) == Outward(fields={}, unresolved=(), dropped=(), untold=frozenset())


HOSTILE: list[tuple[str, Value | None]] = [
    ("summary", ""),
    ("summary", "a\r\nb"),
    ("summary", True),
    ("summary", ["a"]),
    ("summary:x", True),
    ("points", "2.50"),
    ("points", "1e9999999999"),
    ("points", "NaN"),
    ("points", "\uff11\uff12"),
    ("due", "2026-13-01"),
    ("due", "23.11.2026"),
    ("seen_at", "2026-11-23T10:00:00"),
    ("seen_at", "2026-11-23T10:00:00Z"),
    ("seen_at", "0001-01-01T00:00:00+14:00"),
    ("priority", "Odd"),
    ("priority", "high"),
    ("location", "Pump"),
    ("location", []),
    ("location", [""]),
    ("location", ["Pump", ""]),
    ("labels", "a"),
    ("labels", None),
    ("labels:", True),
    ("labels:a", "yes"),
    ("labels:a", False),
    ("platforms:z", True),
    ("platforms:z", None),
    ("type", "Epic"),
    ("status", "open"),
    ("parent", "4"),
    ("parent", True),
    ("parent", "../../etc/passwd"),
    ("unheard_of", "x"),
    ("body", "x"),
    ("", "x"),
    ("\x1b[2J", "x"),
    ("priority", "x" * 100_000),
    ("due", "\x1b[2J" * 1000),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_does_not_fit_is_refused_with_a_short_printable_reason_and_the_rest_comes_in(
    same: Rules, name: str, value: Value | None
) -> None:
    taken = into(same, {name: value, "assignee": "b"})
    assert taken.fields == {"assignee": "b"}
    assert list(taken.refused) == [name]
    assert taken.refused[name].isprintable()
    assert 10 < len(taken.refused[name]) <= 201


def test_a_parent_that_is_not_paired_yet_is_named_both_ways(same: Rules) -> None:
    told = same.outward(issue({"parent": "4", "summary": "x"}), nobody)
    assert told == Outward(fields={"summary": "x"}, unresolved=("4",), dropped=(), untold=frozenset({"parent"}))
    taken = same.inward(Kind.ISSUE, {"parent": gid("9"), "summary": "x"}, nobody)
    assert taken.fields == {"summary": "x"}
    assert taken.waits == (gid("9"),)
    assert taken.refused == {"parent": f"the issue {gid('9')} is not known here (yet)"}


def test_f119_a_user_whom_nothing_names_comes_in_as_the_stand_in_alone_in_a_field_and_as_himself_in_a_set(
    german: Rules,
) -> None:
    assert into(german, {"assignee": "x.unknown"}).fields == {"assignee": "import"}
    assert into(german, {"reviewers:x.unknown": True}).fields == {"reviewers:x.unknown": True}


def test_versions_of_the_project_go_by_the_words_of_a_field_of_versions(tmp_path: Path) -> None:
    contract = "{version: 1, types: [Bug], versions: true, fields: {fixed: {kind: version, many: true, options: [R1, R2]}}}"
    ours = rules(tmp_path, contract, "{fields: {fixed: {field: fixed, options: {'1.0': R1}}}}")

    def version(name: str) -> Outward:
        ref = Ref(Kind.VERSION, "lists", "7")
        return ours.outward(Item(ref=ref, stamp="0", origin=None, fields={"name": name, "version-released": "yes"}), nobody)

    assert version("1.0").fields == {"name": "R1", "version-released": "yes"}
    assert version("2.0").untold == {"name"}
    came = ours.inward(Kind.VERSION, {"name": "R1", "version-start": None, "version-archived": "no"}, nobody)
    assert came.fields == {"name": "1.0", "version-start": None}
    assert came.refused.keys() == {"version-archived"}
    assert ours.inward(Kind.VERSION, {"name": "R3"}, nobody).refused.keys() == {"name"}


def test_users_that_a_contract_lists_need_no_mapping_and_others_do_not_travel(tmp_path: Path) -> None:
    listed = rules(
        tmp_path, CONTRACT.replace("users: any", "users: [jane.doe, b]"), "users: {jdoe: jane.doe}\nusers_default: import\n"
    )
    assert into(listed, {"assignee": "b"}).fields == {"assignee": "b"}
    assert into(listed, {"assignee": "jane.doe"}).fields == {"assignee": "jdoe"}
    assert into(listed, {"assignee": "c"}).fields == {"assignee": "import"}
    assert out(listed, {"assignee": "import"}).untold == {"assignee"}  # so the stand-in is never told back
    strict = rules(tmp_path, CONTRACT.replace("users: any", "users: [jane.doe, b]"))
    assert into(strict, {"assignee": "c"}).refused == {"assignee": 'the contract has no user "c"'}


def test_a_comment_has_its_body_alone(same: Rules) -> None:
    assert same.outward(comment({"body": "a\r\nb"}), nobody).fields == {"body": "a\nb"}
    assert same.outward(comment({"body": ""}), nobody).fields == {}
    assert same.inward(Kind.COMMENT, {"body": "x"}, nobody).fields == {"body": "x"}
    for bad in (None, "", True, ["x"], "a\rb"):
        assert list(same.inward(Kind.COMMENT, {"body": bad}, nobody).refused) == ["body"]
    assert list(same.inward(Kind.COMMENT, {"summary": "x"}, nobody).refused) == ["summary"]


def test_comments_travel_only_where_the_contract_says_so(tmp_path: Path) -> None:
    silent = rules(tmp_path, CONTRACT + "comments: false\n")
    assert silent.outward(comment({"body": "x"}), nobody).fields == {}
    assert list(silent.inward(Kind.COMMENT, {"body": "x"}, nobody).refused) == ["body"]
    assert not silent.carries(Kind.COMMENT, "body")


def test_attachments_do_not_travel_under_this_contract(same: Rules) -> None:
    assert not same.carries(Kind.ATTACHMENT, "body")
    assert list(same.inward(Kind.ATTACHMENT, {"body": "x"}, nobody).refused) == ["body"]


def test_a_wire_field_has_our_names_where_it_is_carried(german: Rules) -> None:
    assert german.local_names("priority") == ("Wichtigkeit",)
    assert german.local_names("platforms:x") == ("Plattformen:a", "Plattformen:b", "Plattformen:x")
    assert german.local_names("platforms:z") == ()
    assert german.local_names("unheard_of") == ()
    assert german.carries(Kind.ISSUE, "platforms:x")
    assert not german.carries(Kind.ISSUE, "unheard_of:x")


def test_a_site_may_want_something_else_done_about_deletes(german: Rules, same: Rules) -> None:
    below = dict.fromkeys([Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG], Ending(DeletePolicy.MIRROR))
    assert german.deletes == {Kind.ISSUE: Ending(DeletePolicy.IGNORE), **below}
    assert same.deletes == {Kind.ISSUE: Ending(DeletePolicy.MARK), **below}


def test_what_closes_is_a_status_of_ours_and_for_issues_alone(tmp_path: Path) -> None:
    closing = rules(tmp_path, CONTRACT, "deletes: {issue: {close: Abgelehnt}, attachment: origin}\n").deletes
    assert closing[Kind.ISSUE] == Ending(DeletePolicy.CLOSE, "Abgelehnt")
    assert [closing[Kind.ATTACHMENT].of(came=one) for one in (True, False)] == [DeletePolicy.MIRROR, DeletePolicy.IGNORE]
    for said in ("issue: close", "issue: {}", "issue: {closed: Done}", "comment: {close: Done}"):
        with pytest.raises(ConfigError):
            rules(tmp_path, CONTRACT, f"deletes: {{{said}}}\n")


def test_what_shows_the_partners_key_is_no_field_that_travels(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="what is shown there would be told"):
        rules(tmp_path, CONTRACT, "fields: {Ihre: summary}\npartner: {fields: {Ihre: '{key}'}}\n")
    partner = rules(tmp_path, CONTRACT, "partner: {fields: {Ihre: 'dort {key}'}, property: true}\n").partner
    assert partner is not None
    facts = {"partner": "globex", "key": "LINE-4"}
    assert partner.display(partner="globex", key="LINE-4", pace=Pace.SENT) == Display({"Ihre": "dort LINE-4"}, "", facts)
    assert partner.display(partner="globex", key="", pace=Pace.SENT) == Display()
    kept = rules(
        tmp_path, CONTRACT, "partner: {fields: {Ihre: '{key}', Wie: '{state}'}, property: true, state: true}\n"
    ).partner
    assert kept is not None
    facts = {"partner": "globex", "key": "", "state": "in step"}
    assert kept.display(partner="globex", key="", pace=Pace.IN_STEP) == Display({"Wie": "in step"}, "", facts)
    for wrong in (
        "{}",
        "{fields: {Wie: '{state}'}}",
        "{fields: {Ihre: '{key}'}, state: true}",
        "{fields: {Ihre: no}}",
        "{link: 'ftp://x/{key}'}",
        "{link: 'https://x/'}",
        "{property: yes}",
    ):
        with pytest.raises(ConfigError):
            rules(tmp_path, CONTRACT, f"partner: {wrong}\n")


def test_a_gid_that_is_told_is_the_one_that_is_known(same: Rules) -> None:
    known: dict[str, Gid] = {"4": gid("4")}
    assert same.outward(issue({"parent": "4"}), known.get).fields == {"parent": gid("4")}
    assert same.outward(issue({"parent": "5"}), known.get).unresolved == ("5",)


def test_some_fields_of_an_issue_are_told_in_the_same_order_by_every_run(tmp_path: Path) -> None:
    names = [f"field_{one}" for one in "abcdefgh"]
    fields = "".join(f"\n  {name}: {{kind: text}}" for name in names)
    found = rules(tmp_path, f"version: 1\ntypes: [Bug]\nfields:{fields}\n")
    item = issue({name: name for name in reversed(names)})
    assert list(found.outward(item, nobody, only=names).fields) == names
