"""Who is who: the mapping's table, then addresses or names, then the default; and that nobody is taken for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.model.ids import Kind
from filesync.model.values import Value
from filesync.rules.load import load_mapping, make_rules
from filesync.rules.mapping import Rules
from tests.rules.build import contract, issue, nobody, rules

CONTRACT = "version: 1\ntypes: [Bug]\nfields:\n  assignee: {kind: user}\n  reviewers: {kind: user, many: true}\n"


class Staff:
    """A tracker's users with their addresses; "" where it shows none."""

    def __init__(self, **addresses: str) -> None:
        self._addresses = addresses

    def knows(self, user: str) -> bool:
        return user in self._addresses

    def address(self, user: str) -> str:
        return self._addresses.get(user, "")

    def at(self, address: str) -> tuple[str, ...]:
        return tuple(name for name, one in self._addresses.items() if one == address)


STAFF = Staff(anna="anna@x.org", bob="", twin="anna@x.org")


def mapped(folder: Path, mapping: str, staff: Staff = STAFF) -> Rules:
    agreed = contract(folder, CONTRACT)
    (folder / "mapping.yaml").write_text(mapping)
    return make_rules(agreed, load_mapping(folder / "mapping.yaml"), site="acme", people=staff)


def told(rules: Rules, user: str) -> Value | None:
    return rules.outward(issue({"assignee": user}), nobody).fields.get("assignee")


def taken(rules: Rules, word: str, field: str = "assignee") -> dict[str, Value | None] | str:
    """What is written, or why nothing is."""
    came: dict[str, Value | None] = {field: word} if field == "assignee" else {f"{field}:{word}": True}
    found = rules.inward(Kind.ISSUE, came, nobody)
    return found.fields if not found.refused else next(iter(found.refused.values()))


def test_by_address_both_sides_say_addresses_where_the_table_says_nothing(tmp_path: Path) -> None:
    rules = mapped(tmp_path, "users_by: email\nusers: {bob: b.smith}\n")
    assert [told(rules, user) for user in ("anna", "bob", "stranger")] == ["anna@x.org", "b.smith", "stranger"]
    assert [taken(rules, word) for word in ("anna@x.org", "ANNA@X.org", "b.smith")] == [
        {"assignee": "anna"},
        {"assignee": "anna"},
        {"assignee": "bob"},
    ]
    assert taken(rules, "anna@x.org", "reviewers") == {"reviewers:anna": True}


def test_who_is_called_so_is_not_taken_for_one_who_goes_by_an_address(tmp_path: Path) -> None:
    rules = mapped(tmp_path, "users_by: email\n")
    assert taken(rules, "bob") == {"assignee": "bob"}
    assert taken(rules, "anna") == 'no user here stands for "anna": name one in the mapping'
    assert taken(rules, "eve@x.org") == 'no user here stands for "eve@x.org": name one in the mapping'


def test_no_address_travels_but_by_this_setting(tmp_path: Path) -> None:
    for mapping in ("# nothing\n", "users_by: name\n", "users_prefix: ext-\n", "users_default: bob\n"):
        assert told(mapped(tmp_path, mapping), "anna") == "anna", mapping


def test_a_prefix_is_put_before_what_comes_and_taken_off_what_goes(tmp_path: Path) -> None:
    rules = mapped(tmp_path, "users_prefix: ext-\nusers: {chief: anna}\n")
    assert [told(rules, user) for user in ("ext-bob", "bob", "chief", "ext-")] == ["bob", "bob", "anna", "ext-"]
    assert [taken(rules, word) for word in ("bob", "anna")] == [{"assignee": "ext-bob"}, {"assignee": "chief"}]


def test_by_name_a_default_is_for_those_alone_who_are_not_here(tmp_path: Path) -> None:
    rules = mapped(tmp_path, "users_by: name\nusers_default: anna\n")
    assert [taken(rules, word) for word in ("bob", "eve")] == [{"assignee": "bob"}, {"assignee": "anna"}]
    without = mapped(tmp_path, "users_default: anna\n")
    assert [taken(without, word) for word in ("bob", "eve")] == [{"assignee": "anna"}, {"assignee": "anna"}]


def test_with_nobody_to_stand_in_the_field_is_left_empty(tmp_path: Path) -> None:
    rules = mapped(tmp_path, "users_by: name\nusers_default: none\n")
    assert [taken(rules, word) for word in ("bob", "eve")] == [{"assignee": "bob"}, {"assignee": None}]
    assert [taken(rules, word, "reviewers") for word in ("bob", "eve")] == [{"reviewers:bob": True}, {}]


def test_settings_for_users_need_a_contract_in_which_some_travel(tmp_path: Path) -> None:
    text = "users_by: email\nusers_prefix: x\nusers_default: y\n"
    with pytest.raises(ConfigError) as caught:
        rules(tmp_path, "version: 1\ntypes: [Bug]\nfields: {}\n", text)
    assert [one.what for one in caught.value.problems] == ["no user travels under the contract"] * 3
    with pytest.raises(ConfigError, match="must be one of email, name"):
        mapped(tmp_path, "users_by: mail\n")
