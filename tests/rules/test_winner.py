"""A winner that follows the value of another field: how it is read, what is wrong with one, whom it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.rules.contract import Contract, strangers, winner_of, wins
from filesync.rules.winner import ByValue
from tests.rules.build import ACME, GLOBEX, contract

OWNED = """\
version: 1
winner: {field: owner, acme: [supplier, shared], globex: [customer], else: acme}
types: [Bug]
statuses: [Open, Done]
fields:
  owner: {kind: option, options: [customer, supplier, shared, nobody]}
  title: {kind: text}
  labels: {kind: label, many: true}
  cost: {kind: number, from: globex}
  due: {kind: date, winner: globex}
  severity: {kind: text, winner: {field: status, globex: [Done]}}
  status: {kind: status, winner: globex}
"""


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        contract(folder, text)
    return [str(problem) for problem in caught.value.problems]


def test_values_name_a_site_for_every_field_that_has_no_winner_of_its_own(tmp_path: Path) -> None:
    read = contract(tmp_path, OWNED)
    owned = ByValue("owner", {"supplier": "acme", "shared": "acme", "customer": "globex"}, "acme")
    assert [owned.site(value) for value in ("shared", "customer", "nobody", None)] == ["acme", "globex", "acme", "acme"]
    for field in ("title", "labels:x", "link:blocks:there", "type"):
        assert winner_of(read, field) == owned
    assert winner_of(read, "severity") == ByValue("status", {"Done": "globex"}, "first")
    # what decides, what belongs to an issue, and what says its own
    for field, site in {"owner": "acme", "body": "acme", "cost": "globex", "due": "globex", "status": "globex"}.items():
        assert winner_of(read, field) == site, field
    assert read.deciders() == {"owner", "status"}
    assert read.penned() == frozenset()
    penned = contract(tmp_path, OWNED.replace("else: acme}", "else: acme, pen: true}")).penned()
    assert penned == {"title", "labels", "type", "link"}
    assert (wins(read, "title", us=ACME, them=GLOBEX), wins(read, "title", us=GLOBEX, them=ACME)) == (True, False)


def test_its_sites_are_those_of_the_contract(tmp_path: Path) -> None:
    read = contract(tmp_path, OWNED.replace("globex: [customer]", "glowbex: [customer]").replace("globex", "acme"))
    assert read.sites() == {"acme", "glowbex"}
    (problem,) = strangers(read, us=ACME, them=GLOBEX)
    assert str(problem).startswith('contract.yaml:2:50: `winner` names a site "glowbex"')


def test_the_digest_sees_what_it_says_and_not_how_it_is_written(tmp_path: Path) -> None:
    def read(old: str, new: str) -> Contract:
        return contract(tmp_path, OWNED.replace(old, new))

    first = read("", "")
    assert read("globex: [Done]}", "globex: [Done], else: first}") == first
    assert read("acme: [supplier, shared], globex: [customer]", "globex: [customer], acme: [shared, supplier]") == first
    for old, new in (
        ("shared], ", "shared, nobody], "),
        ("else: acme", "else: globex"),
        ("globex: [Done]", "acme: [Done]"),
        ("else: acme", "else: acme, pen: true"),
    ):
        assert read(old, new).digest != first.digest


def test_what_is_wrong_with_one_is_named_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
version: 1
winner: {field: ownr, acme: [a]}
types: [Bug]
fields:
  owner: {kind: option, options: [supplier, customer], winner: {field: owner, acme: [supplier]}}
  stage: {kind: text, winner: {field: owner}}
  tags: {kind: label, many: true, winner: {field: stage, acme: [a], globex: [b, a]}}
  due: {kind: date, winner: {field: tags, acme: [a]}}
  cost: {kind: number, winner: {field: due, acme: [a]}}
  note: {kind: text, winner: {field: type, acme: [Task]}}
""",
    )
    assert found == [
        'contract.yaml:2:17: "ownr" is no field of the contract; did you mean "owner"?',
        "contract.yaml:5:72: who wins `owner` cannot follow its own value: name a site",
        "contract.yaml:6:31: names no site: say which values of the field stand for which one",
        "contract.yaml:6:39: who wins `owner` itself must not follow a value too: give it a `winner` of its own, a site",
        "contract.yaml:7:51: who wins `stage` itself must not follow a value too: give it a `winner` of its own, a site",
        'contract.yaml:7:81: "a" stands for acme already',
        "contract.yaml:8:37: `tags` is a set of values: whose value decides holds one word",
        "contract.yaml:8:37: who wins `tags` itself must not follow a value too: give it a `winner` of its own, a site",
        "contract.yaml:9:40: `due` is of kind date: whose value decides holds one word",
        "contract.yaml:9:40: who wins `due` itself must not follow a value too: give it a `winner` of its own, a site",
        "contract.yaml:10:38: who wins `type` itself must not follow a value too: give it a `winner` of its own, a site",
        'contract.yaml:10:51: "Task" is no value of `type`',
    ]


def test_one_that_does_not_fit_the_schema_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, "version: 1\nwinner: {acme: supplier, Globex: [a]}\ntypes: [Bug]\nfields: {}\n")
    assert found == [
        'contract.yaml:2:9: "field" is missing',
        "contract.yaml:2:16: must be a list, as in [supplier]",
        'contract.yaml:2:26: "Globex" is no name that can stand here; expected: a site\'s name: a lower-case letter, then up to 31 lower-case letters, digits or dashes',
    ]
