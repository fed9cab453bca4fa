"""The contract: one canonical text, everything wrong named, and exactly one winner for every field."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.config import template
from filesync.errors import ConfigError
from filesync.model.ids import Kind, SiteId
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.contract import (
    ContractField,
    DeletePolicy,
    Flow,
    Mode,
    Site,
    asks,
    flow,
    strangers,
    wins,
)
from filesync.rules.load import gaps, load_rules, make_rules
from filesync.trackers.embedded.project import read_definition
from tests.rules.build import ACME, GLOBEX, LEAST, as_yaml, contract

ONE_WAY = """\
version: 3
winner: globex
types: [Bug, Task]
statuses: [Open, Done]
fields:
  summary: {kind: text}
  priority: {kind: option, options: [High, Low], winner: acme}
  labels: {kind: label, many: true, winner: first}
  severity: {kind: option, options: [a, b], from: acme}
  cost: {kind: number, from: globex, mode: guard}
  status: {kind: status, winner: acme}
"""


DELETES = "deletes: {issue: ignore, comment: mark, attachment: ignore, worklog: ignore}\n"


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        contract(folder, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_contract_is_read_with_its_defaults(tmp_path: Path) -> None:
    read = contract(tmp_path, "version: 7\ntypes: [Task, Bug]\nfields: {cost: {kind: number}}\n")
    assert (read.version, read.winner, read.types, read.statuses, read.users) == (7, "first", ("Bug", "Task"), (), None)
    assert read.deletes == {
        Kind.ISSUE: DeletePolicy.MARK,
        Kind.COMMENT: DeletePolicy.MIRROR,
        Kind.ATTACHMENT: DeletePolicy.MIRROR,
        Kind.WORKLOG: DeletePolicy.MIRROR,
    }
    assert read.below == {Kind.COMMENT: None, Kind.ATTACHMENT: None, Kind.WORKLOG: None}
    assert read.links == ()
    assert read.fields == {
        "type": ContractField(FieldSpec("type", FieldKind.TYPE), None, None, None),
        "cost": ContractField(FieldSpec("cost", FieldKind.NUMBER), None, None, None),
    }


def test_everything_in_a_contract_is_read(tmp_path: Path) -> None:
    nothing = "comments: false\nattachments: false\nworklogs: false\n"
    read = contract(tmp_path, ONE_WAY + "users: [b, a]\nlinks: [x, a b]\n" + nothing + DELETES)
    assert (read.users, read.links) == (("a", "b"), ("a b", "x"))
    assert read.below == {}
    assert read.deletes == {
        Kind.ISSUE: DeletePolicy.IGNORE,
        Kind.COMMENT: DeletePolicy.MARK,
        Kind.ATTACHMENT: DeletePolicy.IGNORE,
        Kind.WORKLOG: DeletePolicy.IGNORE,
    }
    assert read.fields["status"] == ContractField(FieldSpec("status", FieldKind.STATUS), "acme", None, None)
    assert read.fields["labels"].spec == FieldSpec("labels", FieldKind.LABEL, many=True)
    assert read.fields["severity"] == ContractField(
        FieldSpec("severity", FieldKind.OPTION, options=("a", "b")), None, "acme", Mode.DRIFT
    )
    assert read.sites() == {"acme", "globex"}


def test_layout_comments_order_and_written_out_defaults_do_not_change_the_digest(tmp_path: Path) -> None:
    one = contract(tmp_path, "version: 1\ntypes: [A, B]\nfields:\n  x: {kind: option, options: [p, q]}\n  y: {kind: text}\n")
    two = contract(
        tmp_path,
        """\
# the same
fields:
  y: {many: false, kind: text, from: null, winner: null, mode: null, options: []}
  x: {options: ["q", 'p'], kind: option}
  type: {kind: type}
types:
  - B
  - A
