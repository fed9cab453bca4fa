"""Who watches an issue: apart from the fields in Jira, and one of them here, where the settings want it."""

from __future__ import annotations

import pytest

from filesync.config import template
from filesync.errors import Rejected, Unreadable
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from filesync.trackers.jira.translate.watchers import watchers_of
from tests.support.jira.site import CLOUD, DC10
from tests.support.jira_sides import JiraSide, accounts, calm, two_trackers
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open(watchers=True)


def names(opened: Opened, *people: str) -> list[str]:
    """The flat names of the field for these people."""
    return [f"watchers:{accounts(opened.site.flavour)[one]}" for one in people]


def there(tracker: JiraTracker, local: str) -> set[str]:
    found = tracker.get(local)
    assert found is not None
    return {name for name in found.item.fields if name.startswith("watchers:")}


def test_watchers_are_added_and_taken_away_and_our_account_is_none(opened: Opened, tracker: JiraTracker) -> None:
    anna, wei = names(opened, "a.lindqvist", "w.chen")
    draft = Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, anna: True}, about=About())
    ref = tracker.create(gid(Kind.ISSUE, 1), draft).item.ref
    assert opened.site.store.person("filesync").key in opened.site.store.issues[ref.local].watchers, "by itself"
    assert there(tracker, ref.local) == set()  # written afterwards, as all that is on no screen
    assert tracker.apply(ref, Write({anna: True, wei: True, "summary": "x"}), MARK) == {anna: True, wei: True, "summary": "x"}
    assert tracker.apply(ref, Write({wei: True}), MARK) == {wei: True}
    assert there(tracker, ref.local) == {anna, wei}
    assert tracker.apply(ref, Write({anna: None}), MARK) == {anna: None}
    assert there(tracker, ref.local) == {wei}
    assert dict(tracker.get_all([ref.local])).keys() == {ref.local}


def test_a_user_whom_jira_does_not_know_holds_up_nothing(opened: Opened, tracker: JiraTracker) -> None:
    (wei,) = names(opened, "w.chen")
    local = opened.site.person("m.silva").create(BASIC)
    landed = tracker.apply(issue_ref(local), Write({"watchers:nobody": True, wei: True, "summary": "x"}), MARK)
    assert landed == {"watchers:nobody": None, wei: True, "summary": "x"}


def test_trap29_a_user_who_may_not_see_the_issue_is_refused_by_name(opened: Opened, tracker: JiraTracker) -> None:
    (wei,) = names(opened, "w.chen")
    local = opened.site.person("m.silva").create(BASIC)
    opened.site.faults.refuse(401, times=10, method="POST", path="/watchers")
    with pytest.raises(Rejected) as refused:
        tracker.apply(issue_ref(local), Write({wei: True}), MARK)
    assert list(refused.value.fields) == [wei]


def test_watchers_that_are_hidden_are_not_taken_for_none(opened: Opened, tracker: JiraTracker) -> None:
    local = opened.site.person("m.silva").create(BASIC)
    opened.site.faults.refuse(200, times=10, path="/watchers", body='{"watchCount": 2, "watchers": []}')
    with pytest.raises(Unreadable, match="View Voters and Watchers"):
        tracker.get(local)


@pytest.mark.parametrize("odd", [None, {}, {"watchers": None}, {"watchers": [{}]}])
def test_what_is_no_list_of_watchers_is_told(odd: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        list(watchers_of(odd, ours=(), cloud=False))


def test_watchers_travel_from_one_jira_to_another_and_back() -> None:
    text = template("contract.yaml").replace("  serial_numbers:", "  watchers: {kind: user, many: true}\n  serial_numbers:")
    with two_trackers((DC10, CLOUD), text=text, settings="watchers: true") as world:
        acme, globex = world.sides
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        local = acme.desk.create("Task", "watched")
        here = acme.jira.store.issues[local].watchers
        world.clock.advance(minutes=5)
        world.round()
        (there,) = globex.jira.store.issues.values()
        assert set(there.watchers) >= {globex.jira.store.person("a.lindqvist").key}, "who made it, there"
        there.watchers.append(globex.jira.store.person("w.chen").key)
        calm(world)  # the sweep finds it
        assert acme.jira.store.person("w.chen").key in here
