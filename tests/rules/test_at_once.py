"""What is wrong with contract and mapping is told at once, whatever finds it: YAML, the schemas, or a look at what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.model.values import FieldKind
from filesync.rules.load import load_rules

CONTRACT = """\
version: 1
winer: first
types: [Bug]
deletes: {issue: destroy, coment: mirror}
fields:
  title: {kind: txt}
  urgency: {kind: option}
  urgency: {kind: text}
  state: {kind: option, options: [1, A, A]}
  due: {kind: date, winner: {field: nofield, acme: [x]}}
  by: {kind: date, winner: {field: title, acme: [x]}}
"""
SOUND = """\
version: 1
types: [Bug, Task]
fields:
  title: {kind: text}
  reference: {kind: text}
  urgency: {kind: option, options: [High, Low]}
"""
MAPPING = """\
types: {Bug: Bgu}
statuss: {Open: Done}
users_by: mail
partner: {link: 3}
fields:
  summary: title
  description: title
  priority: {field: urgency, options: {High: Hihg}, way: inout}
  environment: {field: reference, way: out, text: "{{ value | nosuch }}"}
  environment: reference
"""


def told(tmp_path: Path, contract: str, mapping: str) -> list[str]:
    (tmp_path / "contract.yaml").write_text(contract)
    (tmp_path / "mapping.yaml").write_text(mapping)
    with pytest.raises(ConfigError) as caught:
        load_rules(tmp_path / "contract.yaml", tmp_path / "mapping.yaml", site="acme")
    return [str(one) for one in caught.value.problems]


def test_all_that_is_wrong_with_a_contract_is_told_and_of_the_mapping_what_is_wrong_without_it(tmp_path: Path) -> None:
    found = told(tmp_path, CONTRACT, "types: {Bug: Bgu}\nuser: {a: b}\n")
    assert [one.replace("contract.yaml:", "").partition("; expected")[0] for one in found] == [
        '2:1: unknown key "winer"; did you mean "winner"?',
        "4:18: must be one of mark, mirror, ignore, origin",
        '4:27: unknown key "coment"; did you mean "comment"?',
        f'6:17: must be one of {", ".join(FieldKind)}; did you mean "text"?',
        "7:3: a field of kind option lists its options",
        '8:3: "urgency" is given twice, first in line 7',
        "9:35: must be text: put it in quotes",
        '9:41: "A" is given twice',
        '10:37: "nofield" is no field of the contract',
        'mapping.yaml:2:1: unknown key "user"; did you mean "users"?',
    ], "and nothing of `title`, whose kind nobody knows"


def test_all_that_is_wrong_with_a_mapping_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, SOUND, MAPPING)
    assert [one.replace("mapping.yaml:", "") for one in found] == [
        '1:14: "Bgu" is not in the contract; did you mean "Bug"?',
        '2:1: unknown key "statuss"; did you mean "statuses"?',
        '3:11: must be one of email, name; did you mean "email"?',
        "4:17: must be an address of the web with {key} in it: https://jira.example/browse/{key}",
        '7:3: "summary" stands for "title" already',
        '8:58: must be one of both, out, in; did you mean "out"?',
        "9:51: No filter named 'nosuch'",
        '10:3: "environment" is given twice, first in line 9',
    ]