winner: first
users: any
comments: true
worklogs: true
links: []
deletes: {comment: mirror, issue: mark, worklog: mirror}
version: 1
""",
    )
    assert one == two


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"winner": "acme"},
        {"types": ["Bug", "Task"]},
        {"statuses": ["Open"]},
        {"users": []},
        {"comments": False},
        {"comments": {"from": "acme"}},
        {"attachments": False},
        {"worklogs": False},
        {"links": ["blocks"]},
        {"keys": True},
        {"deletes": {"issue": "mirror"}},
        {"deletes": {"comment": "mark"}},
        {"fields": {"x": {"kind": "text"}}},
        {"fields": {"x": {"kind": "text", "many": True}}},
        {"fields": {"x": {"kind": "text", "from": "acme"}}},
        {"fields": {"x": {"kind": "text", "from": "acme", "mode": "guard"}}},
        {"fields": {"x": {"kind": "text", "winner": "acme"}}},
        {"fields": {"x": {"kind": "label", "options": ["a"]}}},
    ],
    ids=str,
)
def test_every_difference_in_meaning_changes_the_digest(tmp_path: Path, change: dict[str, object]) -> None:
    assert contract(tmp_path, as_yaml({**LEAST, **change})).digest != contract(tmp_path, as_yaml(LEAST)).digest


def test_every_inconsistency_is_named_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
version: 1
types: [Bug]
fields:
  body: {kind: text}
  status: {kind: status}
  state: {kind: status}
  type: {kind: text}
  a: {kind: user, options: [x]}
  b: {kind: option}
  c: {kind: cascade, many: true, options: [x, x/y, x/y/z, /y]}
  d: {kind: text, from: acme, winner: acme}
  e: {kind: text, mode: guard}
""",
    )
    assert found == [
        "contract.yaml:4:3: `body` is what links, or a field of what belongs to an issue, are called: call this one something else",
        "contract.yaml:5:3: status travels only where `statuses` lists some",
        "contract.yaml:6:3: status travels only where `statuses` lists some",
        "contract.yaml:6:17: the fields type, status and parent have the kind of their name, and no other has it",
        "contract.yaml:7:16: the fields type, status and parent have the kind of their name, and no other has it",
        "contract.yaml:8:28: a field of kind user has no options",
        "contract.yaml:9:3: a field of kind option lists its options",
        "contract.yaml:10:28: a field of kind cascade has one value",
        'contract.yaml:10:52: "x/y/z" is neither `parent` nor `parent/child`',
        'contract.yaml:10:59: "/y" is neither `parent` nor `parent/child`',
        "contract.yaml:11:39: the source of a one-way field always wins: leave `winner` out",
        "contract.yaml:12:25: `mode` says something of a field with `from` only",
    ]


def test_the_winner_is_the_fields_own_then_the_contracts(tmp_path: Path) -> None:
    read = contract(tmp_path, ONE_WAY)
    expected = {
        "summary": GLOBEX,
        "priority": ACME,
        "labels:x": ACME,  # first
        "labels": ACME,
        "severity": ACME,  # its source
        "cost": GLOBEX,
        "status": ACME,
        "type": GLOBEX,
        "parent": GLOBEX,
        "body": GLOBEX,
    }
    for field, winner in expected.items():
        assert wins(read, field, us=ACME, them=GLOBEX) is (winner is ACME), field
        assert wins(read, field, us=GLOBEX, them=ACME) is (winner is GLOBEX), field


def test_first_is_the_name_that_sorts_first_and_then_the_id(tmp_path: Path) -> None:
    read = contract(tmp_path, as_yaml(LEAST))
    assert wins(read, "summary", us=ACME, them=GLOBEX)
    twin = Site(GLOBEX.id, "acme")
    assert wins(read, "summary", us=twin, them=ACME)  # its id sorts first


names = st.sampled_from(["acme", "globex", "initech", "zeta"])
sites = st.builds(Site, st.uuids().map(lambda value: SiteId(str(value))), names)
maybe = st.one_of(st.none(), names, st.just("first"))


@given(
    us=sites,
    them=sites,
    winner=maybe,
    own=maybe,
    source=st.one_of(st.none(), names),
    mode=st.sampled_from([None, "drift", "guard"]),
    field=st.sampled_from(["x", "x:element", "type", "status", "parent", "body", "unheard_of"]),
)
def test_exactly_one_site_wins_whatever_the_contract_says(
    tmp_path_factory: pytest.TempPathFactory,
    us: Site,
    them: Site,
    winner: str | None,
    own: str | None,
    source: str | None,
    mode: str | None,
    field: str,
) -> None:
    entry = {"kind": "text", **({"from": source, "mode": mode} if source else {"winner": own})}
    data = {**LEAST, "winner": winner, "statuses": ["Open"], "fields": {"x": entry, "parent": {"kind": "parent"}}}
    read = contract(tmp_path_factory.getbasetemp(), as_yaml(data))
    if us.id == them.id:
        return
    assert wins(read, field, us=us, them=them) is not wins(read, field, us=them, them=us)


def test_flow_says_who_tells_and_who_takes(tmp_path: Path) -> None:
    read = contract(tmp_path, ONE_WAY)
    assert flow(read, "summary", "acme") is Flow.BOTH
    assert flow(read, "body", "acme") is Flow.BOTH
    assert flow(read, "severity", "acme") is Flow.WE_SEND_DRIFT
    assert flow(read, "severity", "globex") is Flow.WE_TAKE_DRIFT
    assert flow(read, "cost", "acme") is Flow.WE_TAKE_GUARD
    assert flow(read, "cost:element", "globex") is Flow.WE_SEND_GUARD


