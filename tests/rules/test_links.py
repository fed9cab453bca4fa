"""Links and worklogs in the contract's words and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError, Problem
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Item, Ref
from filesync.model.links import link_end, link_name, link_parts
from filesync.model.values import Value
from filesync.rules.load import gaps
from filesync.rules.mapping import Rules
from tests.rules.build import ACME, gid, issue, nobody, rules

CONTRACT = "version: 1\ntypes: [Bug]\nlinks: [blocks, relates]\nfields: {}\n"
MAPPING = "links: {'stops: now': blocks, hinders: blocks}\n"
FOUR, FIVE = gid("4"), gid("5")
PAIRED: dict[str, Gid] = {"4": FOUR, "5": FIVE}
LOCAL = {there: here for here, there in PAIRED.items()}
COMMENT = Gid(f"{ACME.id}/comment/4/1")


@pytest.fixture
def ours(tmp_path: Path) -> Rules:
    return rules(tmp_path, CONTRACT, MAPPING)


def out(rules: Rules, *flat: str) -> dict[str, Value]:
    return rules.outward(issue({"type": "Bug", **dict.fromkeys(flat, True)}), PAIRED.get).fields


def into(rules: Rules, fields: dict[str, Value | None]) -> dict[str, Value | None]:
    taken = rules.inward(Kind.ISSUE, fields, LOCAL.get)
    assert taken.refused == {}
    return taken.fields


def worklog(fields: dict[str, Value]) -> Item:
    return Item(ref=Ref(Kind.WORKLOG, "1", "7"), stamp="1", origin=None, fields=fields)


def test_a_name_is_taken_apart_at_its_last_colon() -> None:
    assert link_parts(link_name("stops: now", "4")) == ("stops: now", "4")
    assert link_end(link_name("blocks", FOUR)) == FOUR
    for wrong in ("link", "link:", "link:blocks", "link:blocks:", "link::4", "labels:blocks:4"):
        assert link_parts(wrong) is None
    for wrong in ("link:blocks:4", f"link:blocks:{COMMENT}", f"labels:blocks:{FOUR}"):
        assert link_end(wrong) is None


def test_a_link_goes_out_under_the_contracts_word_and_the_gid_of_its_other_end(ours: Rules) -> None:
    named = {"type": "Bug", f"link:blocks:{FOUR}": True}
    assert out(ours, "link:stops: now:4") == out(ours, "link:hinders:4", "link:stops: now:4") == named
    assert out(ours, "link:relates:5") == {"type": "Bug", f"link:relates:{FIVE}": True}


def test_a_link_of_a_type_that_does_not_travel_stays_at_home(ours: Rules) -> None:
    told = ours.outward(issue({"type": "Bug", "link:duplicates:4": True}), PAIRED.get)
    assert (told.fields, told.unresolved, told.dropped) == ({"type": "Bug"}, (), ())


def test_a_link_to_an_issue_that_is_not_paired_is_named_and_not_told(ours: Rules) -> None:
    told = ours.outward(issue({"type": "Bug", "link:relates:4": True, "link:relates:6": True}), PAIRED.get)
    assert told.fields.keys() == {"type", f"link:relates:{FOUR}"}
    assert told.unresolved == ("6",)
    assert ours.outward(issue({"link:relates:4": True}), PAIRED.get, end_of=nobody).unresolved == ("4",)


def test_a_link_comes_in_under_our_first_word_and_is_taken_away_under_all(ours: Rules) -> None:
    assert into(ours, {f"link:blocks:{FOUR}": True}) == {"link:stops: now:4": True}
    gone = into(ours, {f"link:blocks:{FOUR}": None})
    assert gone == {"link:stops: now:4": None, "link:hinders:4": None, "link:blocks:4": None}


@pytest.mark.parametrize(
    "name",
    [f"link:duplicates:{FOUR}", "link:blocks:4", "link:blocks", "link", f"link::{FOUR}", f"link:blocks:{COMMENT}"],
)
def test_what_is_no_link_of_the_contract_is_not_carried(ours: Rules, name: str) -> None:
    assert not ours.carries(Kind.ISSUE, name)
    assert list(ours.inward(Kind.ISSUE, {name: True}, LOCAL.get).refused) == [name]


def test_a_link_has_no_value_and_waits_for_its_other_end(ours: Rules) -> None:
    name = f"link:blocks:{FOUR}"
    assert ours.carries(Kind.ISSUE, name)
    assert not ours.carries(Kind.COMMENT, name)
    assert list(ours.inward(Kind.ISSUE, {name: "yes"}, LOCAL.get).refused) == [name]
    waits = ours.inward(Kind.ISSUE, {name: True}, nobody)
    assert (list(waits.refused), waits.waits) == ([name], (FOUR,))


def test_words_for_links_fit_the_contract_and_the_tracker(tmp_path: Path, ours: Rules) -> None:
    with pytest.raises(ConfigError, match=r'mapping\.yaml:1:12: "block" is not in the contract; did you mean "blocks"'):
        rules(tmp_path, CONTRACT, "links: {a: block}\n")
    assert [one.what for one in _gaps(ours, ("hinders", "relates"))] == ['the tracker has no "stops: now"']
    assert [one.what for one in _gaps(ours, ())] == ["the tracker has no links"]
    assert _gaps(rules(tmp_path, CONTRACT.replace("links: [blocks, relates]\n", "")), ()) == []
    taken = rules(tmp_path, CONTRACT, "links: {relates: blocks}\n")
    assert not taken.carries(Kind.ISSUE, f"link:relates:{FOUR}")
    assert 'nothing here stands for "relates"' in _gaps(taken, ("relates",))[0].what


def _gaps(rules: Rules, links: tuple[str, ...]) -> list[Problem]:
    return [one for one in gaps(rules, fields=(), types=(), statuses=(), links=links, left_out={}) if one.where == "link"]


def test_a_worklog_has_a_beginning_a_length_and_perhaps_a_text(ours: Rules) -> None:
    told = {"started": "2026-11-23T10:00:00.000Z", "seconds": "5400", "body": "a\nb"}
    ours_too = {"started": "2026-11-23T11:00:00+01:00", "seconds": "5400.0", "body": "a\r\nb", "more": "x"}
    assert ours.outward(worklog(dict(ours_too)), nobody).fields == told
    assert ours.inward(Kind.WORKLOG, dict(told), nobody).fields == told
    assert ours.inward(Kind.WORKLOG, {"body": None}, nobody).fields == {"body": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("started", None),
        ("started", "yesterday"),
        ("started", "2026-11-23T11:00:00+01:00"),
        ("seconds", None),
        ("seconds", "-60"),
        ("seconds", "1.5"),
        ("seconds", "060"),
        ("body", ""),
        ("body", "a\r\nb"),
        ("summary", "x"),
    ],
)
def test_what_a_worklog_cannot_hold_is_refused(ours: Rules, name: str, value: Value | None) -> None:
    assert list(ours.inward(Kind.WORKLOG, {name: value}, nobody).refused) == [name]


def test_worklogs_stay_at_home_where_the_contract_says_so(tmp_path: Path) -> None:
    silent = rules(tmp_path, CONTRACT + "worklogs: false\n")
    assert not silent.travels(Kind.WORKLOG)
    assert silent.outward(worklog({"seconds": "60"}), nobody).fields == {}
    assert list(silent.inward(Kind.WORKLOG, {"seconds": "60"}, nobody).refused) == ["seconds"]
