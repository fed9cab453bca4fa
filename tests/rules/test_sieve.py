"""Which attachments go through: sizes, names, types, and the rule that is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import ConfigError
from filesync.rules.sieve import make_sieves, type_of
from tests.rules.build import as_yaml, rules

CONTRACT = "version: 1\ntypes: [Bug]\nfields: {}\n"


def stops(said: Mapping[str, Any], name: str, size: int = 10) -> str:
    return make_sieves({"out": said}).out.stops(name, size)


def test_nothing_said_lets_everything_through() -> None:
    assert make_sieves({}).out.stops("virus.exe", 1 << 40) == ""


@pytest.mark.parametrize(
    ("said", "name", "size", "rule"),
    [
        ({"leave_out": [{"larger_than": "1 KiB"}]}, "a.txt", 1024, ""),
        ({"leave_out": [{"larger_than": "1 KiB"}]}, "a.txt", 1025, "attachments.out.leave_out: larger_than 1 KiB"),
        ({"leave_out": [{"name": "*.exe"}]}, "SETUP.EXE", 1, "attachments.out.leave_out: name *.exe"),
        ({"leave_out": [{"name": "*.exe"}]}, "setup.exe.txt", 1, ""),
        ({"leave_out": [{"type": "video/*", "larger_than": "1 KiB"}]}, "a.mp4", 10, ""),
        ({"only": [{"type": "image/*"}, {"name": "*.log"}]}, "boot.log", 1, ""),
        ({"only": [{"type": "image/*"}, {"name": "*.log"}]}, "a.pdf", 1, "attachments.out.only: type image/*, or name *.log"),
        ({"only": [{"type": "image/*"}], "leave_out": [{"name": "x*"}]}, "x.png", 1, "attachments.out.leave_out: name x*"),
    ],
)
def test_all_that_is_said_of_a_sort_must_hold(said: Mapping[str, Any], name: str, size: int, rule: str) -> None:
    assert stops(said, name, size) == rule


def test_a_type_is_what_the_end_of_the_name_says() -> None:
    names = ("pump.PNG", "a.tar.gz", "b.docx", "none", "../../etc/passwd", "data:text/html,x.svg", "")
    assert [type_of(name) for name in names] == [
        "image/png",
        "application/gzip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/octet-stream",
        "application/octet-stream",
        "image/svg+xml",
        "application/octet-stream",
    ]


@pytest.mark.parametrize(
    ("mapping", "what"),
    [
        ({"attachments": {"out": {"leave_out": [{"larger_than": "big"}]}}}, "a whole number and KiB"),
        ({"attachments": {"out": {"leave_out": [{}]}}}, "must not be empty"),
        ({"attachments": {"out": {"leaveout": [{"name": "x"}]}}}, 'did you mean "leave_out"?'),
        ({"attachments": {"in": {"only": [{"type": "png"}]}}}, "a type, as in image/png"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, mapping: Mapping[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=r"mapping\.yaml:1:") as caught:
        rules(tmp_path, CONTRACT, as_yaml(mapping))
    assert what in str(caught.value)


def test_rules_for_attachments_need_a_contract_that_has_some(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no attachment travels under the contract"):
        rules(tmp_path, CONTRACT + "attachments: false\n", "attachments: {}\n")
