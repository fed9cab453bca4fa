"""What does not fit between mapping, contract and tracker is named, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.model.ids import Kind
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.load import gaps, load_rules
from tests.rules.build import rules
from tests.rules.test_mapping import CONTRACT, into


def test_every_inconsistency_of_mapping_and_contract_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(
            tmp_path,
            CONTRACT.replace("users: any", "users: [jane]"),
            """\
types: {Fehler: Bugg}
statuses: {Offen: open}
users: {j: janet}
fields:
  Titel: sumary
  A: priority
  B: priority
  Typ: type
  status: labels
  C: {field: due, options: {a: b}}
  D: {field: location, options: {a/b/c: Pump, d: Fan}}
""",
        )
    assert [str(problem) for problem in caught.value.problems] == [
        'mapping.yaml:1:17: "Bugg" is not in the contract; did you mean "Bug"?',
        'mapping.yaml:2:19: "open" is not in the contract; did you mean "Open"?',
        'mapping.yaml:3:12: "janet" is not in the contract; did you mean "jane"?',
        'mapping.yaml:5:10: the contract has no field "sumary"; did you mean "summary"?',
        'mapping.yaml:7:3: "A" stands for "priority" already',
        "mapping.yaml:8:3: the fields type, status and parent have the same name everywhere",
        "mapping.yaml:9:3: the fields type, status and parent have the same name everywhere",
        'mapping.yaml:10:19: "due" is a date: it has no options',
        'mapping.yaml:11:34: "a/b/c" is neither `parent` nor `parent/child`',
        'mapping.yaml:11:50: "Fan" is not in the contract',
    ]


def test_what_a_field_cannot_do_is_named_where_it_is_said(tmp_path: Path) -> None:
    agreed = CONTRACT.replace("due: {kind: date}", "due: {kind: date, from: acme, mode: guard}").replace(
        "seen_at: {kind: datetime}", "seen_at: {kind: datetime, from: globex}"
    )
    with pytest.raises(ConfigError) as caught:
        rules(
            tmp_path,
            agreed,
            """\
fields:
  priority: {field: priority, default: {out: Middle, in: Odd}}
  points: {field: points, default: {out: x}}
  platforms: {field: platforms, default: {in: x}}
  assignee: {field: assignee, default: {out: x}}
  location: {field: location, default: {in: a/b/c, out: Pump}}
  due: {field: due, way: in, only: create}
  seen_at: {field: seen_at, way: out}
  type: {field: type, only: create}
  security: {field: labels, way: in}
""",
        )
    assert [str(problem) for problem in caught.value.problems] == [
        'mapping.yaml:2:46: "Middle" is not in the contract',
        'mapping.yaml:3:27: "points" is a number: it has no words, and so no default',
        "mapping.yaml:4:33: in a set, one word standing for several could not be taken out for one of them: leave `default` out",
        "mapping.yaml:5:41: the contract takes every word here, so none of ours is without one",
        'mapping.yaml:6:41: "a/b/c" is neither `parent` nor `parent/child`',
        'mapping.yaml:7:21: the contract has this site, acme, as the source of "due"',
        "mapping.yaml:7:30: the contract wants edits at the partner's answered from here (mode: guard)",
        'mapping.yaml:8:29: the contract has globex as the only source of "seen_at"',
        "mapping.yaml:9:23: nothing can be made without its type: it always flows both ways",
        'mapping.yaml:10:29: "security" says who may see an issue: it always flows both ways',
    ]


def test_what_a_mapping_cannot_give_is_named_where_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(
            tmp_path,
            CONTRACT.replace("due: {kind: date}", "due: {kind: date, from: globex}"),
            """\
fields: {Titel: summary}
constants:
  sumary: x
  labels: x
  summary: x
  due: "2026-11-23"
  points: "1e3"
  priority: Hi
  location: a/b/c
presets:
  type: Bug
  reviewers: x
  assignee: [x]
  seen_at: soon