def test_a_site_that_is_neither_of_the_two_is_named(tmp_path: Path) -> None:
    read = contract(tmp_path, as_yaml({**LEAST, "winner": "glowbex", "fields": {"x": {"kind": "text", "from": "nobody"}}}))
    either = "`winner` (which may also be `first` or `ask`)"
    assert [str(problem) for problem in strangers(read, us=ACME, them=GLOBEX)] == [
        f'contract.yaml:1:86: {either} names a site "glowbex", but the two are acme and globex; did you mean "globex"?',
        'contract.yaml:1:66: `from` names a site "nobody", but the two are acme and globex',
    ]
    assert strangers(contract(tmp_path, ONE_WAY), us=ACME, them=GLOBEX) == ()


def test_a_site_that_two_share_the_name_of_is_named(tmp_path: Path) -> None:
    twin = Site(GLOBEX.id, "acme")
    assert strangers(contract(tmp_path, as_yaml(LEAST)), us=ACME, them=twin) == ()
    assert "both sites are called" in str(strangers(contract(tmp_path, ONE_WAY), us=ACME, them=twin)[0])


def test_a_contract_of_two_other_sites_is_refused(tmp_path: Path) -> None:
    contract(tmp_path, ONE_WAY)
    assert load_rules(tmp_path / "contract.yaml", None, site="globex").contract.version == 3
    with pytest.raises(ConfigError, match='acme, globex; this site is acmee; did you mean "acme"'):
        load_rules(tmp_path / "contract.yaml", None, site="acmee")


def test_the_template_fits_the_project_that_a_new_tracker_gets(tmp_path: Path) -> None:
    rules = make_rules(contract(tmp_path, template("contract.yaml")), site="acme")
    project = read_definition()
    types, links = tuple(project.types), tuple(project.links)
    assert gaps(rules, fields=project.specs(), types=types, statuses=project.statuses(), links=links, left_out={}) == ()
    assert set(rules.contract.fields) == {spec.name for spec in project.specs()}
    for spec in project.specs():
        listed = rules.contract.fields[spec.name].spec.options
        assert not listed or set(listed) == set(spec.options), spec.name
    assert set(rules.contract.types) == set(project.types)
    assert set(rules.contract.statuses) == set(project.statuses())


# ── until a person decides ──────────────────────────────────────────────────────────────────────────────────────────

ASKING = """\
version: 1
winner: ask
types: [Bug]
statuses: [Open]
links: [blocks]
fields:
  summary: {kind: text}
  parent: {kind: parent}
  labels: {kind: label, many: true}
  severity: {kind: option, options: [a, b], from: acme}
  cost: {kind: number, winner: globex}
"""


def test_only_what_has_one_value_waits_for_a_person(tmp_path: Path) -> None:
    read = contract(tmp_path, ASKING)
    names = ("summary", "status", "type", "parent", "labels:x", "severity", "cost", "link:blocks:x", "body", "visible_to")
    assert [name for name in names if asks(read, name)] == ["summary", "status"]
    assert read.sites() == {"acme", "globex"}
    for name in ("type", "parent", "labels:x", "link:blocks:x", "body"):
        assert wins(read, name, us=ACME, them=GLOBEX), name  # as `first`


def test_what_cannot_wait_for_a_person_is_named(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
version: 1
winner: ask
types: [Bug]
fields:
  type: {kind: type, winner: ask}
  labels: {kind: label, many: true, winner: ask}
  owner: {kind: text}
  due: {kind: date, winner: {field: owner, acme: [x]}}
  cost: {kind: number, from: acme, winner: ask}
""",
    )
    assert found == [
        "contract.yaml:5:30: a field of kind type does not wait for a person: name a site, or `first`",
        "contract.yaml:6:45: elements of a set hardly ever meet, and do not wait for a person: name a site, or `first`",
        "contract.yaml:8:37: who wins `owner` itself must not wait for a person: give it a `winner` of its own, a site",
        "contract.yaml:9:44: the source of a one-way field always wins: leave `winner` out",
    ]


def test_where_edits_never_meet_nobody_is_asked_and_no_site_is_called_so(tmp_path: Path) -> None:
    read = contract(tmp_path, ASKING)
    assert strangers(read, us=ACME, them=GLOBEX) == ()
    (one_way,) = strangers(read, us=ACME, them=GLOBEX, one_way=True)
    assert one_way.what == "says `winner: ask`, and only one side sends: edits of the two never meet. Leave it out"
    (called,) = strangers(read, us=ACME, them=Site(GLOBEX.id, "ask"))
    assert called.what == "says `winner: ask`, and a site is called so: it means a person. Name another winner"