""",
        )
    assert [str(problem) for problem in caught.value.problems] == [
        'mapping.yaml:3:3: the contract has no field "sumary"; did you mean "summary"?',
        "mapping.yaml:4:3: a constant is told for a field of one value, and not for type, status or parent",
        'mapping.yaml:5:3: "Titel" stands for "summary" already',
        'mapping.yaml:6:3: the contract has globex as the only source of "due"',
        'mapping.yaml:7:11: "1e3" is not how a number is written',
        'mapping.yaml:8:13: "Hi" is not in the contract; did you mean "High"?',
        'mapping.yaml:9:13: "a/b/c" is neither `parent` nor `parent/child`',
        'mapping.yaml:9:13: "a/b/c" is not in the contract',
        "mapping.yaml:11:3: every issue brings its type, or has it from the tracker",
        'mapping.yaml:12:14: "reviewers" is a set: list its elements',
        'mapping.yaml:13:13: "assignee" is one value',
        'mapping.yaml:14:12: "soon" is not how a datetime is written',
    ]


def test_a_default_that_would_go_out_as_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="would go out as nothing"):
        rules(tmp_path, CONTRACT, "fields: {priority: {field: priority, default: {in: Normal}}}\n")
    rules(tmp_path, CONTRACT, "fields: {priority: {field: priority, default: {in: Normal, out: Low}}}\n")
    rules(tmp_path, CONTRACT, "fields: {priority: {field: priority, options: {Normal: Low}, default: {in: Normal}}}\n")


def test_a_stand_in_where_no_user_travels_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no user travels"):
        rules(tmp_path, "version: 1\ntypes: [Bug]\nfields: {}\n", "users_default: x\n")


def test_a_mapping_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    with pytest.raises(ConfigError, match=r"mapping\.yaml: cannot be read"):
        load_rules(tmp_path / "contract.yaml", tmp_path / "mapping.yaml", site="acme")
    assert load_rules(tmp_path / "contract.yaml", None, site="acme").carries(Kind.ISSUE, "summary")


def test_gaps_between_contract_and_tracker_are_listed(tmp_path: Path) -> None:
    mixed = rules(
        tmp_path,
        CONTRACT,
        "types: {Bug: Task}\nfields: {summary: points, Labels: labels, priority: {field: priority, options: {Urgent: High}}}\n",
    )
    found = gaps(
        mixed,
        fields=(
            FieldSpec("type", FieldKind.TYPE),
            FieldSpec("status", FieldKind.STATUS),
            FieldSpec("summary", FieldKind.TEXT),
            FieldSpec("due", FieldKind.DATE),
            FieldSpec("seen_at", FieldKind.DATETIME),
            FieldSpec("priority", FieldKind.OPTION, options=("Urgnt", "Low")),
            FieldSpec("location", FieldKind.CASCADE, options=("Pump", "Pump/Seal")),
            FieldSpec("labels", FieldKind.LABEL, many=True),
            FieldSpec("platforms", FieldKind.OPTION, options=("x", "y")),
            FieldSpec("assignee", FieldKind.USER),
            FieldSpec("reviewers", FieldKind.USER, many=True),
            FieldSpec("parent", FieldKind.PARENT),
        ),
        types=("Bug", "Task"),
        statuses=("Open", "Closed"),
        links=(),
        left_out={},
    )
    assert sorted(str(problem) for problem in found) == [
        'labels: the tracker has no field "Labels"; did you mean "labels"?',
        "platforms: is of kind option (a set) in the contract and of kind option in the tracker",
        "points: is of kind number in the contract and of kind text in the tracker",
        'priority: the tracker has no "Urgent"; did you mean "Urgnt"?',
        'status: the tracker has no "Done"',
        "summary: no field here stands for it: our own of this name stands for another",
        'type: nothing here stands for "Bug": our own word of this name stands for another',
    ]
    assert into(mixed, {"type": "Bug"}).refused == {"type": 'no type here stands for "Bug": name one in the mapping'}
    assert list(into(mixed, {"summary": "x"}).refused) == ["summary"]
    assert mixed.local_names("summary") == ()
